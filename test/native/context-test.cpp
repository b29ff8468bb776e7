#include "context-rig.h"

#include <cmath>
#include <limits>

using namespace z1;

namespace {

ContextParams params(uint32_t n_ctx, uint32_t n_seq_max = 1, uint32_t n_ubatch = 32) {
    ContextParams params;
    params.n_ctx = n_ctx;
    params.n_seq_max = n_seq_max;
    params.n_ubatch = n_ubatch;
    return params;
}

// A model that says one thing after the prompt and another after the last `+`, and then ends. Its second choice is
// always token 1.
FakeLlama::Logits script(size_t n_prompt, Tokens thinking, Tokens answer = {}) {
    return [=](std::span<const llama_token> sequence, std::span<float> row) {
        const auto begin = sequence.begin() + n_prompt;
        const llama_token plus = spell("+")[0];
        const auto hint = std::find(sequence.rbegin(), std::make_reverse_iterator(begin), plus).base();
        const Tokens & says = hint == begin ? thinking : answer;
        const size_t said = sequence.end() - hint;
        std::fill(row.begin(), row.end(), 0.0f);
        row[1] = 1;
        row[said < says.size() ? says[said] : end_token] = 2;
    };
}

struct Fixture {
    FakeLlama fake;

    explicit Fixture(FakeLlama::Logits logits = FakeLlama::hashed) {
        give_letters(fake);
        fake.logits = std::move(logits);
    }

    // Does something in the n-th llama_decode, counted from 1.
    template <typename Action>
    void in_decode(int n, Action action) {
        fake.on_decode = [action, n, count = 0](const FakeDecode &) mutable {
            if (++count == n) {
                action();
            }
            return 0;
        };
    }
};

FakeEntry the_only(const FakeDecode & decode) {
    CHECK_EQ(decode.size(), 1);
    return decode[0];
}

void check_entry(const FakeEntry & entry, llama_pos pos, const Tokens & tokens, bool samples) {
    CHECK_EQ(entry.pos, pos);
    CHECK_EQ(entry.tokens, tokens);
    CHECK_EQ(entry.samples, samples);
}

} // namespace

TEST(the_window_closes_after_exactly_its_tokens) {
    for (const int window : { 1, 2, 3, 7, 20 }) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(64));
        const Request asked = request(spell("prompt"), window, 4, spell("+hint+"));
        const Outcome outcome = rig.run(asked);
        check_alone(outcome, alone(fixture.fake, asked, 64));
        CHECK_EQ(outcome.thinking.size(), window);
        CHECK_EQ(outcome.answer.size(), 4);
        CHECK(outcome.cut && outcome.cut->ended == Ended::window);
        CHECK_EQ(outcome.cut->n_thinking, window);
        CHECK_EQ(outcome.cut->n_hint, 6);

        // The prompt, all but the last token of the thinking, that one and the hint, all but the last of the answer.
        const auto & decodes = rig.decodes();
        CHECK_EQ(decodes.size(), 1 + (window - 1) + 1 + 3);
        CHECK_EQ(outcome.done->timings.decode_calls, decodes.size());
        check_entry(the_only(decodes[0]), 0, asked.prompt, true);
        Tokens last_and_hint = { outcome.thinking.back() };
        last_and_hint.insert(last_and_hint.end(), asked.hint.begin(), asked.hint.end());
        check_entry(the_only(decodes[window]), 6 + window - 1, last_and_hint, true);
        for (int i = 1; i < window; ++i) {
            check_entry(the_only(decodes[i]), 6 + i - 1, { outcome.thinking[i - 1] }, true);
        }
    }
}

TEST(a_window_of_zero_puts_the_hint_after_the_prompt) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64));
    const Request asked = request(spell("prompt"), 0);
    const Outcome outcome = rig.run(asked);
    check_alone(outcome, alone(fixture.fake, asked, 64));
    CHECK(outcome.thinking.empty());
    CHECK(outcome.cut && outcome.cut->ended == Ended::window && outcome.cut->n_thinking == 0);
    check_entry(the_only(rig.decodes()[0]), 0, asked.prompt, false);
    check_entry(the_only(rig.decodes()[1]), 6, asked.hint, true);
}

TEST(the_model_ends_by_itself_within_its_window) {
    for (const size_t length : { 0, 1, 5 }) {
        const Tokens says = spell(std::string(length, 'x'));
        for (const int64_t window : { int64_t(length), int64_t(length) + 1, Window::infinite }) {
            Fixture fixture(script(6, says, spell("yes")));
            Rig rig(fixture.fake, params(64));
            const Outcome outcome = rig.run(request(spell("prompt"), window));
            CHECK_EQ(outcome.thinking, says);
            if (window == int64_t(length)) {
                CHECK(outcome.cut && outcome.cut->ended == Ended::window);
                CHECK_EQ(outcome.answer_text, "yes");
            } else {
                CHECK(!outcome.cut && outcome.done->ended == Ended::self);
                CHECK_EQ(outcome.answer_text, "");
            }
            CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
        }
    }
}

TEST(random_requests_give_what_a_plain_loop_gives) {
    std::mt19937 random(1);
    for (int i = 0; i < 400; ++i) {
        Fixture fixture;
        const uint32_t n_ctx = 8 + random() % 80;
        const uint32_t n_ubatch = 1 + random() % 40;
        Rig rig(fixture.fake, params(n_ctx, 1, n_ubatch));
        Request asked = request(random_tokens(random, 1 + random() % (n_ctx - 1)), random() % 30, 1 + random() % 30,
                                random_tokens(random, 1 + random() % 10));
        if (random() % 4 == 0) {
            asked.thinking_window = Window::infinite;
        }
        const Outcome outcome = rig.run(asked);
        check_alone(outcome, alone(fixture.fake, asked, n_ctx));
        CHECK_EQ(outcome.done->n_prompt, asked.prompt.size());
        CHECK_EQ(outcome.done->n_cached, 0);
        std::string text;
        for (const llama_token token : outcome.thinking) {
            text += fixture.fake.vocabulary[token].piece;
        }
        CHECK_EQ(outcome.thinking_text, text);
        CHECK_EQ(outcome.done->timings.decode_calls, rig.decodes().size());
    }
}

