// The context's thread against many others at once; made to be run under ThreadSanitizer.
#include "context-rig.h"

#include <atomic>
#include <thread>

using namespace z1;

namespace {

constexpr auto long_enough = std::chrono::seconds(2);

// What a generation gave is what it gives alone, up to where somebody ended it.
void check_beginning(const Outcome & outcome, const FakeLlama & fake, Request request, uint32_t n_ctx) {
    CHECK(outcome.over());
    if (outcome.error) {
        CHECK(outcome.error->code == ErrorCode::ABORTED || outcome.error->code == ErrorCode::DISPOSED);
    }
    const bool requested = outcome.cut && outcome.cut->ended == Ended::request;
    if (requested) {
        request.thinking_window = outcome.cut->n_thinking;
    }
    Alone expected = alone(fake, request, n_ctx);
    if (requested && expected.ended == Ended::window) {
        expected.ended = Ended::request;
    }
    const bool early = outcome.error || outcome.done->finish_reason == FinishReason::abort;
    // Closed by somebody, but the hint did not fit any more.
    const size_t n_held = request.prompt.size() + outcome.thinking.size();
    const bool full = !early && outcome.done->ended == Ended::length && n_held < n_ctx;
    if (full) {
        CHECK(n_held + request.hint.size() >= n_ctx);
    }
    if (!early && !full) {
        check_alone(outcome, expected);
        return;
    }
    const auto begins = [](const Tokens & all, const Tokens & part) {
        return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
    };
    CHECK(begins(expected.thinking, outcome.thinking));
    CHECK(begins(expected.answer, outcome.answer));
}

// Many threads start, abort, stop and close, for a short while; then one of them, or the owner, ends the context.
void storm(uint32_t seed) {
    FakeLlama fake;
    give_letters(fake);
    fake.on_decode = [](const FakeDecode &) {
        std::this_thread::yield();
        return 0;
    };
    std::mt19937 random(seed);
    ContextParams params;
    params.n_ctx = 16 + random() % 80;
    params.n_seq_max = 1 + random() % 4;
    params.n_ubatch = 1 + random() % 32;
    params.n_branches = random() % 3;
    params.shares_cells = random() % 2 == 0;
    const bool closed_by_a_worker = random() % 2 == 0;

    std::mutex mutex;
    std::map<uint32_t, Request> started;
    std::atomic<bool> over { false };
    std::atomic<uint32_t> newest { 0 };
    {
        Rig rig(fake, params);
        const auto work = [&](uint32_t seed, bool closes) {
            std::mt19937 random(seed);
            for (int n = 0; !over; ++n) {
                const uint32_t id = newest - random() % 6;
                switch (random() % 8) {
                    case 0:  rig.context().abort(id); break;
                    case 1:  rig.context().stop(id); break;
                    case 2:  rig.context().end_thinking(id); break;
                    case 3:  std::this_thread::sleep_for(std::chrono::microseconds(random() % 500)); break;
                    default: {
                        Request request;
                        request.prompt = random_tokens(random, 1 + random() % (params.n_ctx - 1));
                        request.thinking_window = random() % 3 == 0 ? Window::infinite : random() % 20;
                        request.max_tokens = static_cast<int32_t>(1 + random() % 10);
                        request.hint = random_tokens(random, 1 + random() % 6);
                        for (int64_t window = random() % 3; window < request.thinking_window && window < 9;
                             window += 1 + random() % 4) {
                            if (params.n_branches > 0) {
                                request.cuts.push_back({ window, 3 });
                            }
                        }
                        try {
                            const uint32_t id = rig.start(request);
                            newest = id;
                            std::lock_guard lock(mutex);
                            started[id] = std::move(request);
                        } catch (const Error & error) {
                            CHECK_EQ(error.code, ErrorCode::DISPOSED);
                            return;
                        }
                    }
                }
                if (closes && n > 100) {
                    rig.context().close();
                }
            }
        };
        std::vector<std::thread> threads;
        for (uint32_t i = 0; i < 4; ++i) {
            threads.emplace_back(work, seed * 10 + i, closed_by_a_worker && i == 0);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        if (!closed_by_a_worker) {
            rig.close();
        }
        over = true;
        for (std::thread & thread : threads) {
            thread.join();
        }
        rig.close();
        const auto outcomes = rig.outcomes();
        CHECK_EQ(outcomes.size(), started.size());
        for (const auto & [id, request] : started) {
            const auto outcome = outcomes.find(id);
            CHECK(outcome != outcomes.end());
            if (outcome != outcomes.end()) {
                check_beginning(outcome->second, fake, request, params.n_ctx);
            }
        }
    }
}

} // namespace

TEST(every_request_ends_once_whatever_comes_between) {
    const auto begin = std::chrono::steady_clock::now();
    for (uint32_t seed = 1; std::chrono::steady_clock::now() - begin < long_enough; ++seed) {
        storm(seed);
    }
}

TEST(a_start_beside_a_close_is_refused_or_ends) {
    for (int round = 0; round < 300; ++round) {
        FakeLlama fake;
        give_letters(fake);
        ContextParams params;
        params.n_ctx = 32;
        Rig rig(fake, params);
        Request request;
        request.prompt = { 1 };
        request.thinking_window = Window::infinite;
        request.hint = { 2 };
        std::atomic<bool> go { false };
        std::atomic<size_t> n_started { 0 };
        std::thread starter([&] {
            while (!go) {}
            try {
                for (;;) {
                    rig.start(request);
                    ++n_started;
                }
            } catch (const Error &) {}
        });
        go = true;
        std::this_thread::sleep_for(std::chrono::microseconds(round % 50));
        rig.context().close();
        starter.join();
        rig.close();
        CHECK_EQ(rig.outcomes().size(), n_started);
        for (const auto & [id, outcome] : rig.outcomes()) {
            CHECK(outcome.over());
        }
    }
}

TEST(contexts_of_one_model_run_beside_each_other) {
    FakeLlama fake;
    give_letters(fake);
    Engine engine(fake.api());
    ModelParams model_params;
    model_params.n_gpu_layers = 0;
    std::shared_ptr<Model> model = Model::load(engine, model_params, [](float) { return true; });
    ContextParams params;
    params.n_ctx = 64;
    params.n_seq_max = 2;
    {
        std::vector<std::shared_ptr<Collector>> sinks;
        std::vector<std::unique_ptr<Context>> contexts;
        for (int i = 0; i < 3; ++i) {
            sinks.push_back(std::make_shared<Collector>());
            contexts.push_back(open_context(model, params, sinks.back()));
        }
        model.reset();
        std::mt19937 random(1);
        std::vector<Request> requests;
        for (uint32_t id = 0; id < 60; ++id) {
            Request request;
            request.id = id;
            request.prompt = random_tokens(random, 1 + random() % 30);
            request.thinking_window = random() % 20;
            request.max_tokens = 10;
            request.hint = { 3, 4 };
            request.banned_tags = { "ab", "b" + std::string(1, static_cast<char>('c' + id % 7)) };
            requests.push_back(request);
            contexts[id % 3]->start(request);
        }
        for (const Request & request : requests) {
            const Outcome outcome = sinks[request.id % 3]->wait(request.id);
            CHECK(outcome.done.has_value());
            CHECK(outcome.thinking_text.find("ab") == std::string::npos);
        }
    }
    CHECK_EQ(fake.complaints(), std::vector<std::string> {});
}
