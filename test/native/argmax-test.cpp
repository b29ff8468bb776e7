#include "engine/sampling/argmax.h"

#include "check.h"

#include <cmath>
#include <limits>
#include <random>

using namespace z1;

namespace {

int32_t plain(const std::vector<float> & values) {
    int32_t best = -1;
    float largest = -std::numeric_limits<float>::infinity();
    for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] > largest) {
            largest = values[i];
            best = static_cast<int32_t>(i);
        }
    }
    return best;
}

void check_plain(const std::vector<float> & values) {
    CHECK_EQ(argmax(values.data(), static_cast<int32_t>(values.size())), plain(values));
}

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float lowest = std::numeric_limits<float>::lowest();
constexpr float smallest = std::numeric_limits<float>::denorm_min();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

} // namespace

TEST(random_values_of_every_size) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (size_t n = 1; n <= 200; ++n) {
        for (int repeat = 0; repeat < 20; ++repeat) {
            std::vector<float> values(n);
            for (float & value : values) {
                value = normal(random);
            }
            check_plain(values);
        }
    }
    std::vector<float> vocabulary(151936);
    for (float & value : vocabulary) {
        value = normal(random);
    }
    check_plain(vocabulary);
    vocabulary.back() = 100;
    CHECK_EQ(argmax(vocabulary.data(), 151936), 151935);
}

TEST(the_first_of_equals) {
    std::mt19937 random(2);
    for (size_t n = 1; n <= 200; ++n) {
        std::vector<float> values(n);
        for (float & value : values) {
            value = static_cast<float>(random() % 3) - 5;
        }
        check_plain(values);
    }
    check_plain({ 0.0f, -0.0f });
    check_plain({ -0.0f, 0.0f });
}

TEST(infinities_and_nans_in_places) {
    std::mt19937 random(3);
    const float some[] = { -infinity, not_a_number, -not_a_number, infinity, -1, 0, 1, lowest, smallest };
    for (int repeat = 0; repeat < 20000; ++repeat) {
        std::vector<float> values(1 + random() % 100);
        const size_t kinds = 1 + random() % std::size(some);
        for (float & value : values) {
            value = some[random() % kinds];
        }
        check_plain(values);
    }
}

TEST(none_where_no_number_is_above_minus_infinity) {
    for (const int32_t n : { 0, 1, 15, 16, 17, 100 }) {
        CHECK_EQ(argmax(std::vector<float>(n, -infinity).data(), n), -1);
        CHECK_EQ(argmax(std::vector<float>(n, not_a_number).data(), n), -1);
    }
}
