#include "engine/sampling/grammar.h"

#include "error.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace z1 {

Grammar::Grammar(const Api & api, const llama_vocab * vocab, const Pieces & pieces, const std::string & source,
                 std::vector<std::string> shown)
    : api(api), vocab(vocab), pieces(pieces), shown(std::move(shown)),
      names_tokens(source.find("<[") != std::string::npos),
      sampler(api.llama_sampler_init_grammar(vocab, source.c_str(), "root"), api.llama_sampler_free) {
    if (!sampler) {
        throw Error(ErrorCode::GRAMMAR_INVALID, "llama.cpp cannot read the grammar");
    }
}

bool Grammar::allows(llama_token token) const {
    if (!is_shown(token)) {
        return false;
    }
    llama_token_data candidate = { token, 0.0f, 0.0f };
    llama_token_data_array one = { &candidate, 1, -1, false };
    api.llama_sampler_apply(sampler.get(), &one);
    return std::isfinite(candidate.logit);
}

void Grammar::mask(llama_token_data_array & candidates) const {
    for (size_t i = 0; i < candidates.size; ++i) {
        if (!is_shown(candidates.data[i].id)) {
            candidates.data[i].logit = -INFINITY;
        }
    }
    api.llama_sampler_apply(sampler.get(), &candidates);
}

void Grammar::accept(llama_token token) {
    api.llama_sampler_accept(sampler.get(), token);
}

// llama.cpp matches the name of a control token like any text, which would stand in the grammar's text and not in the shown
// one.
bool Grammar::is_shown(llama_token token) const {
    return names_tokens || !pieces.text(token).empty() || api.llama_vocab_is_eog(vocab, token) ||
           std::find(shown.begin(), shown.end(), pieces[token]) != shown.end();
}

} // namespace z1
