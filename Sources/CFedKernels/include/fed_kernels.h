#pragma once
#include <stdint.h>
#include "fed_mask.h"
