#include "engine/thinking/policy.h"

#include "check.h"
#include "engine/thinking/caller.h"
#include "engine/thinking/close-tag.h"
#include "engine/thinking/loop.h"

#include <string>
#include <vector>

using namespace z1;

namespace {

using Pieces = std::vector<std::string>;

// After how many pieces the thinking ends; -1 if it does not.
int ends_after(Policy & policy, const Pieces & pieces) {
    if (policy.ending()) {
        return 0;
    }
    for (size_t i = 0; i < pieces.size(); ++i) {
        policy.accept(1, pieces[i]);
        if (policy.ending()) {
            return static_cast<int>(i) + 1;
        }
    }
    return -1;
}

int tag_ends_after(const std::string & tag, const Pieces & pieces) {
    CloseTagPolicy policy(tag);
    const int n = ends_after(policy, pieces);
    if (n >= 0) {
        CHECK(policy.ending()->how == Ended::self && !policy.ending()->hint_follows);
    }
    return n;
}

} // namespace

TEST(the_closing_tag_however_it_is_cut) {
    CHECK_EQ(tag_ends_after("</think>", { "a", "</think>" }), 2);
    CHECK_EQ(tag_ends_after("</think>", { "a</think>b" }), 1);
    CHECK_EQ(tag_ends_after("</think>", { "x<", "/", "think", ">y", "z" }), 4);
    CHECK_EQ(tag_ends_after("</think>", { "<", "<", "/think", "", ">" }), 5);
    CHECK_EQ(tag_ends_after("aab", { "a", "a", "a", "b" }), 4);
    CHECK_EQ(tag_ends_after("b", { "a", "b" }), 2);
    CHECK_EQ(tag_ends_after("b", { "aba" }), 1);
}

TEST(what_is_not_the_closing_tag) {
    CHECK_EQ(tag_ends_after("</think>", {}), -1);
    CHECK_EQ(tag_ends_after("</think>", { "<think>", "</thin", "k", "</ think>" }), -1);
    CHECK_EQ(tag_ends_after("</think>", { "</", "x", "think>" }), -1);
}

TEST(every_cut_of_a_text_with_the_closing_tag) {
    const std::string text = "<<</thi</think>>";
    const size_t end = text.find("</think>") + 8;
    for (unsigned cuts = 0; cuts < 1u << (text.size() - 1); ++cuts) {
        CloseTagPolicy policy("</think>");
        std::string piece;
        for (size_t i = 0; i < text.size(); ++i) {
            piece += text[i];
            if (cuts >> i & 1 || i + 1 == text.size()) {
                policy.accept(1, piece);
                piece.clear();
                if (policy.ending().has_value() != (i + 1 >= end)) {
                    CHECK_EQ(policy.ending().has_value(), i + 1 >= end);
                    return;
                }
            }
        }
    }
}

TEST(the_caller_ends_it_whatever_is_sampled) {
    CallerPolicy policy;
    CHECK_EQ(ends_after(policy, { "a", "b" }), -1);
    policy.end_thinking();
    const auto ending = policy.ending();
    CHECK(ending && ending->how == Ended::request && ending->hint_follows);
    policy.end_thinking();
    CHECK(policy.ending().has_value());
}

TEST(the_first_of_several_that_end_it_is_right) {
    PolicyList policies;
    CHECK(!policies.ending());
    policies.add(std::make_unique<CloseTagPolicy>("x"));
    auto owned = std::make_unique<CallerPolicy>();
    CallerPolicy & caller = *owned;
    policies.add(std::make_unique<LoopPolicy>());
    policies.add(std::move(owned));
    CHECK(!policies.ending());
    caller.end_thinking();
    CHECK(policies.ending()->how == Ended::request);
    // All of them see every token.
    for (int i = 0; i < 12; ++i) {
        policies.accept(i % 4, "y");
    }
    CHECK(policies.ending()->how == Ended::loop);
    policies.accept(9, "x");
    CHECK(policies.ending()->how == Ended::self);
    CHECK(!policies.ending()->hint_follows);
}
