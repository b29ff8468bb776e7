#include "engine/thinking/policy.h"

#include "check.h"
#include "engine/thinking/caller.h"
#include "engine/thinking/close-tag.h"
#include "engine/thinking/landing.h"
#include "engine/thinking/loop.h"
#include "engine/thinking/margin.h"
#include "engine/thinking/sentence.h"
#include "engine/thinking/wait.h"
#include "engine/thinking/window.h"
#include "fake-llama.h"

#include <limits>
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

namespace {

// After how many pieces a window of that size lands; each piece is a sampled token.
int lands_after(int64_t size, const Pieces & pieces) {
    FakeLlama fake;
    Window * window = nullptr;
    llama_sampler * sampler = Window::create(fake.api(), size, &window);
    window->arm();
    LandingPolicy policy(*window);
    int landed = policy.ending() ? 0 : -1;
    for (size_t i = 0; i < pieces.size() && landed < 0; ++i) {
        fake.api().llama_sampler_accept(sampler, 1);
        policy.accept(1, pieces[i]);
        if (policy.ending()) {
            CHECK(policy.ending()->how == Ended::window && policy.ending()->hint_follows);
            landed = static_cast<int>(i) + 1;
        }
    }
    fake.api().llama_sampler_free(sampler);
    return landed;
}

} // namespace

TEST(a_line_ends_in_the_last_tenth_of_the_window) {
    Pieces pieces(20, "x");
    CHECK_EQ(lands_after(20, pieces), -1);
    pieces[17] = "\n"; // the 18th token
    CHECK_EQ(lands_after(20, pieces), 18);
    CHECK_EQ(lands_after(21, pieces), -1); // from the 19th on
    CHECK_EQ(lands_after(19, pieces), 18);
    CHECK_EQ(lands_after(18, pieces), 18);
    CHECK_EQ(lands_after(Window::infinite, pieces), -1);
    pieces[17] = ".\n  ";
    CHECK_EQ(lands_after(20, pieces), 18);
    pieces[17] = ".\nSo";
    CHECK_EQ(lands_after(20, pieces), -1);
    pieces[18] = "\n";
    CHECK_EQ(lands_after(20, pieces), 19);
    // A line that ended before is none that ends here.
    pieces = Pieces(20, "x");
    pieces[16] = "\n";
    CHECK_EQ(lands_after(20, pieces), -1);
    CHECK_EQ(lands_after(0, {}), -1);
}

TEST(where_a_sentence_may_end) {
    for (const char * piece :
         { ".", " it.", ".\n", "\n\n", "\n  x", "?", "!\"", ".)", ".**", ". ", "。", "！", "？", "3." }) {
        CHECK(ends_sentence(piece));
    }
    for (const char * piece : { "", "x", ",", ".x", " ", "**", "\"", ":", "}" }) {
        CHECK(!ends_sentence(piece));
    }
}

TEST(an_end_that_is_nearly_the_likeliest) {
    StatedAnswer stated;
    MarginPolicy policy(0.5f, stated);
    const auto say = [&](const char * piece) {
        stated.push(piece);
        policy.accept(1, piece);
    };
    CHECK(!policy.due() && !policy.ending());
    say("We add");
    CHECK(!policy.due());
    say(".");
    CHECK(policy.due() && !policy.ending());
    policy.look(0.51f);
    CHECK(!policy.ending());
    policy.look(0.5f);
    CHECK(policy.ending() && policy.ending()->how == Ended::early && policy.ending()->hint_follows);
    // It was said of that place alone.
    say(" So");
    CHECK(!policy.due() && !policy.ending());
    say(" \\frac{1}");
    CHECK(!policy.due());
    say("\\boxed{4}");
    CHECK(policy.due());
    policy.look(std::numeric_limits<float>::quiet_NaN());
    CHECK(!policy.ending());
}

TEST(how_often_an_end_is_replaced) {
    const WaitParams nothing;
    CHECK(!Wait(nothing).replaces(0, 100));
    const WaitParams params { { 5, 6 }, 2, 10 };
    Wait wait(params);
    CHECK(!wait.replaces(10, 100));
    CHECK(!wait.replaces(9, 1));
    CHECK(wait.replaces(9, 2));
    CHECK_EQ(wait.use(), params.tokens);
    CHECK(wait.replaces(9, 2));
    wait.use();
    CHECK(!wait.replaces(0, 100));
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
