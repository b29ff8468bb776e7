// Budget forcing (s1, arXiv 2501.19393): where the model would end its thinking by itself, a text such as `Wait` takes the
// place of the end, and it thinks on.
#pragma once

#include "llama/api.h"

#include <cstdint>
#include <vector>

namespace z1 {

/// What a request asks of it. No tokens: nothing.
struct WaitParams {
    std::vector<llama_token> tokens; // of the text, as they continue the thinking
    int32_t times = 0;               // at most
    int64_t until = 0;               // sampled tokens of thinking from which on the model may end
};

class Wait {
public:
    explicit Wait(const WaitParams & params) : params(params) {}

    /// Whether an end after `n_sampled` tokens of thinking is to be replaced. `room`: tokens that the context still takes.
    bool replaces(int64_t n_sampled, size_t room) const {
        return n_used < params.times && n_sampled < params.until && params.tokens.size() <= room;
    }

    /// The tokens to feed; one time less is left.
    const std::vector<llama_token> & use() {
        ++n_used;
        return params.tokens;
    }

private:
    const WaitParams & params;
    int32_t n_used = 0;
};

} // namespace z1
