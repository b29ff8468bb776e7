// The tokens that the first truncating sampler of a chain leaves, found without an array of the whole vocabulary: at
// 150,000 tokens building, sorting and normalizing one is what llama.cpp's chain spends its time on.
#pragma once

#include "llama/api.h"

#include <cstdint>
#include <vector>

namespace z1 {

/// What llama.cpp's sampler of that name keeps.
struct Truncation {
    enum class Kind { none, top_k, top_p, min_p };
    Kind kind = Kind::none;
    int32_t k = 0;  // of top_k, ≥ 1
    float p = 0.0f; // of top_p and min_p
};

class Survivors {
public:
    /// Looks at a row of n logits. False when no token can be chosen by it: a NaN, or no finite maximum.
    bool find(const float * logits, int32_t n, const Truncation & truncation);

    /// What was found, as the samplers after the truncation take it; `none`: all tokens. Changed by them.
    llama_token_data_array array() { return { tokens.data(), tokens.size(), -1, sorted }; }

private:
    bool find_peaks();
    template <class Visit>
    void each_from(float floor, Visit visit) const;

    void keep_top(size_t k);
    void keep_nucleus(float p);
    void keep_from(float floor);
    void sort();

    const float * logits = nullptr;
    int32_t n = 0;
    float largest = 0.0f;
    std::vector<float> peaks; // the largest logit of each block: most blocks hold nothing that is kept
    std::vector<float> highest;
    std::vector<llama_token_data> tokens;
    bool sorted = false; // by falling logits
};

} // namespace z1
