// Keeps an answer within a grammar (GBNF). The token that the samplers draw is looked at first, which costs next to nothing;
// only where it does not fit is all of the vocabulary, and the draw repeated. Context thread only.
#pragma once

#include "engine/model/pieces.h"
#include "llama/api.h"

#include <memory>
#include <string>
#include <vector>

namespace z1 {

class Grammar {
public:
    /// `source` was checked (lib/grammar/check-grammar.ts): llama.cpp prints what it cannot read. Throws GRAMMAR_INVALID.
    /// `pieces` lives as long as this object. `shown`: names of control tokens that the text shows, and the grammar speaks of.
    Grammar(const Api & api, const llama_vocab * vocab, const Pieces & pieces, const std::string & source,
            std::vector<std::string> shown = {});

    /// Whether the text so far may go on with the token, or end where it is an end-of-generation token.
    bool allows(llama_token token) const;

    /// Sets the logits of all that are not allowed to -inf.
    void mask(llama_token_data_array & candidates) const;

    /// The token was drawn, and is allowed. Not for an end of generation, after which nothing follows.
    void accept(llama_token token);

private:
    bool is_shown(llama_token token) const;

    const Api & api;
    const llama_vocab * vocab;
    const Pieces & pieces;
    std::vector<std::string> shown;
    bool names_tokens; // the grammar speaks of tokens by their number
    std::unique_ptr<llama_sampler, decltype(&::llama_sampler_free)> sampler;
};

} // namespace z1
