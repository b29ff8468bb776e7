// One generation's samplers: the tag ban, the one it is given and llama.cpp's own, and the choice of the next token.
#pragma once

#include "engine/sampling/grammar.h"
#include "engine/sampling/sampling-params.h"
#include "engine/sampling/survivors.h"
#include "engine/sampling/tag-ban.h"
#include "llama/api.h"

#include <memory>
#include <vector>

namespace z1 {

class SamplerChain {
public:
    /// `first` stands before llama.cpp's samplers and is freed with them. `n_ctx`: most tokens that they look back on.
    SamplerChain(const Api & api, const llama_vocab * vocab, const SamplingParams & params, int32_t n_ctx,
                 llama_sampler * first);

    /// A clone with the state of the other: given the same logits, both choose the same tokens.
    SamplerChain(const SamplerChain & other);
    SamplerChain & operator=(const SamplerChain &) = delete;

    /// The one that the chain was given.
    llama_sampler * first() const { return api.llama_sampler_chain_get(chain.get(), 0); }

    /// The next token for a row of logits, into which the bans of `tags` are written. Throws DECODE_FAILED when there is no
    /// row, or it holds no number to choose by, as those of a broken model do, or of one all of whose tokens a bias rules out.
    /// With a grammar the token is one that it allows; GRAMMAR_INVALID when it allows none.
    llama_token sample(float * logits, const TagBan & tags, const Grammar * grammar = nullptr);

    /// The next draw is of another token.
    void ban_once(llama_token token) { banned_once = token; }

    /// Tells the samplers of a token that now stands in the text: sampled, or of the prompt or the hint.
    void accept(llama_token token) { api.llama_sampler_accept(chain.get(), token); }

    /// Whether a sampler looks at earlier tokens, so that the prompt's must be accepted too.
    bool looks_back() const { return looks_back_; }

private:
    class BiasedRow;

    llama_token choose(float * logits, const Grammar * mask);
    void forbid(float * logits, const Grammar & mask);
    void add(llama_sampler * sampler) { api.llama_sampler_chain_add(chain.get(), sampler); }

    const Api & api;
    int32_t n_vocab;
    std::unique_ptr<llama_sampler, decltype(&::llama_sampler_free)> chain;
    llama_token banned_once = LLAMA_TOKEN_NULL;
    std::vector<llama_logit_bias>
        biases;                  // added to the row itself: as a sampler of the chain they need all of it copied
    std::vector<float> unbiased; // of a draw: what they are added to
    bool looks_back_ = false;
    bool plain_greedy = true; // nothing in the chain changes the logits: the largest wins
    Truncation truncation;    // done by `survivors`, not by a sampler of the chain
    Survivors survivors;
};

} // namespace z1
