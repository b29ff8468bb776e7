// What the tests of a context share: one on the fake engine, and the oracle, a plain loop over one sequence that says what
// a generation alone gives.
#pragma once

#include "check.h"
#include "collector.h"
#include "fake-llama.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>

#if defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define __SANITIZE_ADDRESS__
#    endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(_MSC_VER)
#    include <sanitizer/lsan_interface.h>
#endif

namespace z1 {

/// After a failed assertion the context and its model are left to the process: no leak that LeakSanitizer should report.
inline void expect_leaks_on_this_thread() {
#if defined(__SANITIZE_ADDRESS__) && !defined(_MSC_VER)
    __lsan_disable();
#endif
}

constexpr llama_token end_token = 0;

/// With give_letters: a letter of the alphabet is a token.
inline Tokens spell(const std::string & text) {
    static const std::string letters = "\1abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+";
    Tokens tokens;
    for (const char letter : text) {
        tokens.push_back(static_cast<llama_token>(letters.find(letter)));
    }
    return tokens;
}

inline Request request(Tokens prompt, int64_t window, int32_t max_tokens = 4, Tokens hint = spell("++")) {
    Request request;
    request.prompt = std::move(prompt);
    request.thinking_window = window;
    request.max_tokens = max_tokens;
    request.hint = std::move(hint);
    return request;
}

/// Of a context with sequences for branches.
inline ContextParams branching_params(uint32_t n_ctx, uint32_t n_seq_max = 1, uint32_t n_branches = 0,
                                      uint32_t n_ubatch = 32, bool shares_cells = true) {
    ContextParams params;
    params.n_ctx = n_ctx;
    params.n_seq_max = n_seq_max;
    params.n_branches = n_branches;
    params.n_ubatch = n_ubatch;
    params.shares_cells = shares_cells;
    return params;
}

/// A model that never ends by itself.
inline void endless(std::span<const llama_token> sequence, std::span<float> row) {
    FakeLlama::hashed(sequence, row);
    row[end_token] = -1;
}

/// A context of the fake's model. When it goes, everything must have been freed and no rule broken.
class Rig {
public:
    Rig(FakeLlama & fake, const ContextParams & params) : fake(fake), engine(fake.api()) {
        ModelParams model_params;
        model_params.path = "fake.gguf";
        model_params.n_gpu_layers = 0;
        model = Model::load(engine, model_params, [](float) { return true; });
        context_ = open_context(model, params, sink);
    }

    ~Rig() {
        close();
        context_.reset();
        model.reset();
        CHECK_EQ(fake.complaints(), std::vector<std::string> {});
    }

    Context & context() { return *context_; }

    /// From any thread. Returns the request's id: 1, 2, …
    uint32_t start(Request request) {
        {
            std::lock_guard lock(mutex);
            request.id = ++last_id;
            hints.push_back(request.hint);
        }
        const uint32_t id = request.id;
        context_->start(std::move(request));
        return id;
    }

    Outcome wait(uint32_t id) { return sink->wait(id); }

    /// The sink has no memory for the next n posts.
    void refuse(int n) { sink->n_refused = n; }

    Outcome run(Request request) { return wait(start(std::move(request))); }

    std::map<uint32_t, Outcome> outcomes() { return sink->all(); }

    /// Ends the context's thread, after which the fake's records may be read.
    void close() {
        context_->close();
        context_->join();
        // Other threads may still try to start requests.
        std::lock_guard lock(mutex);
        for (const FakeDecode & decode : fake.decodes) {
            // Only a hint may be longer than a step.
            const Tokens & tokens = decode[0].tokens;
            if (tokens.size() > fake.context_params.n_ubatch) {
                CHECK(std::any_of(hints.begin(), hints.end(), [&](const Tokens & hint) {
                    return tokens.size() <= hint.size() + 1 && std::equal(hint.rbegin(), hint.rend(), tokens.rbegin());
                }));
            }
        }
    }

