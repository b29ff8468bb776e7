#include "engine/sampling/argmax.h"

#include <cmath>

namespace z1 {

int32_t argmax(const float * values, int32_t n) {
    // Lanes let the compiler use vector instructions: llama.cpp's greedy sampler spends half a millisecond a token on a
    // vocabulary of 150,000, most of it on building an array of candidates.
    constexpr int32_t lanes = 16;
    float best[lanes];
    for (float & lane : best) {
        lane = -INFINITY;
    }
    int32_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (int32_t lane = 0; lane < lanes; ++lane) {
            best[lane] = values[i + lane] > best[lane] ? values[i + lane] : best[lane];
        }
    }
    float largest = -INFINITY;
    for (const float lane : best) {
        largest = lane > largest ? lane : largest;
    }
    for (; i < n; ++i) {
        largest = values[i] > largest ? values[i] : largest;
    }
    if (largest == -INFINITY) {
        return -1;
    }
    int32_t index = 0;
    while (values[index] != largest) {
        ++index;
    }
    return index;
}

} // namespace z1