TEST(the_context_gets_full) {
    const struct {
        int64_t window;
        size_t n_thinking, n_answer;
        Ended ended;
    } table[] = {
        { Window::infinite, 14, 0, Ended::length }, // 6 + 14
        { 14, 14, 0, Ended::length },               // the window closes, and there is no room for the hint
        { 12, 12, 0, Ended::length },               // 6 + 12 + 2, none left for an answer
        { 11, 11, 1, Ended::window },               // 6 + 11 + 2 + 1
        { 0, 0, 12, Ended::window },                // 6 + 2 + 12
    };
    for (const auto & row : table) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(20));
        const Outcome outcome = rig.run(request(spell("prompt"), row.window, 100));
        CHECK_EQ(outcome.thinking.size(), row.n_thinking);
        CHECK_EQ(outcome.answer.size(), row.n_answer);
        CHECK_EQ(outcome.done->ended, row.ended);
        CHECK_EQ(outcome.done->finish_reason, FinishReason::length);
    }
}

TEST(a_prompt_must_leave_room_for_a_token) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(20));
    CHECK_THROWS(Error, rig.start(request(Tokens(20, 1), 5)));
    CHECK_THROWS(Error, rig.start(request({}, 5)));
    CHECK_EQ(rig.wait(rig.start(request(Tokens(19, 1), 5))).thinking.size(), 1);
}

TEST(end_thinking_while_the_prompt_is_read) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64, 1, 8));
    fixture.in_decode(1, [&] { rig.context().end_thinking(1); });
    Request asked = request(Tokens(20, 5), 30);
    const Outcome outcome = rig.run(asked);
    asked.thinking_window = 0;
    Alone expected = alone(fixture.fake, asked, 64);
    expected.ended = Ended::request;
    check_alone(outcome, expected);
    // Nothing is drawn after the prompt.
    check_entry(the_only(rig.decodes()[2]), 16, Tokens(4, 5), false);
    check_entry(the_only(rig.decodes()[3]), 20, asked.hint, true);
}

TEST(end_thinking_while_it_thinks) {
    for (const int n : { 1, 2, 9 }) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(64));
        fixture.in_decode(n, [&] {
            rig.context().end_thinking(1);
            rig.context().end_thinking(1);
        });
        Request asked = request(spell("prompt"), Window::infinite);
        const Outcome outcome = rig.run(asked);
        asked.thinking_window = n;
        Alone expected = alone(fixture.fake, asked, 64);
        expected.ended = Ended::request;
        check_alone(outcome, expected);
        CHECK_EQ(outcome.cut->n_thinking, n);
        CHECK_EQ(the_only(rig.decodes()[n]).tokens.size(), 3);
    }
}

TEST(end_thinking_as_the_window_closes) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64));
    fixture.in_decode(5, [&] { rig.context().end_thinking(1); });
    const Request asked = request(spell("prompt"), 5);
    check_alone(rig.run(asked), alone(fixture.fake, asked, 64));
}

TEST(end_thinking_in_the_answer_does_nothing) {
    for (const int n : { 4, 5 }) { // while the hint is decoded, and after
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(64));
        fixture.in_decode(n, [&] { rig.context().end_thinking(1); });
        const Request asked = request(spell("prompt"), 3);
        check_alone(rig.run(asked), alone(fixture.fake, asked, 64));
    }
}

TEST(end_thinking_without_room_for_the_hint) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(20));
    fixture.in_decode(12, [&] { rig.context().end_thinking(1); });
    const Outcome outcome = rig.run(request(spell("prompt"), Window::infinite)); // 6 + 12 + 2
    CHECK_EQ(outcome.thinking.size(), 12);
    CHECK(!outcome.cut);
    CHECK_EQ(outcome.done->ended, Ended::length);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::length);
}

TEST(stop_ends_with_what_there_is) {
    const struct {
        int decode;
        size_t n_thinking, n_answer;
        Ended ended;
    } table[] = {
        { 1, 0, 0, Ended::stop },   // in the first of two parts of the prompt
        { 2, 1, 0, Ended::stop },   // in the second, after which a token is drawn
        { 4, 3, 0, Ended::stop },   // while it thinks
        { 6, 5, 0, Ended::window }, // the draw that closes the window
        { 7, 5, 1, Ended::window }, // in the hint
        { 8, 5, 2, Ended::window },
    };
    for (const auto & row : table) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(64, 1, 8));
        fixture.in_decode(row.decode, [&] {
            rig.context().stop(1);
            rig.context().stop(1);
            rig.context().abort(7); // there is none
        });
        Request asked = request(Tokens(10, 5), 5);
        const Outcome outcome = rig.run(asked);
        Alone expected = alone(fixture.fake, asked, 64);
        expected.thinking.resize(row.n_thinking);
        expected.answer.resize(row.n_answer);
        expected.ended = row.ended;
        expected.finish_reason = FinishReason::abort;
        check_alone(outcome, expected);
        CHECK_EQ(outcome.done->n_prompt, 10);
        CHECK_EQ(rig.decodes().size(), row.decode);
    }
}

TEST(only_the_first_of_several_ends_counts) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64));
    fixture.in_decode(3, [&] {
        rig.context().stop(1);
        rig.context().abort(1);
        rig.context().end_thinking(1);
    });
    // The abort ends the llama_decode already.
    CHECK_EQ(rig.run(request(spell("prompt"), 5)).thinking.size(), 2);
    fixture.in_decode(3, [&] {
        rig.context().abort(2);
        rig.context().stop(2);
    });
    CHECK_EQ(rig.run(request(spell("other"), 5)).error_code(), "ABORTED");
}

