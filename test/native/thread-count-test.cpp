// How many threads a context takes, on machines that are made up: cores, others that are always ready to run, and threads of ours that spin.
#include "engine/context/thread-count.h"

#include "check.h"

#include <algorithm>
#include <random>

using namespace z1;

namespace {

struct Machine {
    double n_cores = 2;
    double n_others = 0; // of them always ready
    double n_own = 0;    // of this process, beside ours, always ready
    CoreTimes times { 0, 0, 0 };
    bool tells = true;
    std::mt19937 random { 7 };

    ThreadCount::Read read() {
        return [this]() -> std::optional<CoreTimes> {
            if (!tells) {
                return {};
            }
            // What is idle is counted in ticks, of each core at another time.
            const double tick = 0.01 * std::uniform_real_distribution<double>(-1, 1)(random);
            return CoreTimes { times.idle + tick, times.process, times.thread };
        };
    }

    /// Our n threads decode for so many seconds.
    void pass(double seconds, int32_t n) {
        const double share = std::min(1.0, n_cores / std::max(1.0, n + n_others + n_own));
        times.idle += seconds * std::max(0.0, n_cores - n - n_others - n_own);
        times.process += seconds * share * (n + n_own);
        times.thread += seconds * share * std::min(n, 1);
    }
};

/// The number after some seconds of decoding.
int32_t after(Machine & machine, ThreadCount & count, double & now, double seconds, double step = 0.02) {
    int32_t n = count.next(now);
    for (const double end = now + seconds; now < end; now += step) {
        machine.pass(step, n);
        n = count.next(now + step);
    }
    return n;
}

} // namespace

TEST(all_of_them_on_an_idle_machine) {
    for (const int32_t most : { 1, 2, 4, 16 }) {
        for (const double n_cores : { 1.0 * most, 2.0 * most }) {
            Machine machine;
            machine.n_cores = n_cores;
            double now = 5;
            ThreadCount count(most, now, machine.read());
            for (int i = 0; i < 100; ++i) {
                CHECK_EQ(after(machine, count, now, 0.2), most);
            }
        }
    }
}

TEST(as_many_as_others_leave) {
    struct Case {
        int32_t n_cores;
        double n_others;
        int32_t expected;
    };
    for (const Case & one : std::initializer_list<Case> {
             { 2, 1, 1 }, { 2, 10, 1 }, { 4, 1, 3 }, { 4, 2, 2 }, { 8, 3, 5 }, { 2, 0.2, 2 }, { 4, 4, 1 } }) {
        Machine machine;
        machine.n_cores = one.n_cores;
        double now = 0;
        ThreadCount count(one.n_cores, now, machine.read());
        machine.n_others = one.n_others;
        const int32_t n = after(machine, count, now, 2);
        // Of four and more, ours have to share before that is seen: their part shrinks step by step.
        CHECK(n >= one.expected && n <= one.expected + (one.n_cores > 2 ? 1 : 0));
        machine.n_others = 0;
        CHECK_EQ(after(machine, count, now, 2), one.n_cores);
    }
}

TEST(within_a_quarter_of_a_second_and_back) {
    Machine machine;
    double now = 0;
    ThreadCount count(2, now, machine.read());
    CHECK_EQ(after(machine, count, now, 1), 2);
    machine.n_others = 1;
    CHECK_EQ(after(machine, count, now, 0.25), 1);
    machine.n_others = 0;
    CHECK_EQ(after(machine, count, now, 0.25), 2);
}

TEST(threads_of_the_same_process_are_others_too) {
    Machine machine;
    double now = 0;
    ThreadCount count(2, now, machine.read());
    machine.n_own = 1;
    CHECK_EQ(after(machine, count, now, 1), 1);
    machine.n_own = 0;
    CHECK_EQ(after(machine, count, now, 1), 2);
}

TEST(a_short_disturbance_changes_nothing) {
    Machine machine;
    double now = 0;
    ThreadCount count(2, now, machine.read());
    for (int i = 0; i < 20; ++i) {
        machine.n_others = 1;
        CHECK_EQ(after(machine, count, now, 0.08), 2);
        machine.n_others = 0;
        CHECK_EQ(after(machine, count, now, 0.4), 2);
    }
}

TEST(what_is_about_half_a_core_does_not_move_it_up_and_down) {
    for (const double n_others : { 0.3, 0.4, 0.5, 0.6, 0.7, 0.8 }) {
        Machine machine;
        machine.n_others = n_others;
        double now = 0;
        ThreadCount count(2, now, machine.read());
        int n_changes = 0;
        int32_t before = 2;
        for (int i = 0; i < 200; ++i) {
            const int32_t n = after(machine, count, now, 0.1);
            n_changes += n != before;
            before = n;
        }
        CHECK(n_changes <= 1);
    }
}

TEST(one_long_step_is_one_reading) {
    Machine machine;
    double now = 0;
    ThreadCount count(2, now, machine.read());
    machine.n_others = 1;
    CHECK_EQ(after(machine, count, now, 3, 3), 2);
    CHECK_EQ(after(machine, count, now, 3, 3), 1);
}

TEST(where_the_system_tells_nothing_it_stays) {
    Machine machine;
    machine.tells = false;
    double now = 0;
    ThreadCount never(2, now, machine.read());
    machine.n_others = 3;
    CHECK_EQ(after(machine, never, now, 1), 2);
    machine.tells = true;
    machine.n_others = 0;
    ThreadCount count(2, now, machine.read());
    machine.tells = false;
    machine.n_others = 3;
    CHECK_EQ(after(machine, count, now, 1), 2);
}

TEST(this_machine_tells) {
    const std::optional<CoreTimes> before = core_times();
    const double start = now();
    volatile double sum = 0;
    while (now() - start < 0.05) {
        sum = sum + 1;
    }
    const std::optional<CoreTimes> after = core_times();
    CHECK(before.has_value() && after.has_value());
    CHECK(after->thread > before->thread);
    CHECK(after->process - before->process >= after->thread - before->thread - 0.02);
    CHECK(after->idle >= before->idle);
}
