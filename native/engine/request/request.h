// What one generation is asked to do. Everything is checked and tokenized before it gets here.
#pragma once

#include "engine/sampling/sampling-params.h"
#include "engine/thinking/tracer.h"
#include "engine/thinking/wait.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace z1 {

/// A smaller window for which a branch of the generation answers, while the generation goes on.
struct Cut {
    int64_t thinking_window = 0; // tokens
    int32_t max_tokens = 1;      // of the answer
    enum class For {
        window, // what a request with it gives
        policy, // a probe, told to nobody
        trace,  // an answer of the trace
    } purpose = For::window;
};

/// How the model calls tools: between tags. A call that is opened while the model thinks ends its thinking.
struct Calls {
    std::string open; // empty: it may call none
    std::string close;
    std::string grammar; // of what follows the open tag, to the end of the answer; GBNF
};

/// Of which sampled tokens the log-probabilities are reported.
struct LogprobParams {
    size_t n_top = 0;      // likeliest tokens beside each
    bool thinking = false; // of the thinking, too
};

struct Request {
    uint32_t id = 0;
    std::vector<llama_token> prompt;             // at least one token
    bool thinks = true;                          // false: all of the response is the answer
    int64_t thinking_window = 0;                 // tokens; Window::infinite never closes
    int32_t max_tokens = 1;                      // of the answer after a cut
    std::vector<Cut> cuts;                       // ascending, all smaller than the window
    std::vector<llama_token> hint;               // empty: the generation ends where the hint would follow
    std::vector<std::string> stop;               // none empty; they end the answer
    bool stop_in_thinking = false;               // and the thinking
    std::vector<std::string> banned_tags;        // none empty
    std::vector<std::string> banned_in_thinking; // tags, none empty
    std::string grammar;                         // of the answer, GBNF; empty: none
    Calls calls;                                 // where the answer has a grammar, only at its start
    std::string close_tag;                       // delimited thinking: completing it ends the thinking; else empty
    bool loops = false;                          // a loop ends the thinking, and in the answer the generation
    bool lands_on_line = false;                  // the window closes at a line's end in its last tenth
    std::optional<float> early_margin;           // nats: an end that is so nearly the likeliest token ends the thinking
    std::optional<double> early_probe;     // probability: a probe of a stated answer that is so sure ends the thinking
    bool keeps_stated = false;             // where the thinking is closed right after a stated answer, no hint follows
    bool ends_stated = false;              // the first stated answer ends the thinking, and no hint follows
    bool confidence = false;               // report the least probability of the answer's tokens
    std::optional<LogprobParams> logprobs; // report them
    WaitParams wait;                       // in place of an end of the thinking
    std::optional<TraceParams> trace;      // beside no policy, grammar, stop string or cut
    bool cache_prompt = true;              // reuse the longest common prefix
    bool speculation = false;              // draft tokens, for models whose sequences can be shortened
    uint32_t group = 0;                    // requests of a group have one prompt, decoded once; 0: of none
    SamplingParams sampling;
};

/// Whether a stated answer stands where the thinking is closed.
inline bool keeps_stated(const Request & request) {
    return request.keeps_stated || request.ends_stated;
}

} // namespace z1
