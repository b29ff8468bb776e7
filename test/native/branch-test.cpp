// Cuts: branches of a generation, each of which must give what a request with that smaller window gives.
#include "context-rig.h"

using namespace z1;

namespace {

Request with_cuts(Request asked, const std::vector<int64_t> & windows, int32_t max_tokens = 4) {
    for (const int64_t window : windows) {
        asked.cuts.push_back({ window, max_tokens });
    }
    return asked;
}

struct Fixture {
    FakeLlama fake;

    explicit Fixture(FakeLlama::Logits logits = endless) {
        give_letters(fake);
        fake.logits = std::move(logits);
    }
};

// The text after the prompt is given; after a `+` the model says what follows.
FakeLlama::Logits script(size_t n_prompt, Tokens thinking, Tokens answer) {
    return [=](std::span<const llama_token> sequence, std::span<float> row) {
        const auto begin = sequence.begin() + n_prompt;
        const auto hint = std::find(sequence.rbegin(), std::make_reverse_iterator(begin), spell("+")[0]).base();
        const Tokens & says = hint == begin ? thinking : answer;
        const size_t said = sequence.end() - hint;
        std::fill(row.begin(), row.end(), 0.0f);
        row[said < says.size() ? says[said] : end_token] = 1;
    };
}

std::string text_of(const FakeLlama & fake, const Tokens & tokens) {
    std::string text;
    for (const llama_token token : tokens) {
        text += fake.vocabulary[token].piece;
    }
    return text;
}

// Each cut that the thinking reached has a branch, with what a request of that window alone gives; the others have none.
void check_branches(const FakeLlama & fake, const Outcome & outcome, const Request & asked, size_t n_ctx) {
    size_t n_reached = 0;
    for (const Cut & cut : asked.cuts) {
        Request separate = asked;
        separate.thinking_window = cut.thinking_window;
        separate.max_tokens = cut.max_tokens;
        const Alone expected = alone(fake, separate, n_ctx);
        const auto found = outcome.branches.find(cut.thinking_window);
        if (expected.ended != Ended::window) { // ended before the cut, as the trunk has
            CHECK(found == outcome.branches.end());
            CHECK_EQ(outcome.done->ended, expected.ended);
            CHECK_EQ(outcome.thinking, expected.thinking);
            continue;
        }
        ++n_reached;
        CHECK(found != outcome.branches.end());
        if (found == outcome.branches.end()) {
            continue;
        }
        const BranchEvent & branch = found->second;
        CHECK_EQ(branch.thinking, expected.thinking);
        CHECK_EQ(branch.thinking_text, text_of(fake, expected.thinking));
        CHECK_EQ(branch.answer, expected.answer);
        CHECK_EQ(branch.answer_text, text_of(fake, expected.answer));
        CHECK_EQ(branch.n_hint, asked.hint.size());
        CHECK_EQ(branch.done.finish_reason, expected.finish_reason);
        CHECK_EQ(branch.done.n_prompt, asked.prompt.size());
    }
    CHECK_EQ(outcome.branches.size(), n_reached);
}

} // namespace

TEST(each_cut_gives_what_a_request_of_that_window_gives) {
    std::mt19937 random(1);
    for (int i = 0; i < 300; ++i) {
        Fixture fixture(FakeLlama::hashed);
        const bool shares = random() % 2 == 0;
        fixture.fake.recurrent = random() % 3 == 0;
        const uint32_t n_ctx = 60 + random() % 60;
        Rig rig(fixture.fake, branching_params(n_ctx, 1 + random() % 4, 1 + random() % 4, 1 + random() % 40, shares));
        std::vector<std::pair<uint32_t, Request>> all;
        for (int k = 0; k < 5; ++k) {
            Request asked = request(random_tokens(random, 1 + random() % 20), 20 + random() % 10, 1 + random() % 9,
                                    random_tokens(random, 1 + random() % 6));
            asked.thinking_window = random() % 4 == 0 ? Window::infinite : asked.thinking_window;
            for (int64_t window = random() % 3; window < 18; window += 1 + random() % 6) {
                asked.cuts.push_back({ window, static_cast<int32_t>(1 + random() % 9) });
            }
            const uint32_t id = rig.start(asked);
            all.emplace_back(id, asked);
        }
        for (const auto & [id, asked] : all) {
            const Outcome outcome = rig.wait(id);
            check_alone(outcome, alone(fixture.fake, asked, n_ctx));
            check_branches(fixture.fake, outcome, asked, n_ctx);
        }
        // What is left is as good as new.
        const Request again = request(random_tokens(random, 30), 5);
        check_alone(rig.run(again), alone(fixture.fake, again, n_ctx));
    }
}

