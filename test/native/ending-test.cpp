// What the policies do in a generation: who comes first, what is fed, what is told.
#include "context-rig.h"

#include <cmath>

using namespace z1;

namespace {

constexpr llama_token dot = 64;       // "."
constexpr llama_token box = 65;       // "\boxed{4}"
constexpr llama_token feed = 66;      // a line feed
constexpr llama_token close_tag = 67; // "</think>"
constexpr llama_token wait_word = 68; // "Wait"

ContextParams params(uint32_t n_ctx, uint32_t n_seq_max = 1) {
    ContextParams params;
    params.n_ctx = n_ctx;
    params.n_seq_max = n_seq_max;
    params.n_ubatch = 32;
    return params;
}

Tokens join(std::initializer_list<Tokens> parts) {
    Tokens all;
    for (const Tokens & part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

// After the prompt of 6 tokens it says one thing, whatever is fed in between, after the last `+` another, and ends. Logits: 2
// of the token that it says, `end` of the end token, which the margin of an end is 2 less, and 0 of all others.
struct Script {
    FakeLlama fake;

    Script(Tokens thinking, Tokens answer, float end = -5) {
        give_letters(fake);
        for (const char * piece : { ".", "\\boxed{4}", "\n" }) {
            fake.vocabulary.push_back({ piece });
        }
        fake.vocabulary.push_back({ "</think>", LLAMA_TOKEN_ATTR_CONTROL });
        fake.vocabulary.push_back({ "Wait" });
        fake.logits = [=](std::span<const llama_token> sequence, std::span<float> row) {
            const auto begin = sequence.begin() + 6;
            const auto hint = std::find(sequence.rbegin(), std::make_reverse_iterator(begin), spell("+")[0]).base();
            const Tokens & says = hint == begin ? thinking : answer;
            const size_t said = static_cast<size_t>(sequence.end() - hint);
            std::fill(row.begin(), row.end(), 0.0f);
            row[end_token] = end;
            row[said < says.size() ? says[said] : end_token] = 2;
        };
    }
};

Request asked(int64_t window) {
    return request(spell("prompt"), window, 4, spell("++"));
}

Request margin(int64_t window, float most) {
    Request request = asked(window);
    request.early_margin = most;
    return request;
}

Request keeping(int64_t window) {
    Request request = asked(window);
    request.keeps_stated = true;
    return request;
}

Request waiting(int64_t window, int32_t times, int64_t until = Window::infinite) {
    Request request = asked(window);
    request.wait = { spell("WA"), times, until };
    return request;
}

} // namespace

TEST(a_sentence_at_whose_end_the_end_is_likely) {
    Script script(join({ spell("ab"), { dot }, spell("cd") }), spell("yes"), 1.5f);
    Rig rig(script.fake, params(64));
    const Outcome outcome = rig.run(margin(20, 0.5f));
    // The token that was drawn to see the margin is in nobody's way.
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { dot } }));
    CHECK(outcome.cut && outcome.cut->ended == Ended::early && outcome.cut->n_hint == 2);
    CHECK_EQ(outcome.answer, spell("yes"));
    CHECK_EQ(outcome.done->ended, Ended::early);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
    // The sentence's last token has been decoded already: the hint goes alone.
    const auto & decodes = rig.decodes();
    CHECK_EQ(decodes[4].size(), 1);
    CHECK_EQ(decodes[4][0].tokens, spell("++"));
    CHECK_EQ(decodes[4][0].pos, 9);
}

TEST(an_end_that_is_not_likely_enough) {
    Script script(join({ spell("ab"), { dot }, spell("cd") }), spell("yes"), 1.5f);
    Rig rig(script.fake, params(64));
    const Outcome outcome = rig.run(margin(20, 0.49f));
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { dot }, spell("cd") }));
    CHECK_EQ(outcome.done->ended, Ended::self);
    CHECK(!outcome.cut);
}

TEST(within_a_sentence_nobody_looks) {
    Script script(spell("abcd"), spell("yes"), 1.99f);
    Rig rig(script.fake, params(64));
    CHECK_EQ(rig.run(margin(20, 1)).thinking, spell("abcd"));
}

TEST(what_ends_by_itself_at_a_sentence_is_not_asked) {
    Script script(join({ spell("ab"), { dot } }), spell("yes"));
    Rig rig(script.fake, params(64));
    const Outcome outcome = rig.run(margin(20, 0.5f));
    CHECK(!outcome.cut && outcome.done->ended == Ended::self);
}

