#include "engine/sampling/survivors.h"

#include "engine/sampling/block-peak.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace z1 {

namespace {

constexpr int32_t block = 256;

Z1_ALWAYS_INLINE bool find_all(const float * logits, int32_t n, float * peaks) {
    int32_t nan = 0;
    for (int32_t begin = 0; begin < n; begin += block) {
        *peaks++ = block_peak<true>(logits + begin, std::min(block, n - begin), nan);
    }
    return nan == 0;
}

#ifdef Z1_AVX2
Z1_AVX2 bool find_all_avx2(const float * logits, int32_t n, float * peaks) {
    return find_all(logits, n, peaks);
}
#endif

/// The peak of each block. False: a NaN is among the logits.
bool peaks_of(const float * logits, int32_t n, float * peaks) {
#ifdef Z1_AVX2
    if (has_avx2()) {
        return find_all_avx2(logits, n, peaks);
    }
#endif
    return find_all(logits, n, peaks);
}

} // namespace

bool Survivors::find(const float * logits_, int32_t n_, const Truncation & truncation) {
    logits = logits_;
    n = n_;
    if (!find_peaks()) {
        return false;
    }
    switch (truncation.kind) {
        case Truncation::Kind::top_k: keep_top(static_cast<size_t>(truncation.k)); break;
        case Truncation::Kind::top_p: keep_nucleus(truncation.p); break;
        case Truncation::Kind::min_p: keep_from(largest + std::log(truncation.p)); break;
        case Truncation::Kind::none:  keep_from(-INFINITY); break;
    }
    return true;
}

// False: a NaN, or no finite maximum.
bool Survivors::find_peaks() {
    peaks.resize((n + block - 1) / block);
    const bool are_numbers = peaks_of(logits, n, peaks.data());
    largest = *std::max_element(peaks.begin(), peaks.end());
    return are_numbers && std::isfinite(largest);
}

/// Calls visit(token) for every logit ≥ floor, in the order of the vocabulary; visit returns the floor from there on.
template <class Visit>
void Survivors::each_from(float floor, Visit visit) const {
    for (size_t i = 0; i < peaks.size(); ++i) {
        if (peaks[i] < floor) {
            continue;
        }
        const int32_t begin = static_cast<int32_t>(i) * block;
        const int32_t end = std::min(begin + block, n);
        for (llama_token token = begin; token < end; ++token) {
            if (logits[token] >= floor) {
                floor = visit(token);
            }
        }
    }
}

void Survivors::keep_top(size_t k) {
    // k blocks have a logit that is not under the k-th largest peak: the k-th largest logit is not under it either.
    float floor = -INFINITY;
    if (k < peaks.size()) {
        highest = peaks;
        const auto at = highest.begin() + static_cast<ptrdiff_t>(k - 1);
        std::nth_element(highest.begin(), at, highest.end(), std::greater<>());
        floor = *at;
    }
    keep_from(floor);
    sort();
    tokens.resize(std::min(k, tokens.size()));
}

// With the very arithmetic of llama_sampler_softmax_impl and llama_sampler_top_p_apply: their sum of floats, in the order
// of the vocabulary, can be a thousandth off the real one, and decides which token is the last.
void Survivors::keep_nucleus(float p) {
    constexpr float reach = 17.6f;
    constexpr size_t bins_per_unit = 8;
    std::array<double, static_cast<size_t>(reach * bins_per_unit) + 2> mass {}; // by the distance to the largest logit
    float sum = 0.0f;
    each_from(-INFINITY, [&](llama_token token) {
        const float distance = largest - logits[token];
        const float weight = std::exp(-distance);
        sum += weight;
        if (distance <= reach) {
            mass[static_cast<size_t>(distance * bins_per_unit)] += weight;
        }
        // A summand under 2^-25 of the sum leaves it as it is, and need not be computed: e^-17.33, and room for rounding.
        return largest + std::log(sum) - reach;
    });
    // As few as can hold the nucleus are sorted.
    double cumulated = 0.0;
    size_t bin = 0;
    while (bin < mass.size() && cumulated < p * 1.01 * sum) {
        cumulated += mass[bin++];
    }
    float floor = bin == mass.size() ? -INFINITY : largest - static_cast<float>(bin + 1) / bins_per_unit;
    for (;; floor = -INFINITY) {
        keep_from(floor);
        sort();
        float reached = 0.0f;
        for (size_t i = 0; i < tokens.size(); ++i) {
            tokens[i].p = std::exp(tokens[i].logit - largest) / sum;
            reached += tokens[i].p;
            if (reached >= p) {
                tokens.resize(i + 1);
                return;
            }
        }
        if (floor == -INFINITY) {
            return;
        }
    }
}

void Survivors::keep_from(float floor) {
    tokens.clear();
    sorted = false;
    each_from(floor, [&](llama_token token) {
        tokens.push_back({ token, logits[token], 0.0f });
        return floor;
    });
}

// Of tokens with equal logits the one with the smaller id comes first; llama.cpp leaves their order open.
void Survivors::sort() {
    std::sort(tokens.begin(), tokens.end(), [](const llama_token_data & a, const llama_token_data & b) {
        return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
    });
    sorted = true;
}

} // namespace z1