TEST(a_branch_decodes_its_last_token_with_the_hint_and_nothing_of_the_trunk) {
    for (const bool shares : { true, false }) {
        Fixture fixture;
        Rig rig(fixture.fake, branching_params(64, 1, 1, 32, shares));
        const Request asked = with_cuts(request(spell("prompt"), 6, 2), { 3 }, 2);
        const Outcome outcome = rig.run(asked);
        std::vector<FakeEntry> entries;
        for (const FakeDecode & decode : rig.decodes()) {
            for (const FakeEntry & entry : decode) {
                if (entry.seq_id == 1) {
                    entries.push_back(entry);
                }
            }
        }
        CHECK_EQ(entries.size(), 2);
        Tokens last_and_hint = { outcome.thinking[2] };
        last_and_hint.insert(last_and_hint.end(), asked.hint.begin(), asked.hint.end());
        CHECK_EQ(entries[0].pos, 8);
        CHECK_EQ(entries[0].tokens, last_and_hint);
        CHECK_EQ(entries[1].tokens, Tokens { outcome.branches.at(3).answer[0] });
        // Prompt, two tokens, then the trunk's third beside the branch's.
        CHECK_EQ(rig.decodes()[3].size(), 2);
        CHECK_EQ(outcome.branches.at(3).done.timings.decode_calls, 5);
        CHECK_EQ(outcome.done->timings.decode_calls, 1 + 5 + 1 + 1);
    }
}

TEST(a_cut_of_zero_is_the_hint_after_the_prompt) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 1, 2));
    const Request asked = with_cuts(request(spell("prompt"), 6), { 0, 1 });
    const Outcome outcome = rig.run(asked);
    check_branches(fixture.fake, outcome, asked, 64);
    for (const FakeEntry & entry : rig.decodes()[1]) {
        // The trunk's first token, the hint alone, the first token and the hint.
        CHECK_EQ(entry.pos, 6);
        CHECK_EQ(entry.tokens.size(), entry.seq_id + 1);
    }
}

TEST(a_trunk_waits_at_its_cut_for_a_spare_sequence) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    const Request asked = with_cuts(request(spell("prompt"), 20, 3), { 2, 4 }, 8);
    const Outcome outcome = rig.run(asked);
    check_alone(outcome, alone(fixture.fake, asked, 64));
    check_branches(fixture.fake, outcome, asked, 64);
    // While the first branch answers its eight tokens, the trunk gets to 4 and no further.
    size_t n_beside = 0;
    size_t n_of_branch = 0;
    for (const FakeDecode & decode : rig.decodes()) {
        const bool branches = decode.back().seq_id == 1;
        n_of_branch += branches;
        n_beside += branches && decode.size() == 2 && n_of_branch <= 8;
    }
    CHECK_EQ(n_of_branch, 16);
    CHECK_EQ(n_beside, 2); // its second and third token: the fourth waits with the cut
}

