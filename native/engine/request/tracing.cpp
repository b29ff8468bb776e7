// The trace of a generation: what its policies would see, and on branches what the model would answer where one of them
// ended the thinking.
#include "engine/model/model.h"
#include "engine/request/generation.h"
#include "engine/sampling/logits.h"

#include <algorithm>
#include <cmath>

namespace z1 {

void Generation::begin_trace() {
    tracer.emplace(*request.trace, stated);
    trace.emplace();
    trace->marks.push_back(0); // of the prompt
}

void Generation::trace_token(llama_token token) {
    if (tracer) {
        trace->marks.push_back(tracer->accept(token, model.pieces()[token]));
        trace_answer(tracer->due());
    }
}

// Of the token that is drawn next, before it is.
void Generation::trace_next(std::span<const float> logits) {
    const float margin = margin_over(logits, end_tokens);
    trace->margin.push_back(margin);
    trace->end_probability.push_back(static_cast<float>(std::exp(largest(logits) - margin - log_sum_exp(logits))));
}

// Where the thinking ends here anyway, the generation itself has the answer.
void Generation::trace_answer(bool due) {
    if (due && !policies.ending()) {
        add_branch({ window->sampled(), request.max_tokens, Cut::For::trace });
    }
}

// Of a branch: where a probe would have ended.
void Generation::note_probe_end(llama_token token) {
    if (n_probe == 0 && (answers_probe(token) || n_answer == ProbePolicy::max_tokens)) {
        n_probe = static_cast<size_t>(n_answer);
    }
}

// Of a branch that is done.
Trace::Answer Generation::traced_answer() {
    const BranchEvent all = outcome();
    const size_t n_hint = all.n_hint;
    return { window->sampled(), n_hint,
             all.answer_text,   all.answer,
             probabilities,     n_probe > 0 ? n_probe : all.answer.size(),
             all.done.ended,    all.done.finish_reason };
}

} // namespace z1
