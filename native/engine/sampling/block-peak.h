// The largest value of a block of logits, as a loop that compilers turn into vector instructions; and the means to compile what calls it
// twice, so that processors with AVX2 read a row in half the time. The addon itself is built for any x86-64.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#if defined(__GNUC__)
#    define Z1_ALWAYS_INLINE inline __attribute__((always_inline))
#else
#    define Z1_ALWAYS_INLINE inline
#endif

#if defined(__GNUC__) && defined(__x86_64__)
#    define Z1_AVX2 __attribute__((target("avx2")))
#endif

namespace z1 {

#ifdef Z1_AVX2
inline bool has_avx2() {
    static const bool has = __builtin_cpu_supports("avx2") != 0;
    return has;
}
#endif

/// -INFINITY where no value is a number above it. Sets `nan` where one is none, if asked to look.
template <bool looks_for_nan>
Z1_ALWAYS_INLINE float block_peak(const float * values, int32_t n, int32_t & nan) {
    constexpr int32_t lanes = 32;
    float best[lanes];
    int32_t is_nan[lanes] = {};
    std::fill(best, best + lanes, -INFINITY);
    int32_t i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (int32_t lane = 0; lane < lanes; ++lane) {
            best[lane] = values[i + lane] > best[lane] ? values[i + lane] : best[lane];
            if (looks_for_nan) {
                is_nan[lane] |= values[i + lane] != values[i + lane];
            }
        }
    }
    for (; i < n; ++i) {
        best[0] = values[i] > best[0] ? values[i] : best[0];
        is_nan[0] |= looks_for_nan && values[i] != values[i];
    }
    for (int32_t width = lanes / 2; width > 0; width /= 2) {
        for (int32_t lane = 0; lane < width; ++lane) {
            best[lane] = best[lane + width] > best[lane] ? best[lane + width] : best[lane];
            is_nan[lane] |= is_nan[lane + width];
        }
    }
    nan |= is_nan[0];
    return best[0];
}

} // namespace z1
