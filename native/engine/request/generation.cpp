#include "engine/request/generation.h"

#include "engine/model/model.h"

#include <algorithm>
#include <iterator>

namespace z1 {

namespace {

double milliseconds(Generation::Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

} // namespace

Generation::Generation(const Model & model, Request request_, int32_t n_ctx, Clock::time_point arrival)
    : model(model), request(std::move(request_)), n_ctx(n_ctx),
      chain(model.api(), model.vocab(), request.sampling, n_ctx,
            Window::create(model.api(), request.thinking_window, &window)),
      wait(request.wait),
      text(request.thinks && !request.stop_in_thinking ? std::vector<std::string>() : request.stop, request.calls.open),
      arrival(arrival), phase_began(arrival) {
    for (const std::vector<llama_token> * tokens : { &request.prompt, &request.hint, &request.wait.tokens }) {
        for (const llama_token token : *tokens) {
            if (token < 0 || token >= model.metadata().n_vocab) {
                throw Error(ErrorCode::DECODE_FAILED, "The vocabulary has no token " + std::to_string(token));
            }
        }
    }
    for (const std::string & tag : request.banned_tags) {
        tags.add(model.tag_index(tag));
    }
    if (request.thinks) {
        for (const std::string & tag : request.banned_in_thinking) {
            tags.add(model.tag_index(tag));
        }
    }
    if (!request.calls.open.empty()) {
        // What is bound begins with a token of its own.
        tags.add(std::make_shared<TagIndex>(model.tag_index(request.calls.open)->beyond(model.pieces())));
    }
    make_grammars();
    add_policies();
    if (request.speculation) {
        speculation.emplace();
        for (const llama_token token : request.prompt) {
            speculation->push(token);
        }
    }
}

size_t Generation::n_outputs() const {
    const bool ends_with_prompt = phase == Phase::prompt && request.thinks && policies.ending();
    return ends_with_prompt ? 0 : 1;
}

void Generation::decoded(size_t n, int32_t n_threads) {
    sequence->append(pending.data() + n_fed, n);
    n_fed += n;
    ++timings.decode_calls;
    timings.n_threads = n_threads;
    if (n_fed < pending.size()) {
        return;
    }
    if (speculation) {
        speculation->decoded();
    }
    pending.clear();
    n_fed = 0;
    if (phase == Phase::prompt) {
        end_prompt();
    } else if (phase == Phase::hint) {
        enter(Phase::answer);
    }
}

void Generation::sample(float * logits) {
    Grammar * bound = binding();
    const llama_token token = draw(logits, bound);
    if (phase == Phase::thinking && ends_by_itself(token) && nudge()) {
        return;
    }
    if (model.api().llama_vocab_is_eog(model.vocab(), token)) {
        end_by_self(token);
        return;
    }
    trace_answer(tracer && phase == Phase::thinking && tracer->near(trace->margin.back()));
    if (looks_at_margin() && !ends_by_itself(token)) {
        ask_policies();
        if (phase != Phase::thinking) {
            return; // the token is not wanted any more
        }
    }
    accept(token);
    if (bound) {
        bound->accept(token);
    }
    if (text.stopped_by()) {
        finish(phase == Phase::answer ? ended : Ended::stop, FinishReason::stop);
        return;
    }
    if (phase == Phase::thinking) {
        if (reads_stated) {
            stated.push(model.pieces().text(token));
        }
        policies.accept(token, model.pieces()[token]);
        branch_at_cut();
        probe_answer();
        trace_token(token);
        ask_policies();
    } else {
        ++n_answer;
        if (purpose == Cut::For::policy && answers_probe(token)) {
            finish(ended, FinishReason::stop);
        }
        if (purpose == Cut::For::trace) {
            note_probe_end(token);
        }
        if (answer_loop && answer_loop->push(token) != 0) {
            finish(ended, FinishReason::loop);
        }
    }
    check_length();
}

// Appends tokens that were not sampled.
void Generation::feed(const std::vector<llama_token> & tokens) {
    pending.insert(pending.end(), tokens.begin(), tokens.end());
    for (const llama_token token : tokens) {
        tags.accept(model.pieces()[token]);
        if (speculation) {
            speculation->push(token);
        }
        if (chain.looks_back()) {
            chain.accept(token);
        }
    }
}

void Generation::accept(llama_token token) {
    const Pieces & pieces = model.pieces();
    chain.accept(token);
    tags.accept(pieces[token]);
    pending.push_back(token);
    if (speculation) {
        speculation->push(token);
    }
    unsent.push_back(token);
    if (drawn) {
        unsent_logprobs.push_back(std::move(*drawn));
        drawn.reset();
    }
    show_token(token);
}

// Thinking that ends without an answer has none in the grammar's form: the hint takes the place of the token that ended it.
void Generation::end_by_self(llama_token end) {
    if (grammar && phase == Phase::thinking && !request.hint.empty()) {
        chain.ban_once(end);
        append_hint(Ended::self);
    } else {
        finish(phase == Phase::answer ? ended : Ended::self, FinishReason::stop);
    }
}

// The last sampled token, if there is one, is still pending: it and the hint go into one llama_decode.
void Generation::append_hint(Ended how) {
    if (sequence->size() + pending.size() + request.hint.size() >= static_cast<size_t>(n_ctx)) {
        // Only a window that closes earlier than the request says gets here: the whole one was measured before it started.
        finish(Ended::length, FinishReason::length);
        return;
    }
    cut(how, request.hint.size());
    feed(request.hint);
    enter(Phase::hint);
}

// Ends what has no room for another token.
void Generation::check_length() {
    const bool full = sequence->size() + 1 >= n_ctx;
    if (phase == Phase::thinking && full) {
        finish(Ended::length, FinishReason::length);
    } else if (phase == Phase::answer && (full || n_answer >= request.max_tokens)) {
        finish(ended, FinishReason::length);
    }
}

void Generation::cut(Ended how, size_t n_hint) {
    show_rest();
    text = TextStream(request.stop, request.calls.open);
    end_thinking(how, window->sampled(), n_hint);
}

void Generation::end_thinking(Ended how, int64_t n_thinking, size_t n_hint) {
    window->disarm();
    ended = how;
    answers = true;
    // While the model thinks between tags, the closing one is how it ends its thinking.
    if (!request.close_tag.empty()) {
        tags.add(model.tag_index(request.close_tag));
    }
    for (const std::string & tag : request.banned_in_thinking) {
        tags.lift(tag);
    }
    events.push_back({ id(), CutEvent { how, n_thinking, n_hint } });
}

void Generation::stop() {
    if (!done()) { // else ended by another message of the same delivery
        finish(phase == Phase::hint || phase == Phase::answer ? ended : Ended::stop, FinishReason::abort);
    }
    stop_unplaced();
}

void Generation::fail(ErrorCode code, const std::string & message) {
    if (over()) {
        return;
    }
    if (!done()) {
        show_rest();
    }
    events.push_back({ id(), ErrorEvent { code, message } });
    fall();
}

void Generation::abandon(ErrorCode code) noexcept {
    if (!over()) {
        fall();
        abandoned = code;
    }
}

// An error ends it, and its branches.
void Generation::fall() noexcept {
    phase = Phase::done;
    failed_ = true;
    last.reset();
    unplaced.clear();
    n_branches = 0;
}

void Generation::take_events(std::vector<Event> & taken) noexcept {
    std::move(events.begin(), events.end(), std::back_inserter(taken));
    events.clear();
    if (abandoned) {
        // So short that a string holds it without memory of its own.
        const char * message = *abandoned == ErrorCode::OUT_OF_MEMORY ? "Out of memory" : "Disposed";
        taken.push_back({ id(), {} });
        taken.back().what = ErrorEvent { *abandoned, message };
        abandoned.reset();
    }
    if (last && over()) {
        std::get<DoneEvent>(last->what).trace = std::move(trace);
        taken.push_back(std::move(*last));
        last.reset();
    }
}

void Generation::finish(Ended how, FinishReason reason) {
    const std::optional<size_t> stop = text.stopped_by();
    DoneEvent done { how,
                     reason,
                     stop ? std::optional(request.stop[*stop]) : std::nullopt,
                     request.prompt.size(),
                     n_cached,
                     {},
                     n_probe,
                     speculation ? speculation->n_drafted() : 0,
                     speculation ? speculation->n_accepted() : 0,
                     n_answer > 0 && request.confidence ? std::optional(probability) : std::nullopt,
                     {} };
    show_rest();
    // Once it is done nothing may throw: its end would never be told.
    enter(Phase::done);
    timings.total = milliseconds(phase_began - arrival);
    done.timings = timings;
    last.emplace(Event { id(), std::move(done) });
}

// Books the time since the last change on the phase that ends.
void Generation::enter(Phase next) {
    const Clock::time_point now = Clock::now();
    const double spent = milliseconds(now - phase_began);
    switch (phase) {
        case Phase::prompt:   timings.prompt += started() ? spent : 0; break; // not the wait for a sequence
        case Phase::thinking: timings.thinking += spent; break;
        case Phase::hint:     timings.hint += spent; break;
        case Phase::answer:   timings.answer += spent; break;
        case Phase::done:     break;
    }
    phase = next;
    phase_began = now;
}

void Generation::show(std::string shown) {
    if (!shown.empty()) {
        tell(std::move(shown));
    }
}

void Generation::show_rest() {
    std::string shown = text.flush();
    if (!shown.empty() || !unsent.empty()) {
        tell(std::move(shown));
    }
}

void Generation::tell(std::string shown) {
    if (next_cut < request.cuts.size() && phase == Phase::thinking) {
        thought.text += shown;
        thought.tokens.insert(thought.tokens.end(), unsent.begin(), unsent.end());
        thought.logprobs.insert(thought.logprobs.end(), unsent_logprobs.begin(), unsent_logprobs.end());
    }
    events.push_back({ id(), TextEvent { part(), std::move(shown), std::exchange(unsent, {}),
                                         std::exchange(unsent_logprobs, {}) } });
}

} // namespace z1