TEST(messages_reach_requests_that_wait_for_a_sequence_too) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64));
    const Request asked = request(spell("prompt"), 20);
    std::vector<uint32_t> waiting;
    fixture.in_decode(1, [&] {
        for (int i = 0; i < 4; ++i) {
            waiting.push_back(rig.start(asked));
        }
        rig.context().stop(waiting[0]);
        rig.context().abort(waiting[1]);
        rig.context().end_thinking(waiting[2]);
    });
    check_alone(rig.run(asked), alone(fixture.fake, asked, 64));
    const Outcome stopped = rig.wait(waiting[0]);
    CHECK(stopped.done && stopped.done->ended == Ended::stop && stopped.done->finish_reason == FinishReason::abort);
    CHECK_EQ(stopped.done->timings.decode_calls, 0);
    CHECK_EQ(rig.wait(waiting[1]).error_code(), "ABORTED");
    Request at_once = asked;
    at_once.thinking_window = 0;
    Alone ended = alone(fixture.fake, at_once, 64);
    ended.ended = Ended::request;
    check_alone(rig.wait(waiting[2]), ended);
    check_alone(rig.wait(waiting[3]), alone(fixture.fake, asked, 64));
}

TEST(abort_ends_the_decode_of_a_prompt) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(128, 1, 8));
    std::mt19937 random(1);
    const Request asked = request(random_tokens(random, 40), 5);
    fixture.in_decode(4, [&] { rig.context().abort(1); });
    CHECK_EQ(rig.run(asked).error_code(), "ABORTED");
    // What was read before is still there.
    fixture.fake.on_decode = nullptr;
    const Outcome again = rig.run(asked);
    CHECK_EQ(again.done->n_cached, 24);
    check_alone(again, alone(fixture.fake, asked, 128));
    rig.close();
    CHECK_EQ(fixture.fake.n_interrupted, 1);
}

TEST(abort_spares_the_others_in_the_decode) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64, 3, 8));
    std::mt19937 random(1);
    const Request streaming = request(spell("prompt"), 20, 10);
    const Request reading = request(random_tokens(random, 40), 20, 10);
    // The first two share a decode with the third's prompt when it is aborted.
    std::vector<uint32_t> others;
    fixture.fake.on_decode = [&, n = 0](const FakeDecode & decode) mutable {
        if (++n == 1) {
            others = { rig.start(streaming), rig.start(reading) };
        } else if (decode.size() == 3) {
            rig.context().abort(others[1]);
            rig.context().abort(others[1]);
        }
        return 0;
    };
    check_alone(rig.run(streaming), alone(fixture.fake, streaming, 64));
    check_alone(rig.wait(others[0]), alone(fixture.fake, streaming, 64));
    CHECK_EQ(rig.wait(others[1]).error_code(), "ABORTED");
    rig.close();
    CHECK_EQ(fixture.fake.n_interrupted, 0);
}

TEST(abort_of_all_in_the_decode_ends_it) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64, 2, 8));
    const Request asked = request(spell("prompt"), Window::infinite);
    uint32_t other = 0;
    fixture.fake.on_decode = [&, n = 0](const FakeDecode & decode) mutable {
        if (++n == 1) {
            other = rig.start(asked);
        } else if (n == 5) {
            CHECK_EQ(decode.size(), 2);
            rig.context().abort(1);
            rig.context().abort(other);
        }
        return 0;
    };
    CHECK_EQ(rig.run(asked).error_code(), "ABORTED");
    CHECK_EQ(rig.wait(other).error_code(), "ABORTED");
    // Who comes after an interrupted decode is not interrupted.
    const Request next = request(spell("next"), 3);
    check_alone(rig.run(next), alone(fixture.fake, next, 64));
    rig.close();
    CHECK_EQ(fixture.fake.n_interrupted, 1);
}

TEST(more_requests_than_sequences) {
    for (const uint32_t n_ubatch : { 1, 2, 3, 8, 512 }) {
        for (const bool recurrent : { false, true }) {
            Fixture fixture;
            fixture.fake.recurrent = recurrent;
            std::mt19937 random(n_ubatch);
            std::vector<Request> requests;
            std::vector<uint32_t> ids;
            Rig rig(fixture.fake, params(96, 4, n_ubatch));
            for (int i = 0; i < 24; ++i) {
                Tokens prompt = random_tokens(random, 1 + random() % 40);
                if (i > 4 && random() % 2 == 0) {
                    // Something to find in the cache.
                    prompt = requests[random() % requests.size()].prompt;
                    prompt.push_back(1 + random() % 63);
                }
                requests.push_back(
                    request(prompt, random() % 20, 1 + random() % 10, random_tokens(random, 1 + random() % 12)));
                ids.push_back(rig.start(requests.back()));
            }
            for (size_t i = 0; i < ids.size(); ++i) {
                check_alone(rig.wait(ids[i]), alone(fixture.fake, requests[i], 96));
            }
        }
    }
}

TEST(nobody_waits_long_behind_hints_that_fill_a_step) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(400, 4, 4));
    std::vector<Request> requests;
    std::vector<uint32_t> others;
    for (int i = 0; i < 4; ++i) {
        // Three tokens fit beside each other, a hint of three does not.
        requests.push_back(request(Tokens(1, i + 1), 10 + i, 60, spell("abc")));
    }
    fixture.in_decode(1, [&] {
        for (int i = 1; i < 4; ++i) {
            others.push_back(rig.start(requests[i]));
        }
    });
    check_alone(rig.run(requests[0]), alone(fixture.fake, requests[0], 400));
    for (int i = 1; i < 4; ++i) {
        check_alone(rig.wait(others[i - 1]), alone(fixture.fake, requests[i], 400));
    }
    std::map<llama_seq_id, size_t> served;
    for (size_t i = 0; i < rig.decodes().size(); ++i) {
        for (const FakeEntry & entry : rig.decodes()[i]) {
            if (served.contains(entry.seq_id)) {
                CHECK(i - served[entry.seq_id] <= 4);
            }
            served[entry.seq_id] = i;
        }
    }
    CHECK_EQ(served.size(), 4);
}

