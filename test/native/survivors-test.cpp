// Sampling with survivors gives the tokens of llama.cpp's own chain on all tokens, draw by draw.
#include "check.h"
#include "engine/sampling/sampler-chain.h"
#include "error.h"
#include "llama/engine.h"

#include <cmath>
#include <random>

using namespace z1;

namespace {

constexpr int32_t n_vocab = 30'000;
std::vector<float> row;

/// The real samplers, with a vocabulary and logits of the test's.
Api samplers() {
    Api api = Engine::open(Z1_TEST_ENGINE_DIR, "").api;
    api.llama_vocab_n_tokens = [](const llama_vocab *) { return n_vocab; };
    api.llama_get_logits_ith = [](llama_context *, int32_t) { return row.data(); };
    return api;
}

/// llama.cpp's chain as its common_sampler_init makes it.
class Plain {
public:
    Plain(const Api & api, const SamplingParams & params)
        : api(api),
          chain(api.llama_sampler_chain_init(api.llama_sampler_chain_default_params()), api.llama_sampler_free) {
        if (params.top_k > 0) {
            add(api.llama_sampler_init_top_k(params.top_k));
        }
        if (params.typical_p < 1.0f) {
            add(api.llama_sampler_init_typical(params.typical_p, 1));
        }
        if (params.top_p < 1.0f) {
            add(api.llama_sampler_init_top_p(params.top_p, 1));
        }
        if (params.min_p > 0.0f) {
            add(api.llama_sampler_init_min_p(params.min_p, 1));
        }
        if (params.xtc_probability > 0.0f) {
            add(api.llama_sampler_init_xtc(params.xtc_probability, params.xtc_threshold, 1, params.seed));
        }
        add(api.llama_sampler_init_temp(params.temperature));
        add(api.llama_sampler_init_dist(params.seed));
    }

    llama_token sample() {
        std::vector<llama_token_data> candidates;
        for (llama_token token = 0; token < n_vocab; ++token) {
            candidates.push_back({ token, row[token], 0.0f });
        }
        llama_token_data_array array = { candidates.data(), candidates.size(), -1, false };
        api.llama_sampler_apply(chain.get(), &array);
        return array.data[array.selected].id;
    }

private:
    void add(llama_sampler * sampler) { api.llama_sampler_chain_add(chain.get(), sampler); }

    const Api & api;
    std::unique_ptr<llama_sampler, decltype(&::llama_sampler_free)> chain;
};

llama_sampler * no_sampler(const Api & api) {
    return api.llama_sampler_init_temp(1.0f); // which changes nothing
}

SamplingParams with(int32_t top_k, float top_p, float min_p, float temperature = 0.8f) {
    SamplingParams params;
    params.top_k = top_k;
    params.top_p = top_p;
    params.min_p = min_p;
    params.temperature = temperature;
    params.seed = 7;
    return params;
}

/// Logits as models give them: most far below the largest; `spread` 0.5 is nearly flat.
void fill(std::mt19937 & random, float spread) {
    std::normal_distribution<float> normal(0.0f, spread);
    row.resize(n_vocab);
    for (float & logit : row) {
        logit = normal(random);
    }
}

} // namespace

TEST(gives_the_tokens_of_llama_cpp) {
    const Api api = samplers();
    std::mt19937 random(1);
    SamplingParams typical = with(0, 0.9f, 0.0f);
    typical.typical_p = 0.9f;
    SamplingParams xtc = with(40, 1.0f, 0.0f);
    xtc.xtc_probability = 0.5f;
    xtc.xtc_threshold = 0.05f;
    const std::vector<SamplingParams> all = {
        with(1, 1.0f, 0.0f),
        with(20, 0.95f, 0.0f),
        with(40, 1.0f, 0.05f, 1.5f),
        with(5'000, 1.0f, 0.0f, 2.0f),
        with(50'000, 0.9f, 0.0f),
        with(0, 0.95f, 0.0f),
        with(0, 0.5f, 0.1f),
        with(0, 0.999f, 0.0f, 1.0f),
        with(0, 0.0f, 0.0f),
        with(0, 1.0f, 0.05f),
        with(0, 1.0f, 1e-6f),
        with(0, 1.0f, 1.0f),
        with(0, 1.0f, 0.0f, 0.7f),
        typical,
        xtc,
    };
    for (const SamplingParams & params : all) {
        SamplerChain chain(api, nullptr, params, 100, no_sampler(api));
        Plain plain(api, params);
        for (int i = 0; i < 40; ++i) {
            fill(random, i % 4 == 0 ? 0.5f : static_cast<float>(1 + i % 5));
            if (i % 3 == 0) {
                std::fill(row.begin() + 100, row.begin() + 20'000, -INFINITY); // banned
            }
            const llama_token expected = plain.sample();
            CHECK_EQ(chain.sample(row.data(), {}), expected);
        }
    }
}

TEST(a_clone_leaves_the_same) {
    const Api api = samplers();
    std::mt19937 random(3);
    for (const SamplingParams & params : { with(3, 1.0f, 0.0f), with(0, 0.3f, 0.0f), with(0, 1.0f, 0.3f) }) {
        SamplerChain chain(api, nullptr, params, 100, no_sampler(api));
        SamplerChain clone = chain;
        for (int i = 0; i < 20; ++i) {
            fill(random, 1.0f);
            CHECK_EQ(clone.sample(row.data(), {}), chain.sample(row.data(), {}));
        }
    }
}

TEST(finds_the_largest_wherever_they_are) {
    const Api api = samplers();
    SamplerChain chain(api, nullptr, with(2, 1.0f, 0.0f, 1.0f), 100, no_sampler(api));
    for (const llama_token token : { 0, 1, 63, 64, n_vocab - 65, n_vocab - 1 }) {
        row.assign(n_vocab, -3.0f);
        row[token] = 40.0f;
        CHECK_EQ(chain.sample(row.data(), {}), token);
    }
    row.assign(n_vocab, 1.0f); // all equal: one of the first two
    CHECK(chain.sample(row.data(), {}) < 2);
}

TEST(refuses_rows_without_a_number_to_choose_by) {
    const Api api = samplers();
    for (const SamplingParams & params : { with(40, 1.0f, 0.0f), with(0, 0.9f, 0.0f), with(0, 1.0f, 0.0f) }) {
        SamplerChain chain(api, nullptr, params, 100, no_sampler(api));
        for (const llama_token at : { 0, 77, n_vocab - 1 }) {
            row.assign(n_vocab, 0.0f);
            row[at] = NAN;
            CHECK_THROWS(Error, chain.sample(row.data(), {}));
            row[at] = INFINITY;
            CHECK_THROWS(Error, chain.sample(row.data(), {}));
        }
        row.assign(n_vocab, -INFINITY);
        CHECK_THROWS(Error, chain.sample(row.data(), {}));
    }
}
