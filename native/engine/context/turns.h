// Whether a few streams are decoded together or take turns, a step each. ggml's kernels for two or three rows can take longer than
// as many steps of one row: measured on a CPU, two streams of a Q4_K_M model together took 1.7 times as long as in turns.
// Context thread only.
#pragma once

#include <array>
#include <cstddef>

namespace z1 {

class Turns {
public:
    /// Beyond so many, all are decoded together.
    static constexpr size_t most_streams = 8;

    /// How many of `n_streams` streams that wait for their next token, each for one, the next step takes: all of them, or 1. Both are
    /// tried first, a few steps each, where a step of all takes a millisecond or more.
    size_t at_once(size_t n_streams) const;

    /// A step of `n_taken` of `n_streams` streams, all of them or one, took so many seconds.
    void took(size_t n_taken, size_t n_streams, double seconds);

private:
    struct Steps {
        size_t n = 0;
        double least = 0; // seconds; what else a machine does makes a step longer, never shorter
        void add(double seconds);
    };
    struct Measured {
        Steps together;
        Steps alone;
        size_t n_since = 0; // steps since both were measured
    };

    static bool is_measured(const Measured & one);

    std::array<Measured, most_streams + 1> measured {};
};

} // namespace z1