TEST(a_prompt_is_read_beside_streams_that_fill_a_step) {
    for (const uint32_t n_ubatch : { 1, 2, 3 }) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(600, 4, n_ubatch));
        const std::vector<Request> streaming(3, request(Tokens(1, 5), 200));
        const Request asked = request(Tokens(20, 6), 3);
        std::vector<uint32_t> others;
        uint32_t late = 0;
        fixture.fake.on_decode = [&, n = 0](const FakeDecode &) mutable {
            if (++n == 1) {
                others = { rig.start(streaming[1]), rig.start(streaming[2]) };
            } else if (n == 20) {
                late = rig.start(asked);
            }
            return 0;
        };
        check_alone(rig.run(streaming[0]), alone(fixture.fake, streaming[0], 600));
        for (const uint32_t other : others) {
            check_alone(rig.wait(other), alone(fixture.fake, streaming[1], 600));
        }
        check_alone(rig.wait(late), alone(fixture.fake, asked, 600));
        // The four take turns, so the prompt has one of every four steps.
        std::map<llama_seq_id, size_t> began;
        size_t n_read = 0;
        for (size_t i = 0; i < rig.decodes().size() && n_read < asked.prompt.size(); ++i) {
            for (const FakeEntry & entry : rig.decodes()[i]) {
                began.emplace(entry.seq_id, i);
                if (began[entry.seq_id] >= 20) {
                    CHECK(began[entry.seq_id] <= 20 + 4);
                    n_read += entry.tokens.size();
                    CHECK(i - began[entry.seq_id] <= 4 * n_read);
                }
            }
        }
        CHECK_EQ(n_read, asked.prompt.size());
    }
}

TEST(a_short_prompt_does_not_wait_for_a_long_one) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(1024, 2, 64));
    const Request longer = request(Tokens(900, 1), 3);
    const Request shorter = request(spell("ashortone"), 1);
    uint32_t second = 0;
    size_t n_decodes = 0;
    size_t read_at = 0; // the decode in which the short prompt was read whole
    fixture.fake.on_decode = [&](const FakeDecode & decode) {
        if (++n_decodes == 1) {
            second = rig.start(shorter);
        }
        for (const auto & part : decode) {
            if (part.tokens == shorter.prompt) {
                read_at = n_decodes;
            }
        }
        return 0;
    };
    const uint32_t first = rig.start(longer);
    rig.wait(first);
    check_alone(rig.wait(second), alone(fixture.fake, shorter, 1024));
    // At the first step after it came; the long one takes 900 / 64 of them.
    CHECK_EQ(read_at, 2);
}

TEST(prompts_are_read_in_parts_while_others_stream) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(1000, 2, 512));
    const Request streaming = request(spell("prompt"), 30);
    const Request reading = request(Tokens(700, 5), 2);
    uint32_t other = 0;
    fixture.in_decode(1, [&] { other = rig.start(reading); });
    check_alone(rig.run(streaming), alone(fixture.fake, streaming, 1000));
    check_alone(rig.wait(other), alone(fixture.fake, reading, 1000));
    const Request alone_now = request(Tokens(700, 6), 2);
    check_alone(rig.run(alone_now), alone(fixture.fake, alone_now, 1000));

    size_t shared = 0;
    size_t longest = 0;
    for (const FakeDecode & decode : rig.decodes()) {
        for (const FakeEntry & entry : decode) {
            if (decode.size() == 2) {
                shared += entry.tokens.size() > 3;
                CHECK(entry.tokens.size() <= 128);
            }
            longest = std::max(longest, entry.tokens.size());
        }
    }
    CHECK_EQ(shared, 6); // 5 × 128 + 60
    CHECK_EQ(longest, 512);
}

TEST(a_common_prefix_is_not_decoded_again) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(128));
    std::mt19937 random(1);
    const Tokens prompt = random_tokens(random, 40);
    const auto cached = [&](const Request & asked) {
        const Outcome outcome = rig.run(asked);
        check_alone(outcome, alone(fixture.fake, asked, 128));
        return outcome.done->n_cached;
    };
    const auto sharing = [&](size_t n) {
        Tokens other = prompt;
        other[n] = other[n] % 63 + 1;
        return request(other, 3);
    };
    CHECK_EQ(cached(request(prompt, 3)), 0);
    CHECK_EQ(cached(request(prompt, 3)), 39); // one token is always decoded
    CHECK_EQ(cached(sharing(25)), 25);
    CHECK_EQ(cached(request(prompt, 3)), 25);
    CHECK_EQ(cached(sharing(16)), 16);
    CHECK_EQ(cached(request(prompt, 3)), 16);
    CHECK_EQ(cached(sharing(15)), 0); // too short to be worth another grouping
    CHECK_EQ(cached(request(prompt, 3)), 0);
    Request fresh = request(prompt, 3);
    fresh.cache_prompt = false;
    CHECK_EQ(cached(fresh), 0);

    // The next turn of a conversation: all but the last sampled token stands in the cache.
    const Request first = request(prompt, 3);
    const Outcome outcome = rig.run(first);
    Tokens turn = prompt;
    for (const Tokens & part : { outcome.thinking, first.hint, outcome.answer, spell("more") }) {
        turn.insert(turn.end(), part.begin(), part.end());
    }
    CHECK_EQ(cached(request(turn, 3)), 40 + 3 + 2 + 3);
}

TEST(a_recurrent_memory_is_extended_or_cleared) {
    Fixture fixture(endless);
    fixture.fake.recurrent = true;
    Rig rig(fixture.fake, params(128));
    std::mt19937 random(1);
    const Tokens prompt = random_tokens(random, 40);
    const Request first = request(prompt, 3);
    const Outcome outcome = rig.run(first);
    check_alone(outcome, alone(fixture.fake, first, 128));
    Tokens turn = prompt;
    for (const Tokens & part : { outcome.thinking, first.hint, outcome.answer, spell("more") }) {
        turn.insert(turn.end(), part.begin(), part.end());
    }
    const Request next = request(turn, 3);
    const Outcome extended = rig.run(next);
    check_alone(extended, alone(fixture.fake, next, 128));
    CHECK_EQ(extended.done->n_cached, 40 + 3 + 2 + 3);
    const Outcome again = rig.run(first);
    check_alone(again, alone(fixture.fake, first, 128));
    CHECK_EQ(again.done->n_cached, 0);
}

TEST(a_prompt_goes_to_the_sequence_that_holds_most_of_it) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(128, 2));
    std::mt19937 random(1);
    const Request conversation = request(random_tokens(random, 60), 3);
    const Request question = request(random_tokens(random, 20), 3);
    rig.run(conversation);
    for (int i = 0; i < 3; ++i) {
        // A short question takes the other sequence.
        Request other = question;
        other.prompt[0] = static_cast<llama_token>(i + 1);
        CHECK_EQ(rig.run(other).done->n_cached, 0);
        CHECK_EQ(rig.run(conversation).done->n_cached, 59);
    }
}

