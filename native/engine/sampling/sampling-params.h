// How the next token is chosen, as a request says it.
#pragma once

#include "llama/api.h"

#include <cstdint>
#include <string>
#include <vector>

namespace z1 {

/// llama.cpp's samplers. A value that leaves a sampler without effect keeps it out of the chain.
struct SamplingParams {
    float temperature = 0.0f; // 0 = greedy
    int32_t top_k = 0;        // 0 = off
    float top_p = 1.0f;
    float min_p = 0.0f;
    float typical_p = 1.0f;
    float repeat_penalty = 1.0f;
    float frequency_penalty = 0.0f;
    float presence_penalty = 0.0f;
    int32_t penalty_last_n = 0;
    float dry_multiplier = 0.0f;
    float dry_base = 1.75f;
    int32_t dry_allowed_length = 2;
    int32_t dry_penalty_last_n = 0;
    std::vector<std::string> dry_sequence_breakers;
    float xtc_probability = 0.0f;
    float xtc_threshold = 0.1f;
    std::vector<llama_logit_bias> logit_bias;
    uint32_t seed = 0;
};

} // namespace z1
