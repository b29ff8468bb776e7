// The choice of the greedy sampler, with vector instructions.
#pragma once

#include <cstdint>

namespace z1 {

/// Index of the largest of n values, the first one if several are equal, -1 if none is a number above -inf.
int32_t argmax(const float * values, int32_t n);

} // namespace z1
