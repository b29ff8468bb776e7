#include "engine/thinking/loop.h"

#include "check.h"

#include <optional>
#include <random>

using namespace z1;

namespace {

using Tokens = std::vector<llama_token>;

Tokens repeated(const Tokens & block, size_t n_tokens) {
    Tokens tokens;
    while (tokens.size() < n_tokens) {
        tokens.push_back(block[tokens.size() % block.size()]);
    }
    return tokens;
}

Tokens counting(size_t n, llama_token from = 1000) {
    Tokens tokens;
    for (size_t i = 0; i < n; ++i) {
        tokens.push_back(from + static_cast<llama_token>(i));
    }
    return tokens;
}

Tokens join(std::initializer_list<Tokens> parts) {
    Tokens all;
    for (const Tokens & part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

// After how many tokens a loop is seen first, and its period.
struct Found {
    size_t n_tokens;
    int32_t period;
};

std::optional<Found> found(const Tokens & tokens) {
    LoopDetector detector;
    for (size_t i = 0; i < tokens.size(); ++i) {
        if (const int32_t period = detector.push(tokens[i])) {
            return Found { i + 1, period };
        }
    }
    return {};
}

void check_found(const Tokens & tokens, std::optional<Found> expected) {
    const std::optional<Found> got = found(tokens);
    CHECK_EQ(got.has_value(), expected.has_value());
    if (got && expected) {
        CHECK_EQ(got->n_tokens, expected->n_tokens);
        CHECK_EQ(got->period, expected->period);
    }
}

// By its definition: whether the last `length` of the tokens repeat with the period.
bool has_period(const Tokens & tokens, size_t period, size_t length) {
    if (length > tokens.size()) {
        return false;
    }
    for (size_t i = tokens.size() - length + period; i < tokens.size(); ++i) {
        if (tokens[i] != tokens[i - period]) {
            return false;
        }
    }
    return true;
}

int32_t searched(const Tokens & tokens) {
    const auto unit_of = [&](size_t length) {
        for (int32_t unit = 1; unit < 4; ++unit) {
            if (has_period(tokens, unit, length)) {
                return unit;
            }
        }
        return 0;
    };
    for (int32_t period = 4; period <= 128; ++period) {
        if (has_period(tokens, period, 3 * period) && unit_of(3 * period) == 0) {
            return period;
        }
    }
    return unit_of(3 * 128);
}

} // namespace

TEST(worked_out_by_hand) {
    const Tokens four = { 1, 2, 3, 4 };
    const Tokens five = { 1, 2, 3, 4, 5 };
    check_found({}, {});
    check_found(counting(500), {});
    // Three times in a row, not two; the first token of a fourth time is not waited for.
    check_found(repeated(four, 11), {});
    check_found(repeated(four, 40), Found { 12, 4 });
    check_found(repeated(five, 40), Found { 15, 5 });
    // Wherever it begins.
    check_found(join({ counting(70), repeated(four, 12) }), Found { 82, 4 });
    check_found(join({ { 4 }, repeated(four, 11) }), Found { 12, 4 });
    // With a gap it is none.
    check_found(join({ four, four, { 9 }, four, four, { 9 } }), {});
    // But with the gap it may be.
    check_found(join({ four, { 9 }, four, { 9 }, four, { 9 } }), Found { 15, 5 });
    // The longest block, and one that is longer.
    check_found(repeated(counting(128), 500), Found { 384, 128 });
    check_found(repeated(counting(129), 500), {});
    // One that holds a repetition of its own.
    check_found(repeated({ 1, 2, 1, 2, 3 }, 40), Found { 15, 5 });
}

TEST(short_units_count_only_once_they_are_long) {
    // Units of 1, 2 and 3 tokens: 3 × 128 of them.
    check_found(repeated({ 7 }, 383), {});
    check_found(repeated({ 7 }, 500), Found { 384, 1 });
    check_found(repeated({ 7, 8 }, 500), Found { 384, 2 });
    check_found(repeated({ 7, 8, 9 }, 500), Found { 384, 3 });
    check_found(join({ counting(10), repeated({ 7 }, 383), counting(10) }), {});
    // Zeros in a block that counts.
    check_found(repeated({ 0, 0, 0, 0, 0, 1 }, 40), Found { 18, 6 });
    // A row of zeros that ends a block is no loop of zeros, and the block is found all the same.
    check_found(repeated(join({ repeated({ 0 }, 20), { 1 } }), 100), Found { 63, 21 });
}

TEST(it_is_seen_as_long_as_it_goes_on) {
    LoopDetector detector;
    for (int i = 0; i < 400; ++i) {
        CHECK_EQ(detector.push(i % 4), i < 11 ? 0 : 4);
    }
    CHECK_EQ(detector.push(9), 0);
    for (int i = 0; i < 11; ++i) {
        CHECK_EQ(detector.push(i % 4), 0);
    }
    CHECK_EQ(detector.push(3), 4);
}

// Token by token what a search in all of the text finds.
TEST(random_texts_with_and_without_loops) {
    std::mt19937 random(1);
    for (int round = 0; round < 50; ++round) {
        Tokens tokens;
        LoopDetector detector;
        while (tokens.size() < 700) {
            Tokens block;
            for (size_t n = 1 + random() % (random() % 3 == 0 ? 140 : 9); n > 0; --n) {
                block.push_back(random() % (1 + round % 4));
            }
            const size_t length = block.size() * (1 + random() % 4) + random() % 3 + (random() % 20 == 0 ? 390 : 0);
            for (const llama_token token : repeated(block, length)) {
                tokens.push_back(token);
                const int32_t period = detector.push(token);
                if (period != searched(tokens)) {
                    CHECK_EQ(period, searched(tokens));
                    return;
                }
            }
        }
    }
}

TEST(as_a_policy_it_ends_the_thinking_with_the_hint) {
    LoopPolicy policy;
    for (int i = 0; i < 12; ++i) {
        CHECK(!policy.ending());
        policy.accept(i % 4, "x");
    }
    const auto ending = policy.ending();
    CHECK(ending && ending->how == Ended::loop && ending->hint_follows);
}
