// What one generation is asked to do. Everything is checked and tokenized before it gets here.
#pragma once

#include "engine/sampling/sampling-params.h"

#include <cstdint>
#include <string>
#include <vector>

namespace z1 {

struct Request {
    uint32_t id = 0;
    std::vector<llama_token> prompt;      // at least one token
    bool thinks = true;                   // false: all of the response is the answer
    int64_t thinking_window = 0;          // tokens; Window::infinite never closes
    int32_t max_tokens = 1;               // of the answer after a cut
    std::vector<llama_token> hint;        // empty: the generation ends where the hint would follow
    std::vector<std::string> stop;        // none empty; they end the answer
    bool stop_in_thinking = false;        // and the thinking
    std::vector<std::string> banned_tags; // none empty
    std::string grammar;                  // of the answer, GBNF; empty: none
    std::string close_tag;                // delimited thinking: completing it ends the thinking; else empty
    bool loops = false;                   // a loop ends the thinking, and in the answer the generation
    bool cache_prompt = true;             // reuse the longest common prefix
    SamplingParams sampling;
};

} // namespace z1
