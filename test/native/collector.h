// A context whose events go to a sink that holds every generation to their law: texts and nudges, at most one cut between
// those of the thinking and those of the answer, a branch for a cut that was asked for, one end, then nothing.
#pragma once

#include "check.h"
#include "engine/context/context.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace z1 {

using Tokens = std::vector<llama_token>;

/// All that one generation reported.
struct Outcome {
    Tokens thinking;
    Tokens answer;
    std::string thinking_text;
    std::string answer_text;
    std::vector<TokenLogprobs> thinking_logprobs;
    std::vector<TokenLogprobs> answer_logprobs;
    std::vector<NudgeEvent> nudges;
    std::optional<CutEvent> cut;
    std::map<size_t, BranchEvent> branches; // by their tokens of thinking
    std::optional<DoneEvent> done;
    std::optional<ErrorEvent> error;

    bool over() const { return done || error; }
    std::string error_code() const { return error ? to_string(error->code) : "no error"; }
};

/// Above 0 while code of a test, or of the fake engine, runs on the thread: what it allocates is not the project's.
inline thread_local int in_test_code = 0;

struct TestCode {
    TestCode() { ++in_test_code; }
    ~TestCode() { --in_test_code; }
};

class Collector : public EventSink {
public:
    /// So many calls fail first.
    std::atomic<int> n_refused { 0 };

    void post(std::vector<Event> & events) override {
        const TestCode test_code;
        if (n_refused > 0) {
            --n_refused;
            throw std::bad_alloc();
        }
        std::lock_guard lock(mutex);
        CHECK(!closed);
        CHECK(!events.empty());
        for (Event & event : events) {
            Outcome & outcome = outcomes[event.id];
            CHECK(!outcome.over());
            std::visit([&](auto & what) { take(outcome, what); }, event.what);
        }
        events.clear();
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
        const bool answers = event.part == Part::answer;
        // An answer without a cut is that of a request that does not think.
        CHECK(answers ? outcome.cut || outcome.thinking.empty() : !outcome.cut);
        (answers ? outcome.answer_text : outcome.thinking_text) += event.text;
        Tokens & tokens = answers ? outcome.answer : outcome.thinking;
        tokens.insert(tokens.end(), event.tokens.begin(), event.tokens.end());
        CHECK(event.logprobs.empty() || event.logprobs.size() == event.tokens.size());
        std::vector<TokenLogprobs> & logprobs = answers ? outcome.answer_logprobs : outcome.thinking_logprobs;
        logprobs.insert(logprobs.end(), event.logprobs.begin(), event.logprobs.end());
    }

    void take(Outcome & outcome, NudgeEvent & event) {
        CHECK(!outcome.cut);
        CHECK_EQ(event.n_thinking, outcome.thinking.size());
        CHECK(event.n_tokens > 0);
        outcome.nudges.push_back(event);
    }

    void take(Outcome & outcome, CutEvent & event) {
        CHECK(!outcome.cut);
        CHECK_EQ(event.n_thinking, outcome.thinking.size());
        CHECK(event.ended != Ended::stop && event.ended != Ended::length && event.ended != Ended::stated);
        outcome.cut = event;
    }

    void take(Outcome & outcome, BranchEvent & event) {
        const Tokens & thinking = event.thinking;
        CHECK(!outcome.branches.contains(thinking.size()));
        // Without a hint there was no room for it, or an answer was stated.
        CHECK(event.done.ended == Ended::window ||
              ((event.done.ended == Ended::length || event.done.ended == Ended::stated) && event.n_hint == 0));
        outcome.branches[thinking.size()] = event;
    }

    void take(Outcome & outcome, DoneEvent & event) {
        // Some of its tokens may have come after the branch.
        for (const auto & [n, branch] : outcome.branches) {
            CHECK(n <= outcome.thinking.size() &&
                  std::equal(branch.thinking.begin(), branch.thinking.end(), outcome.thinking.begin()));
        }
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

/// Throws what making the llama_context threw.
inline std::unique_ptr<Context> open_context(std::shared_ptr<Model> model, const ContextParams & params,
                                             std::shared_ptr<Collector> sink) {
    // Shared, because the thread may still be inside set_value when get returns.
    const auto ready = std::make_shared<std::promise<void>>();
    auto context = std::make_unique<Context>(
        std::move(model), params, sink,
        [ready](std::exception_ptr error) { error ? ready->set_exception(error) : ready->set_value(); },
        [sink] { sink->close(); });
    ready->get_future().get();
    return context;
}

} // namespace z1