TEST(a_failed_decode_ends_those_that_took_part) {
    for (const bool recurrent : { false, true }) {
        for (const int32_t status : { 1, -1, -3 }) {
            Fixture fixture(endless);
            fixture.fake.recurrent = recurrent;
            // Steps of one token: of two requests only one takes part.
            Rig rig(fixture.fake, params(64, 2, 1));
            const Request asked = request(spell("prompt"), 5);
            uint32_t other = 0;
            fixture.fake.on_decode = [&, n = 0](const FakeDecode &) mutable {
                if (++n == 1) {
                    other = rig.start(asked);
                }
                return n == 14 ? status : 0;
            };
            const Outcome failed = rig.run(asked);
            CHECK_EQ(failed.error_code(), "DECODE_FAILED");
            // In turns 6 decodes of each prompt, one of a sampled token, then the one that failed.
            CHECK_EQ(failed.thinking.size(), 2);
            CHECK_EQ(failed.error->message, status == 1 ? "The KV cache has no room for the batch"
                                                        : "llama_decode returned " + std::to_string(status));
            check_alone(rig.wait(other), alone(fixture.fake, asked, 64));
            check_alone(rig.run(asked), alone(fixture.fake, asked, 64));
        }
    }
}

TEST(what_a_failed_decode_left_behind_is_removed) {
    for (const bool recurrent : { false, true }) {
        Fixture fixture(endless);
        fixture.fake.recurrent = recurrent;
        Rig rig(fixture.fake, params(64, 1, 4));
        fixture.fake.on_decode = [](const FakeDecode & decode) { return decode[0].tokens.size() > 4 ? -3 : 0; };
        const Request asked = request(spell("abcdefghijklmnop"), 3, 4, spell("elevenletters"));
        const Outcome failed = rig.run(asked);
        CHECK_EQ(failed.error_code(), "DECODE_FAILED");
        CHECK_EQ(failed.thinking.size(), 3);
        CHECK(failed.cut.has_value());
        // A prompt that begins with all that stands there now: nothing else would remove what lies beyond.
        fixture.fake.on_decode = nullptr;
        Tokens prompt = asked.prompt;
        prompt.insert(prompt.end(), failed.thinking.begin(), failed.thinking.end());
        const Request next = request(prompt, 3);
        const Outcome outcome = rig.run(next);
        check_alone(outcome, alone(fixture.fake, next, 64));
        CHECK_EQ(outcome.done->n_cached, recurrent ? 0 : 18);
    }
}

TEST(the_reason_of_a_failed_decode_is_told) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64));
    fixture.fake.on_decode = [](const FakeDecode &) {
        EngineCall::log_sink(GGML_LOG_LEVEL_ERROR, "decode: something broke\n", nullptr);
        return -2;
    };
    const Outcome outcome = rig.run(request(spell("prompt"), 5));
    CHECK_EQ(outcome.error->message, "llama_decode returned -2: something broke");
}

TEST(after_a_failed_assertion_nothing_is_decoded_any_more) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64, 2));
    const Request asked = request(spell("prompt"), 20);
    std::vector<uint32_t> others;
    fixture.in_decode(3, [&] { others = { rig.start(asked), rig.start(asked) }; });
    const auto then = std::exchange(fixture.fake.on_decode, nullptr);
    fixture.fake.on_decode = [&, then, n = 0](const FakeDecode & decode) mutable {
        if (++n == 6) {
            rig.context().stop(others[1]);
            expect_leaks_on_this_thread();
            EngineCall::on_assert("GGML_ASSERT(false) failed");
        }
        return then(decode);
    };
    const uint32_t first = rig.start(asked);
    rig.wait(first);
    for (const uint32_t id : { first, others[0] }) {
        const Outcome outcome = rig.wait(id);
        CHECK_EQ(outcome.error_code(), "DECODE_FAILED");
        CHECK(outcome.error->message.find("GGML_ASSERT(false) failed") != std::string::npos);
    }
    rig.wait(others[1]);
    CHECK_EQ(rig.run(asked).error_code(), "DECODE_FAILED");
    CHECK_EQ(rig.decodes().size(), 5);
}

TEST(logits_that_are_no_numbers_end_the_generation) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const bool penalties : { false, true }) {
        Fixture fixture([=](std::span<const llama_token> sequence, std::span<float> row) {
            endless(sequence, row);
            if (sequence[0] == 9 && sequence.size() == 8) {
                // One of them is enough to confuse a sort, all of them leave nothing to choose.
                std::fill(row.begin(), penalties ? row.begin() + 1 : row.end(), nan);
            }
            if (sequence[0] == 10 && sequence.size() == 8) {
                std::fill(row.begin(), row.end(), -INFINITY);
            }
        });
        Rig rig(fixture.fake, params(64, 3));
        Request asked[3] = { request(Tokens(4, 8), 20), request(Tokens(4, 9), 20), request(Tokens(4, 10), 20) };
        uint32_t ids[3];
        for (int i = 0; i < 3; ++i) {
            if (penalties) {
                asked[i].sampling.repeat_penalty = 1.1f;
                asked[i].sampling.penalty_last_n = 64;
            }
            ids[i] = rig.start(asked[i]);
        }
        check_alone(rig.wait(ids[0]), alone(fixture.fake, asked[0], 64));
        for (const int i : { 1, 2 }) {
            const Outcome outcome = rig.wait(ids[i]);
            CHECK_EQ(outcome.error_code(), "DECODE_FAILED");
            CHECK_EQ(outcome.thinking.size(), 4);
        }
    }
}

TEST(samplers_are_told_of_every_token_in_its_place) {
    for (const int64_t window : { 0, 5 }) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(64, 1, 4));
        Request asked = request(spell("prompt"), window);
        asked.sampling.presence_penalty = 1;
        asked.sampling.penalty_last_n = 64;
        const Outcome outcome = rig.run(asked);
        Tokens all = asked.prompt;
        for (const Tokens & part : { outcome.thinking, asked.hint, outcome.answer }) {
            all.insert(all.end(), part.begin(), part.end());
        }
        rig.close();
        CHECK_EQ(fixture.fake.told, all);
    }
}

