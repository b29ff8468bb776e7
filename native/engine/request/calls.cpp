// Calls of tools in a response: where the first one begins, and what binds the tokens from there on.
#include "engine/model/model.h"
#include "engine/request/generation.h"

#include <utility>

namespace z1 {

void Generation::make_grammars() {
    const auto make = [&](std::optional<Grammar> & made, const std::string & source) {
        if (!source.empty()) {
            made.emplace(model.api(), model.vocab(), model.pieces(), source,
                         std::vector { request.calls.open, request.calls.close });
        }
    };
    make(grammar, request.grammar);
    make(call_grammar, request.calls.grammar);
}

void Generation::show_token(llama_token token) {
    // Tags show even where they are control tokens: with them left out, what stands between them could not be told apart.
    const Pieces & pieces = model.pieces();
    const auto is_tag = [&](const std::string & tag) { return !tag.empty() && pieces[token] == tag; };
    const bool shows = is_tag(request.close_tag) || is_tag(request.calls.open) || is_tag(request.calls.close);
    std::string shown = text.push(shows ? pieces[token] : pieces.text(token));
    if (answers && grammar && !shown.empty()) {
        text.forget_mark(); // what it spells from here on is text that the grammar allows
    }
    if (text.reached_mark() && !calls) {
        open_call(std::move(shown));
    } else {
        show(std::move(shown));
    }
}

// The tag is complete. Its tokens belong to the call, and so does whatever else is in the first of them.
void Generation::open_call(std::string before) {
    std::vector<llama_token> tag = std::exchange(unsent, {});
    show(std::move(before));
    call_binds = phase == Phase::thinking || !grammar;
    if (phase == Phase::thinking) {
        n_answer = static_cast<int32_t>(tag.size()) - 1; // the last one is counted by who sampled it
        end_thinking(Ended::self, window->sampled() - static_cast<int64_t>(tag.size()), 0);
        enter(Phase::answer);
    }
    calls = true;
    unsent = std::move(tag);
    show_rest();
    text = TextStream(request.stop);
}

// What the next token is bound by.
Grammar * Generation::binding() {
    if (phase != Phase::answer) {
        return nullptr;
    }
    std::optional<Grammar> & one = call_binds ? call_grammar : grammar;
    return one ? &*one : nullptr;
}

} // namespace z1
