// What the tests of a context share: one on the fake engine, a sink that holds every generation to the law of events, and
// the oracle, a plain loop over one sequence that says what a generation alone gives.
#pragma once

#include "check.h"
#include "engine/context.h"
#include "fake-llama.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <random>

namespace z1 {

using Tokens = std::vector<llama_token>;

/// All that one generation reported.
struct Outcome {
    Tokens thinking;
    Tokens answer;
    std::string thinking_text;
    std::string answer_text;
    std::optional<CutEvent> cut;
    std::optional<DoneEvent> done;
    std::optional<ErrorEvent> error;

    bool over() const { return done || error; }
    std::string error_code() const { return error ? to_string(error->code) : "no error"; }
};

class Collector : public EventSink {
public:
    void post(std::vector<Event> events) override {
        std::lock_guard lock(mutex);
        CHECK(!closed);
        CHECK(!events.empty());
        for (Event & event : events) {
            Outcome & outcome = outcomes[event.id];
            CHECK(!outcome.over());
            std::visit([&](auto & what) { take(outcome, what); }, event.what);
        }
        news.notify_all();
    }

    /// The context has ended: nothing may come any more.
    void close() {
        std::lock_guard lock(mutex);
        closed = true;
    }

    /// What the generation reported in all.
    Outcome wait(uint32_t id) {
        std::unique_lock lock(mutex);
        const auto deadline = std::chrono::system_clock::now() + std::chrono::seconds(60);
        CHECK(news.wait_until(lock, deadline, [&] { return outcomes[id].over(); }));
        return outcomes[id];
    }

    std::map<uint32_t, Outcome> all() {
        std::lock_guard lock(mutex);
        return outcomes;
    }

private:
    void take(Outcome & outcome, TextEvent & event) {
        CHECK(!event.text.empty() || !event.tokens.empty());
        CHECK_EQ(event.answer, outcome.cut.has_value());
        (event.answer ? outcome.answer_text : outcome.thinking_text) += event.text;
        Tokens & tokens = event.answer ? outcome.answer : outcome.thinking;
        tokens.insert(tokens.end(), event.tokens.begin(), event.tokens.end());
    }

    void take(Outcome & outcome, CutEvent & event) {
        CHECK(!outcome.cut);
        CHECK_EQ(event.n_thinking, outcome.thinking.size());
        outcome.cut = event;
    }

    void take(Outcome & outcome, DoneEvent & event) {
        if (outcome.cut) {
            CHECK_EQ(event.ended, outcome.cut->ended);
        }
        outcome.done = event;
    }

    void take(Outcome & outcome, ErrorEvent & event) { outcome.error = event; }

    std::mutex mutex;
    std::condition_variable news;
    std::map<uint32_t, Outcome> outcomes;
    bool closed = false;
};

/// A context of the fake's model. When it goes, everything must have been freed and no rule broken.
class Rig {
public:
    Rig(FakeLlama & fake, const ContextParams & params) : fake(fake), engine(fake.api()) {
        ModelParams model_params;
        model_params.path = "fake.gguf";
        model_params.n_gpu_layers = 0;
        model = Model::load(engine, model_params, [](float) { return true; });
        std::promise<void> ready;
        context_ = std::make_unique<Context>(
            model, params, sink,
            [&](std::exception_ptr error) { error ? ready.set_exception(error) : ready.set_value(); },
            [sink = sink] { sink->close(); });
        ready.get_future().get();
    }

    ~Rig() {
        close();
        context_.reset();
        model.reset();
        CHECK_EQ(fake.complaints(), std::vector<std::string> {});
    }

    Context & context() { return *context_; }

    uint32_t start(Request request) {
        request.id = ++last_id;
        hints.push_back(request.hint);
        context_->start(std::move(request));
        return last_id;
    }

    Outcome wait(uint32_t id) { return sink->wait(id); }

    Outcome run(Request request) { return wait(start(std::move(request))); }

    std::map<uint32_t, Outcome> outcomes() { return sink->all(); }

    /// Ends the context's thread, after which the fake's records may be read.
    void close() {
        context_->close();
        context_->join();
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
    uint32_t last_id = 0;
    std::vector<Tokens> hints;
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

inline Tokens random_tokens(std::mt19937 & random, size_t n) {
    Tokens tokens(n);
    for (llama_token & token : tokens) {
        token = static_cast<llama_token>(1 + random() % 63);
    }
    return tokens;
}

} // namespace z1
