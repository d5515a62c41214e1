#include "fed_kernels.h"