TEST(a_window_that_closes_at_the_sentence_comes_first) {
    Script script(join({ spell("ab"), { dot }, spell("cd") }), spell("yes"), 1.5f);
    Rig rig(script.fake, params(64));
    const Outcome outcome = rig.run(margin(3, 0.5f));
    CHECK(outcome.cut && outcome.cut->ended == Ended::window && outcome.cut->n_thinking == 3);
    CHECK_EQ(outcome.answer, spell("yes"));
}

TEST(after_the_cut_nobody_looks_any_more) {
    Script script(join({ spell("ab"), { dot }, spell("cd") }), join({ spell("y"), { dot }, spell("z") }), 1.5f);
    Rig rig(script.fake, params(64));
    const Outcome outcome = rig.run(margin(20, 0.5f));
    CHECK_EQ(outcome.answer, join({ spell("y"), { dot }, spell("z") }));
}

TEST(an_early_end_without_a_hint) {
    Script script(join({ spell("ab"), { dot }, spell("cd") }), {}, 1.5f);
    Rig rig(script.fake, params(64));
    Request request = margin(20, 0.5f);
    request.hint.clear();
    const Outcome outcome = rig.run(request);
    CHECK(!outcome.cut && outcome.done->ended == Ended::early);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::length);
}

TEST(a_closing_tag_that_is_likely) {
    Script script(join({ spell("ab"), { dot }, spell("cd") }), spell("yes"));
    const auto logits = script.fake.logits;
    script.fake.logits = [=](std::span<const llama_token> sequence, std::span<float> row) {
        logits(sequence, row);
        row[close_tag] = 1.75f;
    };
    Rig rig(script.fake, params(64));
    Request request = margin(20, 0.25f);
    CHECK_EQ(rig.run(request).done->ended, Ended::self);
    request.close_tag = "</think>";
    const Outcome outcome = rig.run(request);
    CHECK(outcome.cut && outcome.cut->ended == Ended::early && outcome.cut->n_thinking == 3);
}

TEST(a_stated_answer_stands_where_the_window_closes) {
    Script script(join({ spell("ab"), { box }, spell("cd") }), spell("yes"));
    Rig rig(script.fake, params(64));
    const Outcome kept = rig.run(keeping(3));
    CHECK_EQ(kept.thinking, join({ spell("ab"), { box } }));
    CHECK(!kept.cut && kept.answer.empty());
    CHECK_EQ(kept.done->ended, Ended::stated);
    CHECK_EQ(kept.done->finish_reason, FinishReason::stop);
    // Reasoning went on, and before it there was none.
    for (const int64_t window : { 0, 1, 2, 4 }) {
        const Outcome outcome = rig.run(keeping(window));
        CHECK(outcome.cut && outcome.cut->ended == Ended::window);
        CHECK_EQ(outcome.answer, spell("yes"));
    }
    CHECK(rig.run(asked(3)).cut);
}

TEST(a_stated_answer_stands_at_every_cut) {
    Script script(join({ spell("ab"), { box }, { dot }, spell("cd") }), spell("yes"), 1.5f);
    Rig rig(script.fake, params(64));
    Request request = keeping(20);
    request.early_margin = 0.5f;
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { box } }));
    CHECK(!outcome.cut && outcome.done->ended == Ended::stated);
    request.hint.clear();
    CHECK(rig.run(request).done->ended == Ended::stated);
}

TEST(an_end_is_replaced_by_a_text) {
    Script script(spell("ab"), spell("yes"));
    Rig rig(script.fake, params(64));
    // Two tokens are said, two fed in their place: the script is at its end again.
    const Outcome outcome = rig.run(waiting(20, 2));
    CHECK_EQ(outcome.thinking, spell("ab"));
    CHECK_EQ(outcome.nudges.size(), 2);
    for (const NudgeEvent & nudge : outcome.nudges) {
        CHECK(nudge.n_thinking == 2 && nudge.n_tokens == 2);
    }
    CHECK(!outcome.cut && outcome.done->ended == Ended::self);
    const auto & decodes = rig.decodes();
    CHECK_EQ(decodes.size(), 5);
    CHECK_EQ(decodes[3][0].tokens, spell("WA"));
    CHECK_EQ(decodes[4][0].tokens, spell("WA"));
    CHECK_EQ(decodes[4][0].pos, 10);
}

TEST(it_thinks_on_after_the_text_and_the_window_holds) {
    // What is fed stands in the place of two tokens of the script.
    Script script(join({ spell("ab"), { end_token }, spell("xcdef") }), spell("yes"));
    Rig rig(script.fake, params(64));
    const Outcome outcome = rig.run(waiting(4, 1));
    CHECK_EQ(outcome.thinking, spell("abcd"));
    CHECK(outcome.cut && outcome.cut->ended == Ended::window && outcome.cut->n_thinking == 4);
    CHECK_EQ(outcome.answer, spell("yes"));
    CHECK_EQ(outcome.nudges.size(), 1);
}

