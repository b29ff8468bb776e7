// The branches of a generation: one for each cut that its thinking passes.
#include "engine/model/model.h"
#include "engine/request/generation.h"

#include <algorithm>

namespace z1 {

namespace {

Request at_cut(Request request, const Cut & cut) {
    request.thinking_window = cut.thinking_window;
    request.max_tokens = cut.max_tokens;
    request.cuts.clear();
    if (cut.purpose == Cut::For::policy) {
        request.keeps_stated = false;
        request.ends_stated = false;
        request.loops = false;
        request.stop.clear();
    }
    if (cut.purpose != Cut::For::window) {
        request.confidence = true;
        request.logprobs.reset();
    }
    return request;
}

void append(BranchEvent & branch, const TextEvent & event) {
    const bool answer = event.part != Part::thinking;
    std::vector<llama_token> & tokens = answer ? branch.answer : branch.thinking;
    std::vector<TokenLogprobs> & logprobs = answer ? branch.answer_logprobs : branch.thinking_logprobs;
    (answer ? branch.answer_text : branch.thinking_text) += event.text;
    tokens.insert(tokens.end(), event.tokens.begin(), event.tokens.end());
    logprobs.insert(logprobs.end(), event.logprobs.begin(), event.logprobs.end());
}

} // namespace

// The trunk has just got to the cut: what it does next is not in the copy, which closes its window here.
Generation::Generation(Generation & trunk, const Cut & cut)
    : model(trunk.model), request(at_cut(trunk.request, cut)), n_ctx(trunk.n_ctx), chain(trunk.chain),
      stated(trunk.stated), wait(request.wait), tags(trunk.tags), speculation(trunk.speculation), text(trunk.text),
      sequence(trunk.sequence), phase(Phase::thinking), pending(trunk.pending), n_cached(trunk.n_cached),
      unsent(trunk.unsent), unsent_logprobs(trunk.unsent_logprobs), trunk_(&trunk), thought(trunk.thought),
      arrival(trunk.arrival), phase_began(trunk.phase_began), timings(trunk.timings) {
    window = Window::of(chain.first());
    if (speculation) {
        speculation->drop(); // the trunk's
    }
    purpose = cut.purpose;
    if (purpose != Cut::For::window) {
        stated = {};
        for (const llama_token token : request.hint) {
            stated.push(model.pieces().text(token));
        }
    }
    if (request.loops) {
        answer_loop.emplace();
    }
    make_grammars();
    if (keeps_stated(request) && stated.stands()) {
        finish(Ended::stated, FinishReason::stop);
    } else if (request.hint.empty()) {
        finish(Ended::window, FinishReason::length);
    } else {
        append_hint(Ended::window);
    }
    sequence = nullptr; // the trunk's: its size was all that was needed
}

// Where the text itself closes the thinking, a window that is full at the same token does not.
void Generation::branch_at_cut() {
    if (next_cut == request.cuts.size() || request.cuts[next_cut].thinking_window != window->sampled()) {
        return;
    }
    const std::optional<Ending> ending = policies.ending();
    if (ending && !ending->hint_follows) {
        return;
    }
    add_branch(request.cuts[next_cut]);
    ++next_cut;
}

// The thinking waits for what comes of it, so that it ends where the answer was stated.
void Generation::probe_answer() {
    if (!prober || !prober->due() || policies.ending()) {
        return;
    }
    probes = true;
    add_branch({ window->sampled(), std::min(request.max_tokens, ProbePolicy::max_tokens), Cut::For::policy });
}

// Of a probe: whether it has stated its answer.
bool Generation::answers_probe(llama_token token) {
    const std::string_view piece = model.pieces().text(token);
    stated.push(piece);
    return (ends_sentence(piece) || stated.closes_box(piece)) && stated.stands();
}

void Generation::add_branch(const Cut & cut) {
    unplaced.push_back(std::unique_ptr<Generation>(new Generation(*this, cut)));
    ++n_branches;
    if (unplaced.back()->done()) { // no hint, or no room for one
        branch_ended(*unplaced.back());
        unplaced.pop_back();
    }
}

std::unique_ptr<Generation> Generation::place_branch(Sequence & target) noexcept {
    std::unique_ptr<Generation> branch = std::move(unplaced.front());
    unplaced.erase(unplaced.begin());
    branch->sequence = &target;
    branch->phase_began = Clock::now(); // not the wait for a sequence
    return branch;
}

void Generation::branch_ended(Generation & branch) {
    if (branch.purpose == Cut::For::trace) {
        trace->answers.push_back(branch.traced_answer());
    } else if (branch.purpose == Cut::For::policy) {
        n_probe += branch.n_answer > 0 ? request.hint.size() + branch.n_answer : 0;
        if (branch.n_answer > 0) {
            prober->tell(branch.probability);
        }
        probes = false;
    } else {
        events.push_back({ id(), branch.outcome() });
    }
    --n_branches;
}

void Generation::stop_unplaced() {
    for (; !unplaced.empty(); unplaced.pop_back()) {
        Generation & branch = *unplaced.back();
        branch.stop();
        branch_ended(branch);
    }
}

// Of a branch that is done.
BranchEvent Generation::outcome() {
    BranchEvent result;
    append(result, thought);
    for (const Event & event : events) {
        if (const auto * shown = std::get_if<TextEvent>(&event.what)) {
            append(result, *shown);
        } else if (const auto * cut = std::get_if<CutEvent>(&event.what)) {
            result.n_hint = cut->n_hint;
        }
    }
    result.done = std::get<DoneEvent>(last->what);
    return result;
}

} // namespace z1
