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

std::vector<llama_token> likeliest(std::span<const float> logits, size_t n) {
    const auto before = [&](llama_token a, llama_token b) {
        return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
    };
    std::vector<llama_token> best; // in order, at most n
    for (llama_token token = 0; token < static_cast<llama_token>(logits.size()); ++token) {
        if (!std::isfinite(logits[token]) || (best.size() == n && (n == 0 || !before(token, best.back())))) {
            continue;
        }
        best.insert(std::upper_bound(best.begin(), best.end(), token, before), token);
        if (best.size() > n) {
            best.pop_back();
        }
    }
    return best;
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