TEST(a_text_that_penalties_are_told_of_is_no_thinking) {
    Script script(spell("abcd"), spell("yes"));
    Rig rig(script.fake, params(64));
    Request request = waiting(5, 1);
    request.sampling.repeat_penalty = 1.1f;
    request.sampling.penalty_last_n = 8;
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.nudges.size(), 1);
    CHECK_EQ(outcome.thinking, spell("abcd"));
    CHECK(!outcome.cut);
}

TEST(from_so_many_tokens_on_the_model_may_end) {
    Script script(spell("ab"), spell("yes"));
    Rig rig(script.fake, params(64));
    CHECK_EQ(rig.run(waiting(20, 5, 2)).nudges.size(), 0);
    CHECK_EQ(rig.run(waiting(20, 5, 3)).nudges.size(), 5);
}

TEST(an_end_is_replaced_only_where_there_is_room) {
    Script script(spell("ab"), spell("yes"));
    Rig rig(script.fake, params(15)); // 6 + 2, the text of 2, the hint of 2 and a token of the answer: 13
    const Outcome outcome = rig.run(waiting(Window::infinite, 9));
    CHECK_EQ(outcome.nudges.size(), 2);
    CHECK_EQ(outcome.done->ended, Ended::self);
}

TEST(a_closing_tag_is_replaced_too) {
    Script script(join({ spell("ab"), { close_tag }, spell("xcd"), { close_tag }, spell("yes") }), {});
    Rig rig(script.fake, params(64));
    Request request = waiting(20, 1);
    request.close_tag = "</think>";
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.thinking, join({ spell("abcd"), { close_tag } }));
    CHECK_EQ(outcome.nudges.size(), 1);
    CHECK(outcome.cut && outcome.cut->ended == Ended::self);
    CHECK_EQ(outcome.answer, spell("yes"));
}

TEST(an_answer_before_the_text_does_not_stand) {
    Script script(join({ spell("a"), { box }, { end_token }, spell("x") }), spell("yes"));
    Rig rig(script.fake, params(64));
    Request request = waiting(2, 1);
    request.keeps_stated = true;
    CHECK_EQ(rig.run(request).done->ended, Ended::stated);
    request.thinking_window = 3;
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.nudges.size(), 1);
    CHECK_EQ(outcome.done->ended, Ended::self);
}

TEST(the_first_stated_answer_ends_the_thinking) {
    Script script(join({ spell("ab"), { dot }, spell("c"), { box }, { dot }, spell("cd") }), spell("yes"));
    Rig rig(script.fake, params(64));
    Request request = asked(20);
    request.ends_stated = true;
    Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { dot }, spell("c"), { box }, { dot } }));
    CHECK(!outcome.cut && outcome.answer.empty());
    CHECK_EQ(outcome.done->ended, Ended::stated);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
    // A window that closes within its sentence finds it too, one before it does not.
    request.thinking_window = 5;
    outcome = rig.run(request);
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { dot }, spell("c"), { box } }));
    CHECK_EQ(outcome.done->ended, Ended::stated);
    request.thinking_window = 4;
    outcome = rig.run(request);
    CHECK(outcome.cut && outcome.cut->ended == Ended::window);
    CHECK_EQ(outcome.answer, spell("yes"));
}

TEST(the_least_probability_of_the_answers_tokens) {
    Script script(spell("abcd"), spell("yes"), -5);
    const auto logits = script.fake.logits;
    script.fake.logits = [=](std::span<const llama_token> sequence, std::span<float> row) {
        logits(sequence, row);
        if (sequence.back() == spell("y")[0]) {
            row[spell("k")[0]] = 1; // the e after it has a rival
        }
    };
    Rig rig(script.fake, params(64));
    Request request = asked(2);
    CHECK(!rig.run(request).done->confidence);
    request.confidence = true;
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.answer, spell("yes"));
    const double others = static_cast<double>(script.fake.vocabulary.size()) - 3;
    const double expected = std::exp(2) / (std::exp(2) + std::exp(1) + std::exp(-5) + others);
    CHECK(outcome.done->confidence && std::abs(*outcome.done->confidence - expected) < 1e-6);
    // Nothing was answered.
    request.thinking_window = 20;
    CHECK(!rig.run(request).done->confidence);
}

