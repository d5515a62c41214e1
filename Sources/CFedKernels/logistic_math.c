#include "fed_logistic.h"

#include <math.h>

double fed_erfc(double value) { return erfc(value); }