    const std::vector<FakeDecode> & decodes() {
        close();
        return fake.decodes;
    }

private:
    FakeLlama & fake;
    Engine engine;
    std::shared_ptr<Model> model;
    std::shared_ptr<Collector> sink = std::make_shared<Collector>();
    std::unique_ptr<Context> context_;
    std::mutex mutex;
    uint32_t last_id = 0;
    std::vector<Tokens> hints; // of all requests
};

/// What a request gives by itself: no batches, no threads, no cache. Knows neither tags nor stop strings.
struct Alone {
    Tokens thinking;
    Tokens answer;
    Ended ended;
    FinishReason finish_reason;
};

inline Alone alone(const FakeLlama & fake, const Request & request, size_t n_ctx) {
    Tokens sequence = request.prompt;
    const auto draw = [&]() -> std::optional<llama_token> {
        std::vector<float> row(fake.vocabulary.size());
        fake.logits(sequence, row);
        const llama_token token = static_cast<llama_token>(std::max_element(row.begin(), row.end()) - row.begin());
        if (fake.vocabulary[token].eog) {
            return {};
        }
        sequence.push_back(token);
        return token;
    };

    Alone result = { {}, {}, Ended::window, FinishReason::length };
    while (static_cast<int64_t>(result.thinking.size()) < request.thinking_window) {
        if (sequence.size() == n_ctx) {
            result.ended = Ended::length;
            return result;
        }
        const auto token = draw();
        if (!token) {
            result.ended = Ended::self;
            result.finish_reason = FinishReason::stop;
            return result;
        }
        result.thinking.push_back(*token);
    }
    if (request.hint.empty()) {
        return result;
    }
    sequence.insert(sequence.end(), request.hint.begin(), request.hint.end());
    if (sequence.size() >= n_ctx) {
        result.ended = Ended::length;
        return result;
    }
    while (static_cast<int32_t>(result.answer.size()) < request.max_tokens && sequence.size() < n_ctx) {
        const auto token = draw();
        if (!token) {
            result.finish_reason = FinishReason::stop;
            return result;
        }
        result.answer.push_back(*token);
    }
    return result;
}

inline void check_alone(const Outcome & outcome, const Alone & expected) {
    CHECK_EQ(outcome.error_code(), "no error");
    CHECK_EQ(outcome.thinking, expected.thinking);
    CHECK_EQ(outcome.answer, expected.answer);
    if (outcome.done) {
        CHECK_EQ(outcome.done->ended, expected.ended);
        CHECK_EQ(outcome.done->finish_reason, expected.finish_reason);
    }
}

/// A model of 64 tokens: 0 ends, the others are one letter or digit each.
inline void give_letters(FakeLlama & fake) {
    fake.vocabulary = { { "<end>", LLAMA_TOKEN_ATTR_CONTROL, true } };
    for (const char letter : std::string("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+")) {
        fake.vocabulary.push_back({ std::string(1, letter) });
    }
}

/// An llama_context of the fake, for the thread that makes it: there is no Context around it.
struct BareContext {
    struct Params {
        uint32_t n_seq_max;
        uint32_t n_batch;
        uint32_t n_outputs;
        bool unified = true;
        bool recurrent = false;
    };

    FakeLlama fake;
    llama_model * model;
    llama_context * ctx;

    explicit BareContext(const Params & shape) {
        give_letters(fake);
        fake.recurrent = shape.recurrent;
        model = fake.api().llama_model_load_from_file("fake.gguf", {});
        llama_context_params params = {};
        params.n_ctx = params.n_batch = params.n_ubatch = shape.n_batch;
        params.n_seq_max = shape.n_seq_max;
        params.n_outputs_max = shape.n_outputs;
        params.kv_unified = shape.unified;
        ctx = fake.api().llama_init_from_model(model, params);
    }

    ~BareContext() {
        fake.api().llama_free(ctx);
        fake.api().llama_model_free(model);
        CHECK_EQ(fake.complaints(), std::vector<std::string> {});
    }

    /// Whether the output at a batch index is that of the tokens.
    bool has_seen(int32_t index, const Tokens & tokens) {
        std::vector<float> row(fake.vocabulary.size());
        fake.logits(tokens, row);
        const float * output = fake.api().llama_get_logits_ith(ctx, index);
        return output && std::equal(row.begin(), row.end(), output);
    }
};

inline Tokens random_tokens(std::mt19937 & random, size_t n) {
    Tokens tokens(n);
    for (llama_token & token : tokens) {
        token = static_cast<llama_token>(1 + random() % 63);
    }
    return tokens;
}

} // namespace z1