TEST(log_probabilities_stand_beside_their_tokens) {
    Script script(spell("abcd"), spell("yes"), -5);
    Rig rig(script.fake, params(64));
    Request request = asked(2);
    CHECK(rig.run(request).answer_logprobs.empty());
    request.logprobs = LogprobParams { 2, false };
    const Outcome answer = rig.run(request);
    CHECK(answer.thinking_logprobs.empty());
    CHECK_EQ(answer.answer_logprobs.size(), answer.answer.size());
    const double others = static_cast<double>(script.fake.vocabulary.size()) - 2;
    const double total = std::log(std::exp(2) + std::exp(-5) + others);
    for (size_t i = 0; i < answer.answer.size(); ++i) {
        const TokenLogprobs & one = answer.answer_logprobs[i];
        CHECK_EQ(one.sampled.token, answer.answer[i]);
        CHECK(std::abs(one.sampled.logprob - (2 - total)) < 1e-6);
        CHECK_EQ(one.top.size(), 2);
        CHECK_EQ(one.top[0].token, answer.answer[i]);
        CHECK(std::abs(one.top[1].logprob + total) < 1e-6); // one of the others, whose logits are 0
    }
    CHECK_EQ(answer.answer_logprobs[0].sampled.text, "y");

    request.logprobs = LogprobParams { 0, true };
    const Outcome both = rig.run(request);
    CHECK_EQ(both.thinking_logprobs.size(), 2);
    CHECK_EQ(both.thinking_logprobs[1].sampled.text, "b");
    CHECK(both.thinking_logprobs[1].top.empty());
}

// What was not wanted, an end that was replaced here, leaves nothing behind.
TEST(a_replaced_end_has_no_log_probability) {
    Script script(join({ spell("ab"), { end_token }, spell("xcd") }), spell("yes"));
    Rig rig(script.fake, params(64));
    Request request = waiting(20, 1);
    request.logprobs = LogprobParams { 0, true };
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.thinking, spell("abcd"));
    CHECK_EQ(outcome.thinking_logprobs.size(), 4);
    CHECK_EQ(outcome.thinking_logprobs[2].sampled.text, "c");
}

TEST(a_banned_token_takes_its_part_of_the_probability) {
    Script script(spell("ab"), spell("y"), -5);
    const auto logits = script.fake.logits;
    script.fake.logits = [=](std::span<const llama_token> sequence, std::span<float> row) {
        logits(sequence, row);
        row[close_tag] = 3;
    };
    Rig rig(script.fake, params(64));
    Request request = asked(1);
    request.max_tokens = 1;
    request.confidence = true;
    request.banned_tags = { "</think>" };
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.answer, spell("y"));
    const double others = static_cast<double>(script.fake.vocabulary.size()) - 3;
    const double expected = std::exp(2) / (std::exp(2) + std::exp(3) + std::exp(-5) + others);
    CHECK(outcome.done->confidence && std::abs(*outcome.done->confidence - expected) < 1e-6);
}

namespace {

ContextParams with_branch() {
    ContextParams shape = params(64);
    shape.n_branches = 1;
    return shape;
}

// The second letter of the answer has a rival: its probability is about a half of what is beside the other tokens.
struct Unsure : Script {
    explicit Unsure(Tokens thinking) : Script(thinking, spell("yes")) {
        const auto logits = fake.logits;
        fake.logits = [=](std::span<const llama_token> sequence, std::span<float> row) {
            logits(sequence, row);
            for (float & logit : row) {
                logit *= 10;
            }
            if (sequence.back() == spell("y")[0]) {
                row[spell("k")[0]] = 19.9f;
            }
        };
    }
};

Request probing(double least) {
    Request request = asked(20);
    request.early_probe = least;
    return request;
}

} // namespace

TEST(a_probe_that_is_sure_ends_the_thinking_where_the_answer_was_stated) {
    Unsure script(join({ spell("ab"), { box }, spell("cd") }));
    Rig rig(script.fake, with_branch());
    const Outcome outcome = rig.run(probing(0.5));
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { box } }));
    CHECK(outcome.cut && outcome.cut->ended == Ended::early);
    CHECK_EQ(outcome.answer, spell("yes"));
    CHECK(outcome.branches.empty());
    CHECK_EQ(outcome.done->n_probe, 2 + 3); // the hint and the answer
}

TEST(a_probe_that_is_not_sure_leaves_the_thinking_as_it_is) {
    Unsure script(join({ spell("ab"), { box }, { dot }, spell("cd") }));
    Rig rig(script.fake, with_branch());
    const Outcome outcome = rig.run(probing(0.6));
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { box }, { dot }, spell("cd") }));
    CHECK_EQ(outcome.done->ended, Ended::self);
    CHECK_EQ(outcome.done->n_probe, 2 + 3); // once: the full stop states nothing new
}

