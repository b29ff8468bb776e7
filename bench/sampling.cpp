// Time of a draw: SamplerChain against llama.cpp's chain of the same samplers on an array of all tokens, in turn in one process.
// Prints a line for each setting: name, microseconds of both (medians of rounds), tokens that differ, draws.
#include "engine/sampling/sampler-chain.h"
#include "llama/engine.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

using namespace z1;

namespace {

constexpr int32_t n_vocab = 151'936; // Qwen2.5's
constexpr int n_rows = 20;
std::vector<float> rows[n_rows];
int current = 0;

struct Setting {
    const char * name;
    int32_t top_k;
    float top_p;
    float min_p;
    float temperature;
};

const Setting settings[] = {
    { "greedy", 0, 1.0f, 0.0f, 0.0f },        { "top-k 40", 40, 1.0f, 0.0f, 0.8f },
    { "top-k 20, top-p 0.8", 20, 0.8f, 0.0f, 0.7f }, { "min-p 0.05", 0, 1.0f, 0.05f, 0.8f },
    { "top-p 0.95", 0, 0.95f, 0.0f, 0.8f },   { "temperature alone", 0, 1.0f, 0.0f, 0.8f },
};

/// Most logits of a language model are near one another, and some stand out; `flat`: none does.
void fill(bool flat) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0.0f, 2.5f);
    for (std::vector<float> & row : rows) {
        row.resize(n_vocab);
        for (float & logit : row) {
            logit = normal(random);
        }
        for (int i = 0; i < 30 && !flat; ++i) {
            row[random() % n_vocab] += 24.0f - static_cast<float>(i) / 2;
        }
    }
}

template <class Function>
double microseconds(Function draw) {
    const auto start = std::chrono::steady_clock::now();
    for (current = 0; current < n_rows; ++current) {
        draw();
    }
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / n_rows;
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

void measure(const Api & api, const Setting & setting, bool flat, int rounds) {
    SamplingParams params;
    params.top_k = setting.top_k;
    params.top_p = setting.top_p;
    params.min_p = setting.min_p;
    params.temperature = setting.temperature;
    params.seed = 1;
    SamplerChain ours(api, nullptr, params, 100, api.llama_sampler_init_temp(1.0f));

    llama_sampler * theirs = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params());
    const auto add = [&](llama_sampler * sampler) { api.llama_sampler_chain_add(theirs, sampler); };
    if (params.temperature <= 0.0f) {
        add(api.llama_sampler_init_greedy());
    } else {
        if (params.top_k > 0) {
            add(api.llama_sampler_init_top_k(params.top_k));
        }
        if (params.top_p < 1.0f) {
            add(api.llama_sampler_init_top_p(params.top_p, 1));
        }
        if (params.min_p > 0.0f) {
            add(api.llama_sampler_init_min_p(params.min_p, 1));
        }
        add(api.llama_sampler_init_temp(params.temperature));
        add(api.llama_sampler_init_dist(params.seed));
    }

    std::vector<double> times[2];
    std::vector<llama_token> tokens[2];
    std::vector<llama_token_data> candidates;
    const TagBan no_tags;
    for (int round = 0; round < rounds; ++round) {
        times[0].push_back(microseconds([&] { tokens[0].push_back(ours.sample(rows[current].data(), no_tags)); }));
        times[1].push_back(microseconds([&] {
            // As llama_sampler_sample does.
            candidates.resize(n_vocab);
            for (llama_token token = 0; token < n_vocab; ++token) {
                candidates[token] = { token, rows[current][token], 0.0f };
            }
            llama_token_data_array array = { candidates.data(), candidates.size(), -1, false };
            api.llama_sampler_apply(theirs, &array);
            tokens[1].push_back(array.data[array.selected].id);
        }));
    }
    api.llama_sampler_free(theirs);
    size_t differ = 0;
    for (size_t i = 0; i < tokens[0].size(); ++i) {
        differ += tokens[0][i] != tokens[1][i];
    }
    std::printf("%s%s\t%.1f\t%.1f\t%zu\t%zu\n", setting.name, flat ? ", flat" : "", median(times[0]), median(times[1]),
                differ, tokens[0].size());
}

} // namespace

int main(int argc, char ** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "Usage: sampling <engine directory> <rounds>\n");
        return 2;
    }
    Api api = Engine::open(argv[1], "").api;
    api.llama_vocab_n_tokens = [](const llama_vocab *) { return n_vocab; };
    for (const bool flat : { false, true }) {
        fill(flat);
        for (const Setting & setting : settings) {
            measure(api, setting, flat, std::atoi(argv[2]));
        }
    }
}