TEST(close_ends_all_that_runs_or_waits) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64, 2));
    const Request asked = request(spell("prompt"), Window::infinite);
    std::vector<uint32_t> ids;
    fixture.in_decode(1, [&] {
        for (int i = 0; i < 4; ++i) {
            ids.push_back(rig.start(asked));
        }
    });
    const auto then = std::exchange(fixture.fake.on_decode, nullptr);
    fixture.fake.on_decode = [&, then, n = 0](const FakeDecode & decode) mutable {
        if (++n == 4) {
            ids.push_back(rig.start(asked)); // still in the inbox when the context closes
            rig.context().close();
            CHECK_THROWS(Error, rig.start(asked));
        }
        return then(decode);
    };
    CHECK_EQ(rig.run(asked).error_code(), "DISPOSED");
    rig.close();
    for (const uint32_t id : ids) {
        CHECK_EQ(rig.wait(id).error_code(), "DISPOSED");
    }
    CHECK_EQ(ids.size(), 5);
    CHECK_EQ(fixture.fake.n_interrupted, 1);
    try {
        rig.start(asked);
        CHECK(false);
    } catch (const Error & error) {
        CHECK_EQ(error.code, ErrorCode::DISPOSED);
    }
}

TEST(a_context_that_cannot_be_made) {
    const struct {
        const char * reason;
        ErrorCode code;
    } table[] = { { "failed to allocate buffer for kv cache", ErrorCode::OUT_OF_MEMORY },
                  { "something else", ErrorCode::MODEL_INVALID } };
    for (const auto & row : table) {
        Fixture fixture(endless);
        fixture.fake.context_error = row.reason;
        try {
            Rig rig(fixture.fake, params(64));
            CHECK(false);
        } catch (const Error & error) {
            CHECK_EQ(error.code, row.code);
            CHECK(std::string(error.what()).ends_with(row.reason));
        }
        CHECK_EQ(fixture.fake.complaints(), std::vector<std::string> {});
    }
}

// Stop strings

TEST(a_stop_string_in_the_thinking) {
    Fixture fixture(script(6, spell("oneENDtwo")));
    Rig rig(fixture.fake, params(64));
    Request asked = request(spell("prompt"), 30);
    asked.stop = { "two", "END" };
    asked.stop_in_thinking = true;
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.thinking_text, "one");
    CHECK_EQ(outcome.thinking, spell("oneEND"));
    CHECK_EQ(outcome.done->ended, Ended::stop);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
    CHECK_EQ(outcome.done->stop_string, std::optional<std::string>("END"));
}

TEST(a_stop_string_in_the_answer) {
    Fixture fixture(script(6, spell("abcdef"), spell("1E2END3")));
    Rig rig(fixture.fake, params(64));
    Request asked = request(spell("prompt"), 3, 20);
    asked.stop = { "END" };
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.thinking_text, "abc");
    CHECK_EQ(outcome.answer_text, "1E2");
    CHECK_EQ(outcome.answer, spell("1E2END"));
    CHECK_EQ(outcome.done->ended, Ended::window);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
    CHECK_EQ(outcome.done->stop_string, std::optional<std::string>("END"));
}

TEST(a_stop_string_does_not_reach_over_the_cut) {
    Fixture fixture(script(6, spell("abcE"), spell("NDxEN")));
    Rig rig(fixture.fake, params(64));
    Request asked = request(spell("prompt"), 4, 20);
    asked.stop = { "END" };
    asked.stop_in_thinking = true;
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.thinking_text, "abcE");
    CHECK_EQ(outcome.answer_text, "NDxEN"); // what was held back comes at the end
    CHECK(!outcome.done->stop_string);
}

TEST(a_stop_string_that_the_last_token_of_the_window_completes) {
    Fixture fixture(script(6, spell("abEND")));
    Rig rig(fixture.fake, params(64));
    Request asked = request(spell("prompt"), 5);
    asked.stop = { "END" };
    asked.stop_in_thinking = true;
    const Outcome outcome = rig.run(asked);
    CHECK(!outcome.cut);
    CHECK_EQ(outcome.thinking_text, "ab");
    CHECK_EQ(outcome.done->ended, Ended::stop);
}

// No hint

TEST(without_a_hint_the_window_ends_it) {
    for (const int window : { 1, 2, 9 }) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(64));
        const Request asked = request(spell("prompt"), window, 4, {});
        const Outcome outcome = rig.run(asked);
        check_alone(outcome, alone(fixture.fake, asked, 64));
        CHECK_EQ(outcome.thinking.size(), window);
        CHECK(!outcome.cut);
        CHECK_EQ(outcome.answer_text, "");
        CHECK_EQ(outcome.done->ended, Ended::window);
        CHECK_EQ(outcome.done->finish_reason, FinishReason::length);
        CHECK_EQ(rig.decodes().size(), window); // the last token is not decoded
    }
}

TEST(without_a_hint_a_window_of_zero_ends_with_the_prompt) {
    Fixture fixture(endless);
    Rig rig(fixture.fake, params(64, 1, 8));
    const Outcome outcome = rig.run(request(Tokens(20, 5), 0, 4, {}));
    CHECK(outcome.thinking.empty() && outcome.answer.empty() && !outcome.cut);
    CHECK_EQ(outcome.done->ended, Ended::window);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::length);
    CHECK_EQ(outcome.done->timings.decode_calls, 3);
    CHECK_EQ(rig.decodes().size(), 3);
    for (const FakeDecode & decode : rig.decodes()) {
        CHECK(!the_only(decode).samples);
    }
}

TEST(without_a_hint_the_caller_ends_it) {
    for (const int n : { 1, 4 }) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(64));
        fixture.in_decode(n, [&] { rig.context().end_thinking(1); });
        const Outcome outcome = rig.run(request(spell("prompt"), Window::infinite, 4, {}));
        CHECK_EQ(outcome.thinking.size(), n);
        CHECK(!outcome.cut);
        CHECK_EQ(outcome.done->ended, Ended::request);
        CHECK_EQ(outcome.done->finish_reason, FinishReason::abort);
    }
}