TEST(branches_of_all_requests_are_decoded_together) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 3, 3));
    std::vector<uint32_t> ids;
    const Request asked = with_cuts(request(spell("prompt"), 30, 3), { 5 }, 20);
    {
        // All three before the first step.
        std::atomic<bool> ready { false };
        fixture.fake.on_decode = [&](const FakeDecode &) {
            while (!ready) {
                std::this_thread::yield();
            }
            return 0;
        };
        for (int i = 0; i < 3; ++i) {
            ids.push_back(rig.start(asked));
        }
        ready = true;
        for (const uint32_t id : ids) {
            check_branches(fixture.fake, rig.wait(id), asked, 64);
        }
    }
    size_t most = 0;
    for (const FakeDecode & decode : rig.decodes()) {
        most = std::max(most, decode.size());
        CHECK(std::is_sorted(decode.begin(), decode.end(),
                             [](const FakeEntry & a, const FakeEntry & b) { return a.seq_id < b.seq_id; }));
    }
    CHECK_EQ(most, 6);
}

TEST(sequences_that_share_no_cells_go_through_the_model_together) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 2, 2, 32, false));
    const Request asked = with_cuts(request(spell("prompt"), 30, 3), { 0, 3 }, 20);
    const Outcome outcome = rig.run(asked);
    check_branches(fixture.fake, outcome, asked, 64);
    rig.close();
    // Sequence 1 has no request, so the trunk stands apart from its branches; no branch stands apart from another.
    for (size_t i = 0; i < fixture.fake.decodes.size(); ++i) {
        const FakeDecode & decode = fixture.fake.decodes[i];
        const bool only_next =
            std::all_of(decode.begin(), decode.end(), [](const FakeEntry & entry) { return entry.tokens.size() == 1; });
        if (only_next) {
            CHECK(fixture.fake.n_ubatches[i] <= 2);
        }
    }
}

TEST(the_end_comes_after_all_branches) {
    // The trunk says one letter more and ends; the branch answers for a long time. Meanwhile others have its sequence.
    Fixture fixture(script(6, spell("abc"), spell("answerthatislongerthanthethinking")));
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    const uint32_t first = rig.start(with_cuts(request(spell("prompt"), Window::infinite), { 2 }, 40));
    const uint32_t second = rig.start(request(spell("prompt"), 1, 3));
    const Outcome one = rig.wait(first);
    CHECK_EQ(one.thinking_text, "abc");
    CHECK_EQ(one.done->ended, Ended::self);
    CHECK_EQ(one.branches.at(2).thinking_text, "ab");
    CHECK_EQ(one.branches.at(2).answer_text, "answerthatislongerthanthethinking");
    CHECK_EQ(one.branches.at(2).done.finish_reason, FinishReason::stop);
    CHECK_EQ(rig.wait(second).answer_text, "ans");
    size_t n_together = 0;
    for (const FakeDecode & decode : rig.decodes()) {
        n_together += decode.size() == 2;
    }
    CHECK(n_together > 4);
}

TEST(a_cut_that_was_not_reached_has_no_branch) {
    Fixture fixture(script(6, spell("abc"), spell("yes")));
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    const Outcome outcome = rig.run(with_cuts(request(spell("prompt"), 10), { 3, 4, 9 }));
    CHECK_EQ(outcome.done->ended, Ended::self);
    CHECK_EQ(outcome.branches.size(), 1); // at 3 the window closes before the end is drawn
    CHECK_EQ(outcome.branches.at(3).answer_text, "yes");
}

TEST(cuts_without_a_hint_need_no_sequence) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 1, 0));
    const Request asked = with_cuts(request(spell("prompt"), 9, 4, {}), { 0, 2, 8 });
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.branches.size(), 3);
    for (const size_t window : { 0, 2, 8 }) {
        const BranchEvent & branch = outcome.branches.at(window);
        CHECK_EQ(branch.thinking, Tokens(outcome.thinking.begin(), outcome.thinking.begin() + window));
        CHECK_EQ(branch.done.ended, Ended::window);
        CHECK_EQ(branch.done.finish_reason, FinishReason::length);
        CHECK(branch.answer.empty() && branch.n_hint == 0);
    }
    CHECK_EQ(rig.decodes().size(), 9);
}

