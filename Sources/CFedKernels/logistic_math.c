#include "fed_logistic.h"

#include <math.h>

double fed_log(double value) { return log(value); }
double fed_exp(double value) { return exp(value); }
double fed_erfc(double value) { return erfc(value); }
