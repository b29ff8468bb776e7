// A model that repeats itself: the same block of tokens again and again, exactly.
#pragma once

#include "engine/thinking/policy.h"

#include <array>
#include <cstdint>

namespace z1 {

/// Watches a text while it grows. Each token costs `max_period` comparisons; memory does not grow. A copy in C++ of what
/// LoopDetector of lib/ does with its defaults.
///
/// A block that is itself made of something shorter than `min_period` (a row of zeros, a rule of dashes) is often meant:
/// it counts only once it is as long as `n_repeats` of the longest block.
class LoopDetector {
public:
    static constexpr int32_t min_period = 4;   // tokens of the shortest block that counts
    static constexpr int32_t max_period = 128; // of the longest one that is looked for; a power of two
    static constexpr int32_t n_repeats = 3;    // how many times in a row a block must stand

    /// Takes the next token. Returns the period of the loop that it completes or continues, 0 if there is none.
    int32_t push(llama_token token);

private:
    int32_t unit_of(int32_t length) const;
    bool spans(int32_t period, int32_t length) const { return n_equal[period] >= length - period; }

    std::array<llama_token, max_period> recent {}; // token i at i modulo max_period
    // By period: how many of the last tokens in a row equal the one a period before.
    std::array<int32_t, max_period + 1> n_equal {};
    int64_t n_tokens = 0;
};

class LoopPolicy : public Policy {
public:
    void accept(llama_token token, std::string_view) override { looping = detector.push(token) != 0; }

    std::optional<Ending> ending() const override {
        return looping ? std::optional(Ending { Ended::loop, true }) : std::nullopt;
    }

private:
    LoopDetector detector;
    bool looping = false;
};

} // namespace z1
