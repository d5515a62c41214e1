#pragma once
#include <stdint.h>
#include "fed_logistic.h"
