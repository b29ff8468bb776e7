// What one generation is asked to do. Everything is checked and tokenised before it gets here.
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

struct Request {
    uint32_t id = 0;
    std::vector<llama_token> prompt;        // at least one token
    int64_t thinking_window = 0;            // tokens; Window::infinite never closes
    int32_t max_tokens = 1;                 // of the answer after a cut
    std::vector<llama_token> hint;          // at least one token
    std::vector<std::string> stop;          // none empty
    std::vector<std::string> banned_tags;   // none empty
    std::string close_tag;                  // delimited thinking: completing it ends the thinking; else empty
    bool cache_prompt = true;               // reuse the longest common prefix
    SamplingParams sampling;
};

} // namespace z1
