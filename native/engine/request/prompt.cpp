// The prompt of a request: decoded for it alone, or once for a group.
#include "engine/request/generation.h"

#include "engine/model/model.h"

namespace z1 {

void Generation::start(Sequence & target) {
    bind(target); // before memory is needed: only who is bound to a sequence gives it back
    n_cached = target.sync(request.prompt, request.cache_prompt, draws_after_prompt());
    pending.assign(request.prompt.begin() + n_cached, request.prompt.end());
    if (pending.empty()) {
        const std::span<const float> logits = target.logits();
        if (shared && !shared->decoded) {
            shared->logits.assign(logits.begin(), logits.end());
            shared->decoded = !logits.empty();
        }
        go_on(logits);
    }
}

void Generation::join(Sequence & target) {
    n_cached = request.prompt.size();
    bind(target);
    go_on(shared->logits);
}

// All of the prompt is in the sequence, as if it had just been decoded with these logits after it.
void Generation::go_on(std::span<const float> after_prompt) {
    std::vector<float> logits(after_prompt.begin(), after_prompt.end()); // bans are written into it
    const bool draws = draws_after_prompt();
    end_prompt();
    if (draws && !done()) {
        sample(logits.data());
    }
}

void Generation::bind(Sequence & target) {
    sequence = &target;
    sequence->set_request(request.group, request.cache_prompt ? request.prompt.size() : 0);
    if (chain.looks_back()) {
        for (const llama_token token : request.prompt) {
            chain.accept(token);
        }
    }
    phase_began = Clock::now();
}

// All of the prompt is in the sequence.
void Generation::end_prompt() {
    const bool draws = n_outputs() > 0;
    if (request.thinks) {
        enter(Phase::thinking);
        window->arm();
        branch_at_cut();
        trace_answer(tracer.has_value());
        ask_policies(); // nothing is drawn when the thinking ends with the prompt
    } else {
        answers = true;
        enter(Phase::answer);
    }
    if (shared && !draws) {
        shared->decoded = true;
    }
}

} // namespace z1
