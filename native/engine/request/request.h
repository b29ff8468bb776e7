// What one generation is asked to do. Everything is checked and tokenized before it gets here.
#pragma once

#include "engine/sampling/sampling-params.h"
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
    bool probe = false;          // it is asked for by a policy, and told to nobody
};

/// Of which sampled tokens the log-probabilities are reported.
struct LogprobParams {
    size_t n_top = 0;      // likeliest tokens beside each
    bool thinking = false; // of the thinking, too
};

struct Request {
    uint32_t id = 0;
    std::vector<llama_token> prompt;       // at least one token
    bool thinks = true;                    // false: all of the response is the answer
    int64_t thinking_window = 0;           // tokens; Window::infinite never closes
    int32_t max_tokens = 1;                // of the answer after a cut
    std::vector<Cut> cuts;                 // ascending, all smaller than the window
    std::vector<llama_token> hint;         // empty: the generation ends where the hint would follow
    std::vector<std::string> stop;         // none empty; they end the answer
    bool stop_in_thinking = false;         // and the thinking
    std::vector<std::string> banned_tags;  // none empty
    std::string grammar;                   // of the answer, GBNF; empty: none
    std::string close_tag;                 // delimited thinking: completing it ends the thinking; else empty
    bool loops = false;                    // a loop ends the thinking, and in the answer the generation
    bool lands_on_line = false;            // the window closes at a line's end in its last tenth
    std::optional<float> early_margin;     // nats: an end that is so nearly the likeliest token ends the thinking
    std::optional<double> early_probe;     // probability: a probe of a stated answer that is so sure ends the thinking
    bool keeps_stated = false;             // where the thinking is closed right after a stated answer, no hint follows
    bool confidence = false;               // report the least probability of the answer's tokens
    std::optional<LogprobParams> logprobs; // report them
    WaitParams wait;                       // in place of an end of the thinking
    bool cache_prompt = true;              // reuse the longest common prefix
    SamplingParams sampling;
};

} // namespace z1
