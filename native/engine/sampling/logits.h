// The model's own judgement of the next token: one row of logits, before any sampler or ban has changed it.
#pragma once

#include "llama/api.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace z1 {

/// The greatest logit.
float largest(std::span<const float> logits);

/// ln Σ exp(logit) over the row, so that a token's log-probability at temperature 1 is its logit less this. A pass over the
/// whole vocabulary: computed only where somebody asks for it.
double log_sum_exp(std::span<const float> logits);

/// The n likeliest tokens, likeliest first, of equals that with the smaller id; fewer where there are not so many finite logits.
std::vector<llama_token> likeliest(std::span<const float> logits, size_t n);

/// By how much the log-probability of the likeliest token exceeds that of the likeliest of `tokens`, in nats; 0 where that is
/// one of them, infinite where there are none.
float margin_over(std::span<const float> logits, std::span<const llama_token> tokens);

} // namespace z1