TEST(without_a_hint_the_model_may_end_before_the_window) {
    Fixture fixture(script(6, spell("abc")));
    Rig rig(fixture.fake, params(64));
    const Outcome outcome = rig.run(request(spell("prompt"), 4, 4, {}));
    CHECK_EQ(outcome.thinking_text, "abc");
    CHECK_EQ(outcome.done->ended, Ended::self);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
}

TEST(without_a_hint_no_room_for_one_is_needed) {
    for (const int64_t window : { int64_t(13), int64_t(14), Window::infinite }) {
        Fixture fixture(endless);
        Rig rig(fixture.fake, params(20)); // 6 + 14
        const Request asked = request(spell("prompt"), window, 4, {});
        const Outcome outcome = rig.run(asked);
        check_alone(outcome, alone(fixture.fake, asked, 20));
        CHECK_EQ(outcome.thinking.size(), window == 13 ? 13 : 14);
        CHECK_EQ(outcome.done->ended, window == Window::infinite ? Ended::length : Ended::window);
    }
}

TEST(without_a_hint_what_was_held_back_is_shown) {
    Fixture fixture(script(6, spell("abcEN")));
    Rig rig(fixture.fake, params(64));
    Request asked = request(spell("prompt"), 5, 4, {});
    asked.stop = { "END" };
    CHECK_EQ(rig.run(asked).thinking_text, "abcEN");
}

// Loops

namespace {

// Four tokens again and again, until the n-th.
std::string around(size_t n) {
    std::string text;
    while (text.size() < n) {
        text += "abcd"[text.size() % 4];
    }
    return text;
}

Request watched(int64_t window, int32_t max_tokens = 30) {
    Request asked = request(spell("prompt"), window, max_tokens);
    asked.loops = true;
    return asked;
}

} // namespace

TEST(a_loop_in_the_thinking_closes_the_window) {
    Fixture fixture(script(6, spell("xy" + around(100)), spell("yes")));
    Rig rig(fixture.fake, params(128));
    const Outcome outcome = rig.run(watched(Window::infinite));
    CHECK_EQ(outcome.thinking_text, "xyabcdabcdabcd");
    CHECK(outcome.cut && outcome.cut->ended == Ended::loop && outcome.cut->n_hint == 2);
    CHECK_EQ(outcome.answer_text, "yes");
    CHECK_EQ(outcome.done->ended, Ended::loop);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
    // The token that completes it and the hint go into one decode.
    CHECK_EQ(the_only(rig.decodes()[14]).tokens, spell("d++"));
}

TEST(a_loop_in_the_answer_ends_it) {
    Fixture fixture(script(6, spell("xyz"), spell("no" + around(100))));
    Rig rig(fixture.fake, params(128));
    const Outcome outcome = rig.run(watched(3));
    CHECK_EQ(outcome.answer_text, "noabcdabcdabcd");
    CHECK_EQ(outcome.done->ended, Ended::window);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::loop);
}

TEST(a_loop_does_not_reach_over_the_cut) {
    Fixture fixture(script(6, spell(around(100)), spell(around(10) + "x")));
    Rig rig(fixture.fake, params(128));
    const Outcome outcome = rig.run(watched(8));
    CHECK(outcome.cut && outcome.cut->ended == Ended::window);
    CHECK_EQ(outcome.answer_text, around(10) + "x");
    CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
}

TEST(what_comes_before_a_loop_at_the_same_token) {
    const struct {
        int64_t window;
        int32_t max_tokens;
        const char * stop;
        Ended ended;
        FinishReason finish_reason;
        size_t n_thinking;
        size_t n_answer;
    } table[] = {
        { 12, 30, "!", Ended::window, FinishReason::loop, 12, 12 },
        { 13, 30, "!", Ended::loop, FinishReason::loop, 12, 12 },
        { 20, 30, "bcdabcd", Ended::stop, FinishReason::stop, 8, 0 },
        { 20, 30, "dabcdabcd", Ended::stop, FinishReason::stop, 12, 0 },
        { 20, 12, "!", Ended::loop, FinishReason::loop, 12, 12 }, // max_tokens at the same one
        { 20, 11, "!", Ended::loop, FinishReason::length, 12, 11 },
    };
    for (const auto & row : table) {
        Fixture fixture(script(6, spell(around(100)), spell(around(100))));
        Rig rig(fixture.fake, params(128));
        Request asked = watched(row.window, row.max_tokens);
        asked.stop = { row.stop };
        asked.stop_in_thinking = true;
        const Outcome outcome = rig.run(asked);
        CHECK_EQ(outcome.done->ended, row.ended);
        CHECK_EQ(outcome.done->finish_reason, row.finish_reason);
        CHECK_EQ(outcome.thinking.size(), row.n_thinking);
        CHECK_EQ(outcome.answer.size(), row.n_answer);
    }
}

TEST(a_loop_is_nobodys_business_unless_asked) {
    Fixture fixture(script(6, spell(around(40)), spell(around(40))));
    Rig rig(fixture.fake, params(128));
    const Outcome outcome = rig.run(request(spell("prompt"), 30, 30));
    CHECK(outcome.cut && outcome.cut->ended == Ended::window && outcome.cut->n_thinking == 30);
    CHECK_EQ(outcome.answer.size(), 30);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::length);
}

TEST(a_loop_without_a_hint_ends_it) {
    Fixture fixture(script(6, spell("xy" + around(100))));
    Rig rig(fixture.fake, params(128));
    Request asked = watched(Window::infinite);
    asked.hint.clear();
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.thinking_text, "xyabcdabcdabcd");
    CHECK(!outcome.cut);
    CHECK_EQ(outcome.done->ended, Ended::loop);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::loop);
}

TEST(a_loop_without_room_for_the_hint) {
    Fixture fixture(script(6, spell(around(100))));
    Rig rig(fixture.fake, params(20)); // 6 + 12 + 2
    const Outcome outcome = rig.run(watched(Window::infinite));
    CHECK(!outcome.cut);
    CHECK_EQ(outcome.thinking.size(), 12);
    CHECK_EQ(outcome.done->ended, Ended::length);
}

