#pragma once
#include <stdint.h>
#include "fed_histogram.h"