TEST(cuts_of_a_thinking_that_ends_where_it_states_its_answer) {
    Script script(join({ spell("abc"), { box }, { dot }, spell("cd") }), spell("yes"));
    Rig rig(script.fake, with_branch());
    Request request = asked(20);
    request.ends_stated = true;
    request.cuts = { { 2, 4 }, { 4, 4 } };
    const Outcome outcome = rig.run(request);
    CHECK_EQ(outcome.done->ended, Ended::stated);
    CHECK_EQ(outcome.branches.at(2).done.ended, Ended::window);
    CHECK_EQ(outcome.branches.at(4).done.ended, Ended::stated);
}

TEST(a_sure_probe_lets_the_stated_answer_stand) {
    Unsure script(join({ spell("ab"), { box }, spell("cd") }));
    Rig rig(script.fake, with_branch());
    Request request = probing(0.5);
    request.keeps_stated = true;
    const Outcome outcome = rig.run(request);
    CHECK(!outcome.cut && outcome.done->ended == Ended::stated);
    CHECK_EQ(outcome.done->n_probe, 5);
}

TEST(a_probe_is_at_most_so_long_and_ends_with_its_answer) {
    Script script(join({ spell("ab"), { box }, spell("cd") }),
                  join({ spell("yyyyyyyyyyyyyyyyyyyyyyyyy"), { box }, spell("yyy") }));
    Rig rig(script.fake, with_branch());
    Request request = probing(1);
    request.max_tokens = 30;
    CHECK_EQ(rig.run(request).done->n_probe, 2 + ProbePolicy::max_tokens);
    Script stating(join({ spell("ab"), { box }, spell("cd") }), join({ spell("y"), { box }, spell("yyyyy") }));
    Rig other(stating.fake, with_branch());
    CHECK_EQ(other.run(request).done->n_probe, 2 + 2);
}

TEST(where_the_model_says_wait_it_is_probed_too) {
    Unsure script(join({ spell("ab"), { dot, wait_word }, spell("cd") }));
    Rig rig(script.fake, with_branch());
    const Outcome outcome = rig.run(probing(0.5));
    CHECK_EQ(outcome.thinking, join({ spell("ab"), { dot, wait_word } }));
    CHECK(outcome.cut && outcome.cut->ended == Ended::early);
    CHECK_EQ(rig.run(probing(0.6)).done->n_probe, 5);
    // Nothing was thought since the last probe.
    Unsure stating(join({ spell("ab"), { box, dot, wait_word }, spell("cd"), { dot, wait_word }, spell("e") }));
    Rig other(stating.fake, with_branch());
    CHECK_EQ(other.run(probing(0.6)).done->n_probe, 5 + 5);
}

TEST(where_the_window_closes_nothing_is_probed) {
    Unsure script(join({ spell("ab"), { box }, spell("cd") }));
    Rig rig(script.fake, with_branch());
    Request request = probing(0.5);
    request.thinking_window = 3;
    const Outcome outcome = rig.run(request);
    CHECK(outcome.cut && outcome.cut->ended == Ended::window);
    CHECK_EQ(outcome.done->n_probe, 0);
}

TEST(requests_that_probe_at_once_share_the_spare_sequence) {
    Unsure script(join({ spell("ab"), { box }, spell("cd") }));
    ContextParams shape = with_branch();
    shape.n_seq_max = 3;
    Rig rig(script.fake, shape);
    std::vector<uint32_t> ids;
    for (int i = 0; i < 5; ++i) {
        ids.push_back(rig.start(probing(i % 2 == 0 ? 0.5 : 0.6)));
    }
    for (int i = 0; i < 5; ++i) {
        const Outcome outcome = rig.wait(ids[i]);
        CHECK_EQ(outcome.done->ended, i % 2 == 0 ? Ended::early : Ended::self);
        CHECK_EQ(outcome.done->n_probe, 5);
    }
}

TEST(the_window_lands_on_a_line_and_the_line_feed_goes_with_the_hint) {
    Script script(join({ spell("abcdefghijklmnopq"), { feed }, spell("xyz") }), spell("yes"));
    Rig rig(script.fake, params(64));
    Request request = asked(20);
    request.lands_on_line = true;
    const Outcome outcome = rig.run(request);
    CHECK(outcome.cut && outcome.cut->ended == Ended::window && outcome.cut->n_thinking == 18);
    CHECK_EQ(rig.decodes()[18][0].tokens, join({ { feed }, spell("++") }));
}
