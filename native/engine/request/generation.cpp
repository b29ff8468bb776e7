#include "engine/request/generation.h"

#include "engine/model/model.h"

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
      text(request.stop), arrival(arrival), phase_began(arrival) {
    for (const std::vector<llama_token> * tokens : { &request.prompt, &request.hint }) {
        for (const llama_token token : *tokens) {
            if (token < 0 || token >= model.facts().n_vocab) {
                throw Error(ErrorCode::DECODE_FAILED, "The vocabulary has no token " + std::to_string(token));
            }
        }
    }
    for (const std::string & tag : request.banned_tags) {
        tags.add(model.tag_index(tag));
    }
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

void Generation::begin_step() {
    if (phase == Phase::thinking && end_requested) {
        close_window(Ended::request);
    }
}

size_t Generation::n_outputs() const {
    const bool hint_follows = phase == Phase::prompt && (request.thinking_window == 0 || end_requested);
    return hint_follows ? 0 : 1;
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
    if (phase == Phase::prompt) {
        enter(Phase::thinking);
        window->arm();
        if (request.thinking_window == 0 || end_requested) {
            close_window(window->closed() ? Ended::window : Ended::request);
        }
    } else if (phase == Phase::hint) {
        enter(Phase::answer);
    }
}

void Generation::sample(llama_context * ctx, int32_t idx) {
    const llama_token token = chain.sample(ctx, idx, tags);
    if (model.api().llama_vocab_is_eog(model.vocab(), token)) {
        finish(phase == Phase::answer ? ended : Ended::self, FinishReason::stop);
        return;
    }

    chain.accept(token);
    tags.accept(model.pieces()[token]);
    pending.push_back(token);
    unsent.push_back(token);
    // Think tags show even where they are control tokens: with them left out, delimited thinking could not be told apart.
    const bool is_close_tag = !request.close_tag.empty() && model.pieces()[token] == request.close_tag;
    show(text.push(is_close_tag ? model.pieces()[token] : model.pieces().text(token)));

    const bool full = sequence->size() + 1 >= n_ctx;
    if (text.stopped_by()) {
        finish(phase == Phase::answer ? ended : Ended::stop, FinishReason::stop);
    } else if (phase == Phase::answer) {
        ++n_answer;
        if (n_answer == request.max_tokens || full) {
            finish(ended, FinishReason::length);
        }
    } else if (closes_itself(model.pieces()[token])) {
        cut(Ended::self, 0);
        enter(Phase::answer);
        if (full) {
            finish(ended, FinishReason::length);
        }
    } else if (window->closed()) {
        close_window(Ended::window);
    } else if (full) {
        finish(Ended::length, FinishReason::length);
    }
}

// The last sampled token, if there is one, is still pending: it and the hint go into one llama_decode.
void Generation::close_window(Ended how) {
    if (sequence->size() + pending.size() + request.hint.size() >= static_cast<size_t>(n_ctx)) {
        // Only a window that was closed by the caller gets here; the others were measured before they started.
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

void Generation::cut(Ended how, size_t n_hint) {
    show_rest();
    text = TextStream(request.stop);
    window->disarm();
    ended = how;
    cut_made = true;
    // While the model thinks between tags, the closing one is how it ends its thinking.
    if (!request.close_tag.empty()) {
        tags.add(model.tag_index(request.close_tag));
    }
    events.push_back({ id(), CutEvent { how, window->sampled(), n_hint } });
}

bool Generation::closes_itself(std::string_view piece) {
    if (request.close_tag.empty()) {
        return false;
    }
    close_tail += piece;
    if (close_tail.find(request.close_tag) != std::string::npos) {
        return true;
    }
    close_tail.erase(0, close_tail.size() - std::min(close_tail.size(), request.close_tag.size() - 1));
    return false;
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

void Generation::finish(Ended how, FinishReason reason) {
    const std::optional<size_t> stop = text.stopped_by();
    show_rest();
    enter(Phase::done);
    timings.total = milliseconds(phase_began - arrival);
    events.push_back({ id(), DoneEvent { how, reason, stop ? std::optional(request.stop[*stop]) : std::nullopt,
                                         request.prompt.size(), n_cached, timings } });
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
        events.push_back({ id(), TextEvent { cut_made, std::move(shown), std::exchange(unsent, {}) } });
    }
}

void Generation::show_rest() {
    std::string shown = text.flush();
    if (!shown.empty() || !unsent.empty()) {
        events.push_back({ id(), TextEvent { cut_made, std::move(shown), std::exchange(unsent, {}) } });
    }
}

} // namespace z1
