// One request from its prompt to its end: a state machine that says which tokens to decode next and takes the tokens that
// are sampled. Knows no batch and no other generation. Context thread only.
//
//   prompt ──► thinking ──► hint ──► answer ──► done
//      └── window 0 ──────────┘
#pragma once

#include "engine/events.h"
#include "engine/pieces.h"
#include "engine/request.h"
#include "engine/sampler-chain.h"
#include "engine/sequence.h"
#include "engine/tag-ban.h"
#include "engine/text.h"

#include <chrono>
#include <memory>
#include <span>
#include <utility>

namespace z1 {

class Model;

class Generation {
public:
    using Clock = std::chrono::steady_clock;

    /// `n_ctx`: tokens this request may hold, prompt included.
    Generation(const Model & model, Request request, int32_t n_ctx, Clock::time_point arrival);

    uint32_t id() const { return request.id; }

    /// Binds to a sequence and reuses what it holds of the prompt.
    void start(Sequence & sequence);

    bool started() const { return sequence != nullptr; }
    bool reads_prompt() const { return phase == Phase::prompt; }
    bool done() const { return phase == Phase::done; }

    Sequence & target() { return *sequence; }
    const std::vector<llama_token> & prompt() const { return request.prompt; }
    bool caches_prompt() const { return request.cache_prompt; }

    /// The tokens to decode next, at most `budget` of a prompt; the hint and the token before it are never parted, so it
    /// may be more or, when they do not fit, none.
    std::span<const llama_token> next(size_t budget);

    /// Whether the last of the next n tokens needs logits.
    bool samples_after(size_t n) const;

    /// The next n tokens were decoded in one llama_decode.
    void decoded(size_t n);

    /// Samples from the output at batch index `idx`.
    void sample(llama_context * ctx, int32_t idx);

    /// Closes the window at the next step, if it is still open then.
    void end_thinking() { end_requested = true; }

    /// Ends now with what there is.
    void stop();

    /// Ends now with an error.
    void fail(ErrorCode code, const std::string & message);

    /// The events since the last call.
    std::vector<Event> take_events() { return std::exchange(events, {}); }

private:
    enum class Phase { prompt, thinking, hint, answer, done };

    void close_window(Ended how);
    void cut(Ended how, size_t n_hint);
    void enter(Phase next);
    void finish(Ended how, FinishReason reason);
    void show(std::string shown);
    void show_rest();
    bool closes_itself(std::string_view piece);

    const Model & model;
    Request request;
    int32_t n_ctx;
    SamplerChain chain;
    TagBan tags;
    TextStream text;
    Sequence * sequence = nullptr;

    Phase phase = Phase::prompt;
    std::vector<llama_token> pending; // to be decoded, from n_fed on
    size_t n_fed = 0;
    size_t n_cached = 0;
    int32_t n_answer = 0;
    bool end_requested = false;
    bool cut_made = false;
    Ended ended = Ended::self; // valid once the thinking has ended
    std::string close_tail;    // the last bytes of the thinking, to find the closing tag in

    std::vector<llama_token> untold; // sampled; they are told with the text they complete
    std::vector<Event> events;

    Clock::time_point arrival;
    Clock::time_point phase_began;
    Timings timings;
};

} // namespace z1
