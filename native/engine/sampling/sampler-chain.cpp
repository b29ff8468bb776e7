#include "engine/sampling/sampler-chain.h"

#include "engine/sampling/argmax.h"
#include "error.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace z1 {

namespace {

[[noreturn]] void throw_no_logits(bool biased) {
    throw Error(ErrorCode::DECODE_FAILED, biased ? "The logit bias leaves no token to choose"
                                                 : "The model gave no finite logits: its weights may be damaged");
}

[[noreturn]] void throw_none_allowed() {
    throw Error(ErrorCode::GRAMMAR_INVALID, "The grammar allows none of the tokens that may follow");
}

} // namespace

// A row with the biases added, for as long as this lives: whoever asks how probable a token was means the model's own logits.
class SamplerChain::BiasedRow {
public:
    BiasedRow(float * logits, const std::vector<llama_logit_bias> & biases, std::vector<float> & before)
        : logits(logits), biases(biases), before(before) {
        before.clear();
        before.reserve(biases.size());
        for (const auto & [token, bias] : biases) {
            before.push_back(logits[token]);
            logits[token] += bias;
        }
    }

    // Backward: a token may stand there twice.
    ~BiasedRow() {
        for (size_t i = biases.size(); i-- > 0;) {
            logits[biases[i].token] = before[i];
        }
    }

    BiasedRow(const BiasedRow &) = delete;
    BiasedRow & operator=(const BiasedRow &) = delete;

private:
    float * logits;
    const std::vector<llama_logit_bias> & biases;
    const std::vector<float> & before;
};

SamplerChain::SamplerChain(const Api & api, const llama_vocab * vocab, const SamplingParams & params, int32_t n_ctx,
                           llama_sampler * first)
    : api(api), n_vocab(api.llama_vocab_n_tokens(vocab)),
      chain(api.llama_sampler_chain_init(api.llama_sampler_chain_default_params()), api.llama_sampler_free) {
    add(first);

    std::copy_if(params.logit_bias.begin(), params.logit_bias.end(), std::back_inserter(biases),
                 [&](const llama_logit_bias & one) { return one.token >= 0 && one.token < n_vocab; });
    // The order is that of llama.cpp's common_sampler_init, whose first is the bias.
    const bool penalizes =
        params.repeat_penalty != 1.0f || params.frequency_penalty != 0.0f || params.presence_penalty != 0.0f;
    if (penalizes && params.penalty_last_n > 0) {
        add(api.llama_sampler_init_penalties(n_vocab, std::min(params.penalty_last_n, n_ctx), params.repeat_penalty,
                                             params.frequency_penalty, params.presence_penalty));
        looks_back_ = true;
        plain_greedy = false;
    }
    if (params.dry_multiplier > 0.0f && params.dry_penalty_last_n > 0) {
        std::vector<const char *> breakers;
        for (const std::string & breaker : params.dry_sequence_breakers) {
            breakers.push_back(breaker.c_str());
        }
        add(api.llama_sampler_init_dry(vocab, params.dry_multiplier, params.dry_base, params.dry_allowed_length,
                                       std::min(params.dry_penalty_last_n, n_ctx), breakers.data(), breakers.size()));
        looks_back_ = true;
        plain_greedy = false;
    }
    if (params.temperature <= 0.0f) {
        add(api.llama_sampler_init_greedy());
        return;
    }
    // The first of these looks at the logits themselves, where no sampler before it changes them.
    bool first_left = plain_greedy;
    plain_greedy = false;
    const auto truncate = [&](const Truncation & one, llama_sampler * (*make)(const Api &, const Truncation &) ) {
        if (std::exchange(first_left, false)) {
            truncation = one;
        } else {
            add(make(api, one));
        }
    };
    using Kind = Truncation::Kind;
    if (params.top_k > 0) {
        truncate({ Kind::top_k, params.top_k, 0.0f },
                 [](const Api & api, const Truncation & one) { return api.llama_sampler_init_top_k(one.k); });
    }
    if (params.typical_p < 1.0f) {
        first_left = false;
        add(api.llama_sampler_init_typical(params.typical_p, 1));
    }
    if (params.top_p < 1.0f) {
        truncate({ Kind::top_p, 0, params.top_p },
                 [](const Api & api, const Truncation & one) { return api.llama_sampler_init_top_p(one.p, 1); });
    }
    if (params.min_p > 0.0f) {
        truncate({ Kind::min_p, 0, params.min_p },
                 [](const Api & api, const Truncation & one) { return api.llama_sampler_init_min_p(one.p, 1); });
    }
    if (params.xtc_probability > 0.0f) {
        add(api.llama_sampler_init_xtc(params.xtc_probability, params.xtc_threshold, 1, params.seed));
    }
    if (params.temperature != 1.0f) {
        add(api.llama_sampler_init_temp(params.temperature));
    }
    add(api.llama_sampler_init_dist(params.seed));
}

SamplerChain::SamplerChain(const SamplerChain & other)
    : api(other.api), n_vocab(other.n_vocab), chain(api.llama_sampler_clone(other.chain.get()), api.llama_sampler_free),
      banned_once(other.banned_once), biases(other.biases), looks_back_(other.looks_back_),
      plain_greedy(other.plain_greedy), truncation(other.truncation) {}

llama_token SamplerChain::sample(float * logits, const TagBan & tags, const Grammar * grammar) {
    if (!logits) {
        throw_no_logits(false);
    }
    tags.apply(logits);
    if (banned_once != LLAMA_TOKEN_NULL) {
        logits[banned_once] = -INFINITY;
        banned_once = LLAMA_TOKEN_NULL;
    }
    const BiasedRow biased(logits, biases, unbiased);
    const llama_token token = choose(logits, nullptr);
    return grammar && !grammar->allows(token) ? choose(logits, grammar) : token;
}

// Of what `mask` allows, if there is one: the logits of the others are -inf then.
llama_token SamplerChain::choose(float * logits, const Grammar * mask) {
    if (mask) {
        forbid(logits, *mask);
    }
    if (plain_greedy) {
        const llama_token token = argmax(logits, n_vocab);
        if (token < 0) {
            mask ? throw_none_allowed() : throw_no_logits(!biases.empty());
        }
        return token;
    }

    // llama_sampler_sample does the same with all tokens, but asserts where this throws, and a NaN breaks the order that
    // its partial sort relies on.
    if (!survivors.find(logits, n_vocab, truncation)) {
        mask ? throw_none_allowed() : throw_no_logits(!biases.empty());
    }
    llama_token_data_array array = survivors.array();
    if (mask) {
        // Samplers that count on a probability for every candidate get those that have one.
        array.size = static_cast<size_t>(std::remove_if(array.data, array.data + array.size,
                                                        [](const auto & one) { return !std::isfinite(one.logit); }) -
                                         array.data);
    }
    api.llama_sampler_apply(chain.get(), &array);
    if (array.selected < 0 || array.selected >= static_cast<int64_t>(array.size)) {
        throw Error(ErrorCode::DECODE_FAILED, "The samplers left no token to choose");
    }
    // What a bias bans is chosen where nothing else is left.
    if (mask && !std::isfinite(array.data[array.selected].logit)) {
        throw_none_allowed();
    }
    return array.data[array.selected].id;
}

void SamplerChain::forbid(float * logits, const Grammar & mask) {
    if (!survivors.find(logits, n_vocab, {})) {
        throw_no_logits(!biases.empty());
    }
    llama_token_data_array all = survivors.array();
    mask.mask(all);
    for (size_t i = 0; i < all.size; ++i) {
        logits[all.data[i].id] = all.data[i].logit;
    }
}

} // namespace z1
