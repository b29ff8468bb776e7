// What a context reports of its generations. Per generation: any number of text events, any number of nudges, at most one cut
// after them, any number of branches, then exactly one done or error, then nothing. The texts together are the text that was
// generated.
#pragma once

#include "error.h"
#include "llama/api.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace z1 {

/// How the thinking ended.
enum class Ended {
    self,    // the model ended by itself
    window,  // the window closed
    request, // the caller closed it
    stop,    // a stop string, or the caller ended the generation
    length,  // the context was full
    loop,    // the model repeated itself
    early,   // the model would nearly have ended
    stated,  // it was closed where the model had just stated its answer, which stands
};

/// How the generation ended. Without a hint it ends where the thinking is closed, with no cut and no answer: for the window
/// (and early) that is `length`, for the caller's request `abort`, for a loop `loop`, for a stated answer `stop`.
enum class FinishReason {
    stop,   // end of generation, or a stop string
    length, // max_tokens, the window, or the context was full
    abort,  // the caller ended the generation
    loop,   // the model repeated itself
};

/// Of a response: what was generated before its cut and after it. Calls of tools, if there are any, end the answer: from the
/// first one's tag on all of it is `call`.
enum class Part { thinking, answer, call };

/// A token and its log-probability in nats, at temperature 1 and before anything is banned.
struct Candidate {
    llama_token token;
    double logprob;
    std::string text; // its bytes
};

/// What the model made of the place of a sampled token.
struct TokenLogprobs {
    Candidate sampled;
    std::vector<Candidate> top; // likeliest first
};

struct TextEvent {
    Part part;
    std::string text;
    std::vector<llama_token> tokens;
    std::vector<TokenLogprobs> logprobs; // one for each of `tokens`, where they are asked for; else empty
};

struct CutEvent {
    Ended ended; // neither stop, length nor stated: those end the generation
    int64_t n_thinking;
    size_t n_hint;
};

/// The model would have ended its thinking by itself: a text was fed in the place of the end.
struct NudgeEvent {
    int64_t n_thinking; // tokens sampled so far
    size_t n_tokens;
};

/// Milliseconds on the context's thread; `total` counts from the arrival of the request.
struct Timings {
    double prompt = 0;
    double thinking = 0;
    double hint = 0;
    double answer = 0;
    double total = 0;
    uint32_t decode_calls = 0;
    int32_t n_threads = 0; // of the last of them
};

/// What the policies would have seen of the thinking, by its tokens so far, from 0 on.
struct Trace {
    /// What the model answers where the thinking would have ended.
    struct Answer {
        int64_t n_thinking;
        size_t n_hint; // 0: there was no room for it, nor for an answer
        std::string text;
        std::vector<llama_token> tokens;
        std::vector<double> probabilities; // of the tokens, at temperature 1 and before anything is banned
        size_t n_probe;                    // of the tokens, those of a probe
        Ended ended;
        FinishReason finish_reason;
    };

    std::vector<float> end_probability; // of the likeliest end token as the next one; none where nothing was sampled
    std::vector<float> margin;          // nats; as above
    std::vector<uint8_t> marks;         // Tracer::Mark
    std::vector<Answer> answers;        // in no order
};

struct DoneEvent {
    Ended ended;
    FinishReason finish_reason;
    std::optional<std::string> stop_string;
    size_t n_prompt;
    size_t n_cached;
    Timings timings;
    size_t n_probe = 0;               // tokens that were fed and generated for probes
    size_t n_drafted = 0;             // tokens that were decoded before they were sampled
    size_t n_accepted = 0;            // of them, those that were sampled and not decoded again
    std::optional<double> confidence; // least probability of the answer's tokens, if it was asked for and there are any
    std::optional<Trace> trace;       // if it was asked for
};

/// One of the request's cuts that the thinking has passed: all that a request with that smaller window gives. There is none
/// for a cut that was not reached. Once told, the branch has ended.
struct BranchEvent {
    std::string thinking_text;
    std::vector<llama_token> thinking;
    std::vector<TokenLogprobs> thinking_logprobs; // as those of a text
    std::string answer_text;
    std::vector<llama_token> answer;
    std::vector<TokenLogprobs> answer_logprobs;
    size_t n_hint = 0;
    DoneEvent done {};
};

struct ErrorEvent {
    ErrorCode code;
    std::string message;
};

struct Event {
    uint32_t id;
    std::variant<TextEvent, NudgeEvent, CutEvent, BranchEvent, DoneEvent, ErrorEvent> what;

    bool ends_generation() const {
        return std::holds_alternative<DoneEvent>(what) || std::holds_alternative<ErrorEvent>(what);
    }
};

/// Where a context's events go. Called on the context's thread; must not wait.
class EventSink {
public:
    virtual ~EventSink() = default;
    /// Takes all of them and leaves the vector empty, or throws std::bad_alloc and has taken none.
    virtual void post(std::vector<Event> & events) = 0;
};

} // namespace z1