TEST(cuts_without_a_spare_sequence_are_refused) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 2, 0));
    CHECK_THROWS(Error, rig.start(with_cuts(request(spell("prompt"), 9), { 2 })));
}

TEST(what_else_ends_the_thinking_at_a_cut) {
    // A loop of four tokens is complete at the twelfth.
    Fixture fixture(script(6, spell("abcdabcdabcdabcdabcd"), spell("no")));
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    Request asked = with_cuts(request(spell("prompt"), 30), { 11, 12, 13 });
    asked.loops = true;
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.done->ended, Ended::loop);
    CHECK_EQ(outcome.thinking.size(), 12);
    CHECK_EQ(outcome.branches.size(), 2); // at 12 the window comes before the loop
    // A stop string that is complete at the cut comes before the window.
    asked = with_cuts(request(spell("prompt"), 30), { 3, 4 });
    asked.stop = { "cd" };
    asked.stop_in_thinking = true;
    const Outcome stopped = rig.run(asked);
    CHECK_EQ(stopped.done->ended, Ended::stop);
    CHECK_EQ(stopped.thinking_text, "ab");
    CHECK_EQ(stopped.branches.size(), 1);
    CHECK_EQ(stopped.branches.at(3).thinking_text, "abc"); // what was held back comes at the cut
}

TEST(a_closing_tag_that_is_complete_at_a_cut_comes_before_the_window) {
    Fixture fixture(script(6, spell("abcdef"), spell("no")));
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    Request asked = with_cuts(request(spell("prompt"), 30), { 3, 4 });
    asked.close_tag = "cd";
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.done->ended, Ended::self);
    CHECK_EQ(outcome.thinking_text, "abcd");
    CHECK_EQ(outcome.branches.size(), 1);
    CHECK_EQ(outcome.branches.at(3).answer_text, "no");
}

TEST(a_window_that_the_caller_closes_leaves_the_later_cuts_out) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    fixture.fake.on_decode = [&, n = 0](const FakeDecode &) mutable {
        if (++n == 5) {
            rig.context().end_thinking(1);
        }
        return 0;
    };
    const Outcome outcome = rig.run(with_cuts(request(spell("prompt"), 30), { 2, 20 }, 9));
    CHECK_EQ(outcome.done->ended, Ended::request);
    CHECK_EQ(outcome.branches.size(), 1);
    CHECK_EQ(outcome.branches.at(2).answer.size(), 9); // it goes on
}

TEST(stop_ends_the_branches_with_what_there_is) {
    for (const int when : { 4, 5, 8 }) {
        Fixture fixture;
        Rig rig(fixture.fake, branching_params(64, 1, 1));
        fixture.fake.on_decode = [&, n = 0](const FakeDecode &) mutable {
            if (++n == when) {
                rig.context().stop(1);
            }
            return 0;
        };
        // The second waits for the sequence of the first; the third is not reached.
        const Outcome outcome = rig.run(with_cuts(request(spell("prompt"), 30), { 2, 3, 20 }, 9));
        CHECK_EQ(outcome.done->finish_reason, FinishReason::abort);
        CHECK_EQ(outcome.branches.size(), 2);
        CHECK_EQ(outcome.branches.at(2).done.finish_reason, FinishReason::abort);
        CHECK(!outcome.branches.at(2).answer.empty());
        CHECK_EQ(outcome.branches.at(3).done.finish_reason, FinishReason::abort);
        CHECK(outcome.branches.at(3).answer.empty());
        CHECK_EQ(outcome.branches.at(3).n_hint, 2);
    }
}

