// Drafts of a generation: how many tokens of one may follow the next token, and how far the sampled ones are the drafted ones.
#include "engine/model/model.h"
#include "engine/request/generation.h"

#include <algorithm>

namespace z1 {

void Generation::sample(llama_context * ctx, int32_t idx) {
    float * logits = model.api().llama_get_logits_ith(ctx, idx);
    if (shared && !shared->decoded && logits && static_cast<size_t>(sequence->size()) == request.prompt.size()) {
        shared->logits.assign(logits, logits + model.metadata().n_vocab);
        shared->decoded = true;
    }
    sample(logits);
    // A row each, from which is sampled as if its token had been decoded alone. The last sampled token is never taken for
    // decoded where anything but its successor is due: whatever follows begins with it, as without a draft.
    for (const llama_token drafted : draft()) {
        if (!goes_on_with(drafted)) {
            break;
        }
        sequence->append(&drafted, 1);
        pending.clear();
        speculation->accepted();
        sample(model.api().llama_get_logits_ith(ctx, ++idx));
    }
}

// Whether the only thing left to do is to decode this token, and to sample the next one.
bool Generation::goes_on_with(llama_token token) const {
    return (phase == Phase::thinking || phase == Phase::answer) && !waits() && pending.size() == 1 &&
           pending[0] == token;
}

// What is beyond the end of the context, of the window or of the answer is not drafted: no more than the next token is
// sampled after all of it.
void Generation::propose(size_t n, size_t n_streams) {
    if (!speculation) {
        return;
    }
    int64_t left = 0; // tokens that may be sampled
    if (phase == Phase::thinking && pending.size() == 1) {
        left = request.thinking_window - window->sampled();
    } else if (phase == Phase::answer && pending.size() == 1) {
        left = request.max_tokens - n_answer;
    }
    left = std::min<int64_t>(left, n_ctx - sequence->size() - 1);
    speculation->propose(std::min(n, static_cast<size_t>(std::max<int64_t>(left - 1, 0))), n_streams);
}

} // namespace z1
