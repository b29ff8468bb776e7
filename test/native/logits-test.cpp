#include "engine/sampling/logits.h"

#include "check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

using namespace z1;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

bool near(double a, double b) {
    return std::abs(a - b) < 1e-6;
}

} // namespace

TEST(log_sum_exp_of_what_can_be_worked_out) {
    CHECK(near(log_sum_exp(std::vector<float> { 0 }), 0));
    CHECK(near(log_sum_exp(std::vector<float> { 0, 0, 0, 0 }), std::log(4)));
    CHECK(near(log_sum_exp(std::vector<float> { 1000, 1000 }), 1000 + std::log(2)));
    CHECK(near(log_sum_exp(std::vector<float> { -1000, -1000 }), -1000 + std::log(2)));
    CHECK(near(log_sum_exp(std::vector<float> { 3, -infinity }), 3));
}

TEST(probabilities_add_up_to_one) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal(0, 5);
    std::vector<float> logits(1001);
    for (float & logit : logits) {
        logit = normal(random);
    }
    const double total = log_sum_exp(logits);
    double sum = 0;
    for (const float logit : logits) {
        sum += std::exp(logit - total);
    }
    CHECK(near(sum, 1));
}

TEST(the_margin_over_some_tokens) {
    const std::vector<float> logits = { 1, 5, 3, -2 };
    CHECK_EQ(margin_over(logits, std::vector<llama_token> { 2 }), 2.0f);
    CHECK_EQ(margin_over(logits, std::vector<llama_token> { 3, 0 }), 4.0f);
    CHECK_EQ(margin_over(logits, std::vector<llama_token> { 3, 1 }), 0.0f);
    CHECK_EQ(margin_over(logits, {}), infinity);
    CHECK_EQ(margin_over(std::vector<float> { 1, -infinity }, std::vector<llama_token> { 1 }), infinity);
}

TEST(the_likeliest_tokens_in_order) {
    const std::vector<float> logits = { 1, 5, -infinity, 5, -2, 3 };
    using Tokens = std::vector<llama_token>;
    CHECK_EQ(likeliest(logits, 0), Tokens {});
    CHECK_EQ(likeliest(logits, 1), Tokens { 1 });
    CHECK_EQ(likeliest(logits, 4), (Tokens { 1, 3, 5, 0 }));
    // One can never follow.
    CHECK_EQ(likeliest(logits, 20), (Tokens { 1, 3, 5, 0, 4 }));
}

TEST(the_likeliest_tokens_are_those_that_a_sort_puts_first) {
    std::mt19937 random(5);
    std::vector<float> logits(2000);
    for (float & logit : logits) {
        logit = static_cast<float>(random() % 100); // many are equal
    }
    std::vector<llama_token> sorted(logits.size());
    std::iota(sorted.begin(), sorted.end(), 0);
    std::stable_sort(sorted.begin(), sorted.end(), [&](auto a, auto b) { return logits[a] > logits[b]; });
    sorted.resize(20);
    CHECK_EQ(likeliest(logits, 20), sorted);
}
