#pragma once
#include <stdint.h>
#include "fed_csv.h"
#include "fed_explain.h"
#include "fed_histogram.h"
#include "fed_logistic.h"
#include "fed_mask.h"
#include "fed_memory.h"
