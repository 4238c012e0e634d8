// What follows a convolution.
#pragma once

#include "vector.h"

typedef enum { LEAKY_RELU, RELU, ELU } activation;

INLINE vec activate(vec x, activation activation) {
    const vec zero = {0};
    switch (activation) {
    case LEAKY_RELU: return greater(x, x * splat(0.2f));
    case RELU: return greater(x, zero);
    default: return greater(x, zero) + (exponential(lesser(x, zero)) - splat(1.0f));
    }
}
