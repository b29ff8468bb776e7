#include "engine/sampling/logits.h"

#include "engine/sampling/argmax.h"

#include <algorithm>
#include <cmath>

namespace z1 {

float largest(std::span<const float> logits) {
    const int32_t index = argmax(logits.data(), static_cast<int32_t>(logits.size()));
    return index < 0 ? -INFINITY : logits[index];
}

double log_sum_exp(std::span<const float> logits) {
    const float top = largest(logits);
    double sum = 0;
    for (const float logit : logits) {
        sum += std::exp(logit - top);
    }
    return top + std::log(sum);
}

float margin_over(std::span<const float> logits, std::span<const llama_token> tokens) {
    float best = -INFINITY;
    for (const llama_token token : tokens) {
        best = std::max(best, logits[token]);
    }
    // Both are less the same log_sum_exp.
    return best == -INFINITY ? INFINITY : largest(logits) - best;
}

} // namespace z1