// Think tags

namespace {

// Tokens 1 … 63 are those of give_letters, then follow parts of tags and of characters.
enum : llama_token { close_token = 64, slash_think, less, greater, euro_begin, euro_end, control };

struct Tagged : Fixture {
    explicit Tagged(FakeLlama::Logits logits) : Fixture(std::move(logits)) {
        for (const FakeToken & token : { FakeToken { "</think>", LLAMA_TOKEN_ATTR_CONTROL },
                                         { "/think" },
                                         { "<" },
                                         { ">" },
                                         { "\xE2\x82" },
                                         { "\xAC" },
                                         { "<|control|>", LLAMA_TOKEN_ATTR_CONTROL } }) {
            fake.vocabulary.push_back(token);
        }
    }
};

Request delimited(int64_t window) {
    Request asked = request(spell("prompt"), window, 10);
    asked.close_tag = "</think>";
    return asked;
}

Tokens join(std::initializer_list<Tokens> parts) {
    Tokens all;
    for (const Tokens & part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

} // namespace

TEST(banned_tags_are_never_generated) {
    // Whenever the model wants the token that would complete the tag, it gets its second choice, an `a`.
    Tagged fixture(script(6, join({ spell("x"), { close_token, less, slash_think, greater }, spell("y"), { less } }),
                          join({ { slash_think, greater, less, slash_think, greater } })));
    Rig rig(fixture.fake, params(64));
    Request asked = request(spell("prompt"), 7, 10);
    asked.banned_tags = { "<think>", "</think>" };
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.thinking_text, "xa</thinkay<");
    // The hint stands between the `<` and what follows it.
    CHECK_EQ(outcome.answer_text, "/think></thinka");
}

TEST(a_tag_that_the_hint_begins_is_banned_too) {
    // The hint is `+<`, and the script counts from the `+` on.
    Tagged fixture(script(6, spell("xyz"), { less, slash_think, greater }));
    Rig rig(fixture.fake, params(64));
    Request asked = request(spell("prompt"), 2, 10, join({ spell("+"), { less } }));
    asked.banned_tags = { "</think>" };
    CHECK_EQ(rig.run(asked).answer_text, "/thinka");
}

TEST(the_closing_tag_ends_the_thinking) {
    for (const Tokens & tag : { Tokens { close_token }, Tokens { less, slash_think, greater } }) {
        const Tokens thinking = join({ spell("ab"), tag });
        const Tokens tag_again = tag.size() == 1 ? Tokens { 1 } : Tokens { less, slash_think, 1 };
        for (const int64_t window : { int64_t(thinking.size()), Window::infinite }) {
            Tagged fixture(script(6, join({ thinking, spell("42"), tag })));
            Rig rig(fixture.fake, params(64));
            const Outcome outcome = rig.run(delimited(window));
            CHECK_EQ(outcome.thinking, thinking);
            CHECK_EQ(outcome.thinking_text, "ab</think>");
            CHECK(outcome.cut && outcome.cut->ended == Ended::self && outcome.cut->n_hint == 0);
            // It cannot close twice.
            CHECK_EQ(outcome.answer, join({ spell("42"), tag_again }));
            CHECK_EQ(outcome.done->ended, Ended::self);
            CHECK_EQ(outcome.done->finish_reason, FinishReason::stop);
        }
    }
}

TEST(the_window_cuts_delimited_thinking) {
    Tagged fixture(script(6, join({ spell("abcd"), { close_token } }), spell("42")));
    Rig rig(fixture.fake, params(64));
    const Outcome outcome = rig.run(delimited(4));
    CHECK_EQ(outcome.thinking_text, "abcd");
    CHECK(outcome.cut && outcome.cut->ended == Ended::window && outcome.cut->n_hint == 2);
    CHECK_EQ(outcome.answer_text, "42");
}

TEST(without_a_hint_the_closing_tag_is_followed_by_an_answer_all_the_same) {
    Tagged fixture(script(6, join({ spell("ab"), { close_token }, spell("42") })));
    Rig rig(fixture.fake, params(64));
    Request asked = delimited(20);
    asked.hint.clear();
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.thinking_text, "ab</think>");
    CHECK_EQ(outcome.answer_text, "42");
    CHECK_EQ(outcome.done->ended, Ended::self);
    asked.thinking_window = 2;
    const Outcome cut = rig.run(asked);
    CHECK(!cut.cut && cut.done->ended == Ended::window);
    CHECK_EQ(cut.done->finish_reason, FinishReason::length);
}

TEST(the_closing_tag_in_a_context_that_is_full) {
    Tagged fixture(script(6, join({ spell("abc"), { close_token }, spell("42") })));
    Rig rig(fixture.fake, params(10));
    const Outcome outcome = rig.run(delimited(Window::infinite)); // 6 + 4
    CHECK_EQ(outcome.thinking_text, "abc</think>");
    CHECK(outcome.answer.empty());
    CHECK_EQ(outcome.done->ended, Ended::self);
    CHECK_EQ(outcome.done->finish_reason, FinishReason::length);
}

TEST(control_tokens_are_counted_but_not_shown) {
    Tagged fixture(script(6, join({ spell("a"), { control }, spell("b"), { control } })));
    Rig rig(fixture.fake, params(64));
    const Outcome outcome = rig.run(request(spell("prompt"), 4));
    CHECK(outcome.thinking == join({ spell("a"), { control }, spell("b"), { control } }));
    CHECK_EQ(outcome.thinking_text, "ab");
    CHECK_EQ(outcome.cut->n_thinking, 4);
}

TEST(a_window_that_closes_inside_a_character) {
    Tagged fixture(script(6, { 2, euro_begin, euro_end }, { euro_end, euro_begin, euro_end }));
    Rig rig(fixture.fake, params(64));
    const Outcome outcome = rig.run(request(spell("prompt"), 2));
    CHECK_EQ(outcome.thinking_text, "b\xEF\xBF\xBD");
    CHECK_EQ(outcome.answer_text, "\xEF\xBF\xBD\xE2\x82\xAC");
}
