#include "engine/request/generation.h"

#include "engine/model/model.h"
#include "engine/thinking/close-tag.h"

#include <algorithm>
#include <iterator>

namespace z1 {

namespace {

// Of a generation that ends with its thinking.
FinishReason finish_reason(Ended how) {
    switch (how) {
        case Ended::request: return FinishReason::abort;
        case Ended::loop:    return FinishReason::loop;
        case Ended::self:
        case Ended::stop:
        case Ended::stated:  return FinishReason::stop;
        case Ended::window:
        case Ended::length:
        case Ended::early:   return FinishReason::length;
    }
    return FinishReason::length;
}

double milliseconds(Generation::Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

} // namespace

Generation::Generation(const Model & model, Request request_, int32_t n_ctx, Clock::time_point arrival)
    : model(model), request(std::move(request_)), n_ctx(n_ctx),
      chain(model.api(), model.vocab(), request.sampling, n_ctx,
            Window::create(model.api(), request.thinking_window, &window)),
      text(request.thinks && !request.stop_in_thinking ? std::vector<std::string>() : request.stop), arrival(arrival),
      phase_began(arrival) {
    for (const std::vector<llama_token> * tokens : { &request.prompt, &request.hint }) {
        for (const llama_token token : *tokens) {
            if (token < 0 || token >= model.metadata().n_vocab) {
                throw Error(ErrorCode::DECODE_FAILED, "The vocabulary has no token " + std::to_string(token));
            }
        }
    }
    for (const std::string & tag : request.banned_tags) {
        tags.add(model.tag_index(tag));
    }
    if (!request.grammar.empty()) {
        grammar.emplace(model.api(), model.vocab(), model.pieces(), request.grammar);
    }
    add_policies();
}

// In order of precedence. All of them come after an end of generation and after a stop string, and before the context is
// full.
void Generation::add_policies() {
    if (!request.close_tag.empty()) {
        policies.add(std::make_unique<CloseTagPolicy>(request.close_tag));
    }
    policies.add(std::make_unique<WindowPolicy>(*window));
    if (request.loops) {
        policies.add(std::make_unique<LoopPolicy>());
        answer_loop.emplace();
    }
    auto caller_policy = std::make_unique<CallerPolicy>();
    caller = caller_policy.get();
    policies.add(std::move(caller_policy));
}

void Generation::start(Sequence & target) {
    sequence = &target;
    n_cached = sequence->sync(request.prompt, request.cache_prompt);
    pending.assign(request.prompt.begin() + n_cached, request.prompt.end());
    if (chain.looks_back()) {
        for (const llama_token token : request.prompt) {
            chain.accept(token);
        }
    }
    phase_began = Clock::now();
}

size_t Generation::n_outputs() const {
    const bool ends_with_prompt = phase == Phase::prompt && request.thinks && policies.ending();
    return ends_with_prompt ? 0 : 1;
}

void Generation::decoded(size_t n) {
    sequence->append(pending.data() + n_fed, n);
    n_fed += n;
    ++timings.decode_calls;
    if (n_fed < pending.size()) {
        return;
    }
    pending.clear();
    n_fed = 0;
    if (phase == Phase::prompt && !request.thinks) {
        answers = true;
        enter(Phase::answer);
    } else if (phase == Phase::prompt) {
        enter(Phase::thinking);
        window->arm();
        ask_policies(); // nothing is drawn when the thinking ends with the prompt
    } else if (phase == Phase::hint) {
        enter(Phase::answer);
    }
}

void Generation::sample(llama_context * ctx, int32_t idx) {
    Grammar * binding = grammar && phase == Phase::answer ? &*grammar : nullptr;
    const llama_token token = chain.sample(ctx, idx, tags, binding);
    if (model.api().llama_vocab_is_eog(model.vocab(), token)) {
        end_by_self(token);
        return;
    }
    accept(token);
    if (binding) {
        binding->accept(token);
    }
    if (text.stopped_by()) {
        finish(phase == Phase::answer ? ended : Ended::stop, FinishReason::stop);
        return;
    }
    if (phase == Phase::thinking) {
        policies.accept(token, model.pieces()[token]);
        ask_policies();
    } else {
        ++n_answer;
        if (answer_loop && answer_loop->push(token) != 0) {
            finish(ended, FinishReason::loop);
        }
    }
    check_length();
}

void Generation::accept(llama_token token) {
    const Pieces & pieces = model.pieces();
    chain.accept(token);
    tags.accept(pieces[token]);
    pending.push_back(token);
    unsent.push_back(token);
    // Think tags show even where they are control tokens: with them left out, delimited thinking could not be told apart.
    const bool is_close_tag = !request.close_tag.empty() && pieces[token] == request.close_tag;
    show(text.push(is_close_tag ? pieces[token] : pieces.text(token)));
}

// Ends the thinking if it is due.
void Generation::ask_policies() {
    if (phase != Phase::thinking) {
        return;
    }
    const std::optional<Ending> ending = policies.ending();
    if (!ending) {
        return;
    }
    if (!ending->hint_follows) {
        cut(ending->how, 0);
        enter(Phase::answer);
    } else if (request.hint.empty()) {
        finish(ending->how, finish_reason(ending->how));
    } else {
        append_hint(ending->how);
    }
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
    pending.insert(pending.end(), request.hint.begin(), request.hint.end());
    cut(how, request.hint.size());
    for (const llama_token token : request.hint) {
        tags.accept(model.pieces()[token]);
        if (chain.looks_back()) {
            chain.accept(token);
        }
    }
    enter(Phase::hint);
}

// Ends what has no room for another token.
void Generation::check_length() {
    const bool full = sequence->size() + 1 >= n_ctx;
    if (phase == Phase::thinking && full) {
        finish(Ended::length, FinishReason::length);
    } else if (phase == Phase::answer && (full || n_answer == request.max_tokens)) {
        finish(ended, FinishReason::length);
    }
}

void Generation::cut(Ended how, size_t n_hint) {
    show_rest();
    text = TextStream(request.stop);
    window->disarm();
    ended = how;
    answers = true;
    // While the model thinks between tags, the closing one is how it ends its thinking.
    if (!request.close_tag.empty()) {
        tags.add(model.tag_index(request.close_tag));
    }
    events.push_back({ id(), CutEvent { how, window->sampled(), n_hint } });
}

void Generation::stop() {
    if (done()) {
        return; // ended by another message of the same delivery
    }
    finish(phase == Phase::hint || phase == Phase::answer ? ended : Ended::stop, FinishReason::abort);
}

void Generation::fail(ErrorCode code, const std::string & message) {
    if (done()) {
        return;
    }
    show_rest();
    events.push_back({ id(), ErrorEvent { code, message } });
    phase = Phase::done;
}

void Generation::abandon(ErrorCode code) noexcept {
    if (!done()) {
        phase = Phase::done;
        abandoned = code;
    }
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
}

void Generation::finish(Ended how, FinishReason reason) {
    const std::optional<size_t> stop = text.stopped_by();
    DoneEvent done { how,      reason, stop ? std::optional(request.stop[*stop]) : std::nullopt, request.prompt.size(),
                     n_cached, {} };
    // Once it is done nothing may throw: its end would never be told.
    events.reserve(events.size() + 2);
    show_rest();
    enter(Phase::done);
    timings.total = milliseconds(phase_began - arrival);
    done.timings = timings;
    events.push_back({ id(), std::move(done) });
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
        events.push_back({ id(), TextEvent { part(), std::move(shown), std::exchange(unsent, {}) } });
    }
}

void Generation::show_rest() {
    std::string shown = text.flush();
    if (!shown.empty() || !unsent.empty()) {
        events.push_back({ id(), TextEvent { part(), std::move(shown), std::exchange(unsent, {}) } });
    }
}

} // namespace z1
