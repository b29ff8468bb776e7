// Whether streams take turns, on machines that are made up (how long a step of each size takes), and in a context whose steps sleep.
#include "engine/context/turns.h"

#include "context-rig.h"

#include <chrono>
#include <thread>

using namespace z1;

namespace {

/// How many each of `n_steps` steps takes where one of n streams takes seconds(n).
template <typename Seconds>
std::vector<size_t> steps(Turns & turns, size_t n_streams, size_t n_steps, const Seconds & seconds) {
    std::vector<size_t> taken;
    for (size_t i = 0; i < n_steps; ++i) {
        taken.push_back(turns.at_once(n_streams));
        turns.took(taken.back(), n_streams, seconds(taken.back()));
    }
    return taken;
}

size_t last(Turns & turns, size_t n_streams, const std::function<double(size_t)> & seconds) {
    return steps(turns, n_streams, 20, seconds).back();
}

} // namespace

TEST(both_are_tried_before_they_are_compared) {
    Turns turns;
    const auto taken = steps(turns, 2, 10, [](size_t n) { return n == 2 ? 0.042 : 0.016; });
    CHECK_EQ(taken, (std::vector<size_t> { 2, 2, 2, 1, 1, 1, 1, 1, 1, 1 }));
    const auto others = steps(turns, 3, 10, [](size_t n) { return n == 3 ? 0.030 : 0.016; });
    CHECK_EQ(others, (std::vector<size_t> { 3, 3, 3, 1, 1, 1, 3, 3, 3, 3 }));
}

TEST(turns_are_taken_where_they_are_faster) {
    // Milliseconds of a step of 1 … 8 streams: Qwen2.5-Coder-0.5B on one thread; a machine whose steps take as long for any number.
    const std::array<double, 9> slower { 0, 25, 84, 100, 116, 150, 160, 170, 180 };
    const std::array<double, 9> even { 0, 25, 26, 27, 28, 29, 30, 31, 32 };
    for (size_t n = 2; n <= Turns::most_streams; ++n) {
        Turns turns;
        CHECK_EQ(last(turns, n, [&](size_t k) { return slower[k] / 1000; }), n * 25 * 1.05 < slower[n] ? 1 : n);
        Turns others;
        CHECK_EQ(last(others, n, [&](size_t k) { return even[k] / 1000; }), n);
    }
}

TEST(what_else_the_machine_does_decides_nothing) {
    // One of three steps of each kind is disturbed.
    for (size_t disturbed = 0; disturbed < 3; ++disturbed) {
        size_t i = 0;
        Turns turns;
        CHECK_EQ(last(turns, 2, [&](size_t n) { return (i++ % 3 == disturbed ? 1 : 0) + (n == 2 ? 0.042 : 0.016); }),
                 1);
        i = 0;
        Turns others;
        CHECK_EQ(last(others, 2, [&](size_t n) { return (i++ % 3 == disturbed ? 1 : 0) + (n == 2 ? 0.017 : 0.016); }),
                 2);
    }
}

TEST(short_steps_and_many_streams_stay_together) {
    Turns turns;
    CHECK_EQ(steps(turns, 2, 50, [](size_t n) { return n == 2 ? 0.0009 : 0.0001; }), std::vector<size_t>(50, 2));
    CHECK_EQ(steps(turns, 9, 50, [](size_t n) { return n == 9 ? 9.0 : 0.01; }), std::vector<size_t>(50, 9));
    CHECK_EQ(steps(turns, 1, 50, [](size_t) { return 0.01; }), std::vector<size_t>(50, 1));
    CHECK_EQ(turns.at_once(0), 0);
}

TEST(they_are_tried_again_after_a_while) {
    Turns turns;
    CHECK_EQ(last(turns, 2, [](size_t n) { return n == 2 ? 0.042 : 0.016; }), 1);
    // The contexts have grown, and what is shared is more.
    const auto now = [](size_t n) { return n == 2 ? 0.050 : 0.040; };
    CHECK_EQ(steps(turns, 2, 900, now), std::vector<size_t>(900, 1));
    CHECK_EQ(steps(turns, 2, 200, now).back(), 2);
}

TEST(streams_of_a_context_take_turns) {
    for (const auto & [adapts, together_is_slow] :
         std::initializer_list<std::pair<bool, bool>> { { true, false }, { true, true }, { false, true } }) {
        FakeLlama fake;
        give_letters(fake);
        fake.logits = endless;
        ContextParams params = branching_params(200, 3, 0, 32, false);
        params.adapts = adapts;
        Rig rig(fake, params);
        std::vector<Request> requests;
        for (int i = 0; i < 3; ++i) {
            requests.push_back(request(Tokens(3, i + 1), 40, 4));
        }
        std::vector<uint32_t> others;
        fake.on_decode = [&, n = 0](const FakeDecode & decode) mutable {
            if (++n == 1) {
                others = { rig.start(requests[1]), rig.start(requests[2]) };
            }
            const size_t rows = together_is_slow ? decode.size() * decode.size() : 1;
            std::this_thread::sleep_for(std::chrono::milliseconds(2 * rows));
            return 0;
        };
        check_alone(rig.run(requests[0]), alone(fake, requests[0], 200));
        for (size_t i = 0; i < others.size(); ++i) {
            check_alone(rig.wait(others[i]), alone(fake, requests[i + 1], 200));
        }
        size_t n_single = 0;
        size_t n_joint = 0;
        for (const FakeDecode & decode : rig.decodes()) {
            ++(decode.size() == 1 ? n_single : n_joint);
        }
        // 3 × 44 tokens. The first prompt and what is tried aside, they come together or one by one; sleep takes at least as long as asked.
        CHECK(adapts && together_is_slow ? n_single > 100 : n_joint > 30);
        // Who was served comes last: nobody is two rounds behind.
        std::map<llama_seq_id, size_t> served;
        for (size_t i = 0; i < rig.decodes().size(); ++i) {
            for (const FakeEntry & entry : rig.decodes()[i]) {
                CHECK(!served.contains(entry.seq_id) || i - served[entry.seq_id] <= 4);
                served[entry.seq_id] = i;
            }
        }
    }
}
