// The prompt of a request: decoded for it alone, or once for a group.
#include "engine/request/generation.h"

#include "engine/model/model.h"

namespace z1 {

void Generation::start(Sequence & target) {
    bind(target); // before memory is needed: only who is bound to a sequence gives it back
    n_cached = target.sync(request.prompt, request.cache_prompt);
    pending.assign(request.prompt.begin() + n_cached, request.prompt.end());
}

void Generation::join(Sequence & target) {
    n_cached = request.prompt.size();
    bind(target);
    end_prompt();
    if (!done() && pending.empty() && !waits()) {
        std::vector<float> logits = shared->logits; // bans are written into it
        sample(logits.data());
    }
}

void Generation::bind(Sequence & target) {
    sequence = &target;
    sequence->set_group(request.group);
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
