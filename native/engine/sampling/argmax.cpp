#include "engine/sampling/argmax.h"

#include "engine/sampling/block-peak.h"

namespace z1 {

namespace {

/// Values after which the largest so far is looked at: only the block that has it is searched for its place.
constexpr int32_t block = 1024;

// llama.cpp's greedy sampler spends half a millisecond a token on a vocabulary of 150,000, most of it on building an array of candidates.
Z1_ALWAYS_INLINE int32_t find(const float * values, int32_t n) {
    float largest = -INFINITY;
    int32_t at = -1;
    for (int32_t begin = 0; begin < n; begin += block) {
        int32_t nan = 0;
        const float peak = block_peak<false>(values + begin, std::min(block, n - begin), nan);
        if (peak > largest) {
            largest = peak;
            at = begin;
        }
    }
    if (at < 0) {
        return -1;
    }
    while (values[at] != largest) {
        ++at;
    }
    return at;
}

#ifdef Z1_AVX2
Z1_AVX2 int32_t find_avx2(const float * values, int32_t n) {
    return find(values, n);
}
#endif

} // namespace

int32_t argmax(const float * values, int32_t n) {
#ifdef Z1_AVX2
    if (has_avx2()) {
        return find_avx2(values, n);
    }
#endif
    return find(values, n);
}

} // namespace z1