TEST(stop_ends_the_branches_of_a_trunk_that_is_done) {
    Fixture fixture([](std::span<const llama_token> sequence, std::span<float> row) {
        endless(sequence, row);
        // The trunk ends after its third token, the branch never.
        row[end_token] = sequence.size() == 9 && sequence[8] != spell("+")[0] ? 1e9f : -1;
    });
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    fixture.fake.on_decode = [&, n = 0](const FakeDecode &) mutable {
        if (++n == 10) {
            rig.context().stop(1);
        }
        return 0;
    };
    const Outcome outcome = rig.run(with_cuts(request(spell("prompt"), 30), { 2 }, 50));
    CHECK_EQ(outcome.done->ended, Ended::self);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
    CHECK_EQ(outcome.branches.at(2).done.finish_reason, FinishReason::abort);
}

TEST(an_error_ends_all_with_one_event) {
    enum class What { abort, close, status, assertion, memory };
    for (const What what : { What::abort, What::close, What::status, What::assertion, What::memory }) {
        for (const int when : { 1, 4, 5, 9, 25 }) {
            Fixture fixture([](std::span<const llama_token> sequence, std::span<float> row) {
                endless(sequence, row);
                row[end_token] = sequence.size() == 12 && sequence[8] != spell("+")[0] ? 1e9f : -1; // the trunk's end
            });
            Rig rig(fixture.fake, branching_params(64, 1, 2));
            fixture.fake.on_decode = [&, n = 0](const FakeDecode &) mutable {
                if (++n != when) {
                    return 0;
                }
                switch (what) {
                    case What::abort:     rig.context().abort(1); break;
                    case What::close:     rig.context().close(); break;
                    case What::status:    return -3;
                    case What::assertion: expect_leaks_on_this_thread(); throw std::runtime_error("GGML_ASSERT");
                    case What::memory:    expect_leaks_on_this_thread(); throw std::bad_alloc();
                }
                return 0;
            };
            const Outcome outcome = rig.run(with_cuts(request(spell("prompt"), 30), { 2, 3, 5 }, 40));
            CHECK(outcome.error.has_value());
            CHECK(!outcome.done);
            if (what == What::abort || what == What::status) {
                fixture.fake.on_decode = nullptr;
                const Request again = with_cuts(request(spell("again"), 5), { 1, 2 });
                const Outcome next = rig.run(again);
                CHECK_EQ(next.error_code(), "no error");
                CHECK_EQ(next.branches.size(), 2);
            }
        }
    }
}

TEST(a_decode_is_interrupted_when_all_in_it_is_of_the_aborted_request) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    fixture.fake.on_decode = [&, n = 0](const FakeDecode & decode) mutable {
        if (++n == 5) {
            CHECK_EQ(decode.size(), 2);
            rig.context().abort(1);
        }
        return 0;
    };
    CHECK_EQ(rig.run(with_cuts(request(spell("prompt"), 30), { 2 }, 40)).error_code(), "ABORTED");
    CHECK_EQ(fixture.fake.n_interrupted.load(), 1);
}

TEST(a_copy_that_fails_ends_the_request) {
    Fixture fixture;
    fixture.fake.refuses_state = true;
    Rig rig(fixture.fake, branching_params(64, 2, 1, 32, false));
    CHECK_EQ(rig.run(with_cuts(request(spell("prompt"), 9), { 2 })).error_code(), "DECODE_FAILED");
    fixture.fake.refuses_state = false;
    CHECK_EQ(rig.run(with_cuts(request(spell("prompt"), 9), { 2 })).error_code(), "no error");
}

TEST(a_branch_of_a_sampler_with_a_memory_is_told_what_the_trunk_was) {
    Fixture fixture;
    Rig rig(fixture.fake, branching_params(64, 1, 1));
    Request asked = with_cuts(request(spell("prompt"), 4, 1), { 4 - 2 }, 1);
    asked.sampling.repeat_penalty = 1.1f;
    asked.sampling.penalty_last_n = 64;
    const Outcome outcome = rig.run(asked);
    rig.close();
    // Prompt, thinking, hint and answer of the trunk; the hint and the answer of the branch.
    CHECK_EQ(fixture.fake.told.size(), 6 + 4 + 2 + 1 + 2 + 1);
}
