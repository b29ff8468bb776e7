// What the policies would see of a generation whose thinking goes on: for each of its tokens what their own rules say of it.
// So that what they would have done can be told afterwards, without the model.
#pragma once

#include "engine/thinking/loop.h"
#include "engine/thinking/margin.h"
#include "engine/thinking/probe.h"
#include "engine/thinking/sentence.h"
#include "engine/thinking/stated.h"
#include "engine/thinking/statement.h"

#include <cstdint>

namespace z1 {

/// What a request asks of it: where the answer is recorded that would be given there.
struct TraceParams {
    int64_t every = 1;  // tokens; wherever a policy may end the thinking by the text alone, too
    float margin = 0;   // nats: where an end is so nearly the likeliest token at the end of a sentence
    bool lines = false; // at each end of a line
};

class Tracer {
public:
    /// Of a token; bits.
    enum Mark : uint8_t {
        sentence = 1, // a margin is looked at
        stated = 2,   // an answer stands
        probe = 4,    // an answer was stated, or the model says `Wait`: it is tried out
        line = 8,     // a line ends
        loop = 16,    // a loop goes on
        settled = 32, // the sentence or line of a stated answer ended
    };

    /// `stated_` is told of each token first, and outlives the tracer.
    Tracer(const TraceParams & params, const StatedAnswer & stated_)
        : params(params), answer(stated_), margin(params.margin, stated_), prober(0, stated_), statement(stated_) {}

    /// The marks of a token of the thinking.
    uint8_t accept(llama_token token, std::string_view piece) {
        margin.accept(token, piece);
        prober.accept(token, piece);
        statement.accept(token, piece);
        const bool looping = detector.push(token) != 0;
        const bool begins_loop = looping && !looped;
        looped = looped || looping;
        const bool ends = ends_line(piece);
        ++n_tokens;
        due_ = n_tokens % params.every == 0 || prober.due() || begins_loop || (ends && params.lines);
        return static_cast<uint8_t>((margin.due() ? sentence : 0) | (answer.stands() ? stated : 0) |
                                    (prober.due() ? probe : 0) | (ends ? line : 0) | (looping ? loop : 0) |
                                    (statement.ending() ? settled : 0));
    }

    /// Whether the answer after the tokens so far is recorded, before the next token is seen.
    bool due() const { return due_; }

    /// Whether it is, for the margin of the next token.
    bool near(float next) {
        if (due_ || !margin.due()) {
            return false;
        }
        margin.look(next);
        return margin.ending().has_value();
    }

private:
    TraceParams params;
    const StatedAnswer & answer;
    MarginPolicy margin;
    ProbePolicy prober;
    StatementPolicy statement;
    LoopDetector detector;
    int64_t n_tokens = 0;
    bool looped = false;
    bool due_ = true; // before the first token
};

} // namespace z1
