// What is kept of prompts: conversations that take turns on one sequence, turns without their reasoning, retries and
// samples decode only what is new, on every kind of memory, and give what they give alone.
#include "context-rig.h"
#include "engine/context/prompt-cache.h"

using namespace z1;

namespace {

enum class Kind { attention, window, recurrent, hybrid };
constexpr Kind kinds[] = { Kind::attention, Kind::window, Kind::recurrent, Kind::hybrid };

ContextParams params(uint32_t n_seq_max, size_t cache_ram = 1 << 20, bool shares_cells = false) {
    ContextParams params;
    params.n_ctx = 256;
    params.n_seq_max = n_seq_max;
    params.n_ubatch = 32;
    params.shares_cells = shares_cells;
    params.cache_ram = cache_ram;
    return params;
}

struct Fixture {
    FakeLlama fake;
    Kind kind;

    explicit Fixture(Kind kind) : kind(kind) {
        give_letters(fake);
        fake.logits = endless;
        fake.recurrent = kind == Kind::recurrent;
        fake.hybrid = kind == Kind::hybrid;
        fake.n_swa = kind == Kind::window ? 8 : 0;
    }

    bool needs_checkpoints() const { return kind == Kind::recurrent || kind == Kind::hybrid; }
};

// Checks it against the oracle. Returns how many tokens of its prompt were decoded.
size_t n_new(Rig & rig, const FakeLlama & fake, const Request & asked) {
    const Outcome outcome = rig.run(asked);
    check_alone(outcome, alone(fake, asked, 256));
    return outcome.done ? asked.prompt.size() - outcome.done->n_cached : SIZE_MAX;
}

Tokens with(Tokens tokens, const Tokens & more) {
    tokens.insert(tokens.end(), more.begin(), more.end());
    return tokens;
}

std::mt19937 random_source(1);
const Tokens one = random_tokens(random_source, 50);
const Tokens other = random_tokens(random_source, 60);
const Tokens reply = random_tokens(random_source, 12); // as the next turn has it, without the reasoning

} // namespace

TEST(a_turn_without_the_reasoning_decodes_what_is_new) {
    for (const Kind kind : kinds) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        Tokens prompt = one;
        CHECK_EQ(n_new(rig, fixture.fake, request(prompt, 20)), 50);
        for (int turn = 0; turn < 4; ++turn) {
            prompt = with(prompt, reply);
            CHECK_EQ(n_new(rig, fixture.fake, request(prompt, 20)), 12);
        }
        // Back to an earlier turn.
        CHECK_EQ(n_new(rig, fixture.fake, request(with(one, with(reply, spell("abc"))), 20)), 3);
    }
}

TEST(a_retry_decodes_no_more_than_the_last_token) {
    for (const Kind kind : kinds) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        CHECK_EQ(n_new(rig, fixture.fake, request(one, 20)), 50);
        for (const int64_t window : { 20, 7, 0, 1 }) {
            const bool all_there = fixture.needs_checkpoints();
            CHECK_EQ(n_new(rig, fixture.fake, request(one, window)), all_there ? 0 : 1);
        }
    }
}

TEST(a_checkpoint_without_logits_serves_those_who_draw_nothing) {
    Fixture fixture(Kind::recurrent);
    Rig rig(fixture.fake, params(1));
    CHECK_EQ(n_new(rig, fixture.fake, request(one, 0)), 50); // the hint follows at once
    CHECK_EQ(n_new(rig, fixture.fake, request(one, 0)), 0);
    CHECK_EQ(n_new(rig, fixture.fake, request(with(one, reply), 0)), 12);
    CHECK_EQ(n_new(rig, fixture.fake, request(one, 5)), 50);
}

TEST(two_conversations_take_turns_on_one_sequence) {
    for (const Kind kind : kinds) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        Tokens first = one;
        Tokens second = other;
        CHECK_EQ(n_new(rig, fixture.fake, request(first, 20)), 50);
        CHECK_EQ(n_new(rig, fixture.fake, request(second, 20)), 60);
        for (int turn = 0; turn < 3; ++turn) {
            for (Tokens * prompt : { &first, &second }) {
                *prompt = with(*prompt, reply);
                // Of a window the end of what was saved is one token before that of the prompt.
                CHECK_EQ(n_new(rig, fixture.fake, request(*prompt, 20)), kind == Kind::window ? 13 : 12);
            }
        }
    }
}

TEST(a_copy_goes_no_further_back_than_it_has_keys) {
    for (const Kind kind : { Kind::attention, Kind::window }) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        for (const Tokens & prompt : { one, other, with(one, reply) }) {
            n_new(rig, fixture.fake, request(prompt, 20));
        }
        const Tokens beginning(one.begin(), one.begin() + 30);
        CHECK_EQ(n_new(rig, fixture.fake, request(with(beginning, reply), 20)), kind == Kind::window ? 42 : 12);
    }
}

TEST(a_conversation_goes_on_with_its_reasoning_after_another) {
    for (const Kind kind : { Kind::attention, Kind::recurrent, Kind::hybrid }) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        const Request asked = request(one, 20);
        const Alone answered = alone(fixture.fake, asked, 256);
        rig.run(asked);
        rig.run(request(other, 20));
        const Tokens whole = with(with(with(one, answered.thinking), asked.hint), answered.answer);
        CHECK_EQ(n_new(rig, fixture.fake, request(with(whole, reply), 20)), 13); // the last token was not decoded
    }
}

TEST(samples_that_wait_go_on_from_the_prompt) {
    for (const Kind kind : kinds) {
        for (const bool shares : { false, true }) {
            Fixture fixture(kind);
            Rig rig(fixture.fake, params(2, 1 << 20, shares));
            size_t n_cached = 0;
            std::vector<uint32_t> ids;
            std::vector<Request> all;
            for (int k = 0; k < 6; ++k) {
                Request asked = request(one, 5 + 7 * k);
                asked.group = 1;
                asked.cache_prompt = false;
                all.push_back(asked);
                ids.push_back(rig.start(asked));
            }
            for (size_t k = 0; k < ids.size(); ++k) {
                const Outcome outcome = rig.wait(ids[k]);
                check_alone(outcome, alone(fixture.fake, all[k], 256));
                n_cached += outcome.done->n_cached;
            }
            // One may start before the others are there, and of those that come later one reads it again.
            CHECK(n_cached >= 4 * one.size());
        }
    }
}

TEST(nothing_is_kept_of_those_that_do_not_share_their_prompt) {
    for (const Kind kind : kinds) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        for (const Tokens & prompt : { one, other, one, other }) {
            Request asked = request(prompt, 20);
            asked.cache_prompt = false;
            CHECK_EQ(n_new(rig, fixture.fake, asked), prompt.size());
        }
        rig.close();
        CHECK_EQ(fixture.fake.n_states, 0);
    }
}

TEST(without_room_it_is_decoded_again) {
    for (const Kind kind : kinds) {
        // A state of the fake takes four bytes for each token.
        for (const size_t room : { size_t(0), size_t(100) }) {
            Fixture fixture(kind);
            Rig rig(fixture.fake, params(1, room));
            CHECK_EQ(n_new(rig, fixture.fake, request(one, 20)), 50);
            CHECK_EQ(n_new(rig, fixture.fake, request(other, 20)), 60);
            CHECK_EQ(n_new(rig, fixture.fake, request(with(one, reply), 20)), 62);
            CHECK_EQ(n_new(rig, fixture.fake, request(with(one, reply), 20)), fixture.needs_checkpoints() ? 62 : 1);
        }
    }
}

TEST(a_copy_that_llama_cpp_refuses_is_decoded_again) {
    for (const Kind kind : kinds) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        CHECK_EQ(n_new(rig, fixture.fake, request(one, 20)), 50);
        fixture.fake.refuses_state = true;
        CHECK_EQ(n_new(rig, fixture.fake, request(with(one, reply), 20)), fixture.needs_checkpoints() ? 62 : 12);
        CHECK_EQ(n_new(rig, fixture.fake, request(other, 20)), 60);
        fixture.fake.refuses_state = false;
        CHECK_EQ(n_new(rig, fixture.fake, request(one, 20)), 50);
    }
}

TEST(after_an_abort_the_last_prompt_is_still_there) {
    for (const Kind kind : { Kind::attention, Kind::recurrent, Kind::hybrid }) {
        Fixture fixture(kind);
        Rig rig(fixture.fake, params(1));
        rig.run(request(one, 20));
        std::atomic<bool> fails { true };
        std::atomic<bool> decodes { false };
        fixture.fake.on_decode = [&](const FakeDecode &) -> int32_t {
            decodes = true;
            return fails ? 2 : 0; // with two micro-batches, the first of them stays
        };
        const uint32_t id = rig.start(request(with(one, random_tokens(random_source, 20)), 20));
        while (!decodes) {
            std::this_thread::yield();
        }
        rig.context().abort(id);
        CHECK_EQ(rig.wait(id).error_code(), "ABORTED");
        fails = false;
        CHECK_EQ(n_new(rig, fixture.fake, request(with(one, reply), 20)), 12);
    }
}

TEST(random_requests_give_what_they_give_alone) {
    for (int i = 0; i < 120; ++i) {
        std::mt19937 random(i);
        Fixture fixture(kinds[i % 4]);
        const size_t room = random() % 3 == 0 ? random() % 800 : 1 << 20;
        Rig rig(fixture.fake, params(1 + random() % 3, room, random() % 2 == 0));
        std::vector<Tokens> talks = { one, other, random_tokens(random, 20) };
        std::vector<std::pair<uint32_t, Request>> all;
        for (int k = 0; k < 12; ++k) {
            Tokens & talk = talks[random() % talks.size()];
            if (random() % 2 == 0 && talk.size() < 150) {
                talk = with(talk, random_tokens(random, 1 + random() % 20));
            }
            Request asked = request(talk, random() % 9, 1 + random() % 5);
            asked.cache_prompt = random() % 5 != 0;
            asked.group = random() % 4 == 0 ? 1 + k / 4 : 0;
            all.emplace_back(rig.start(asked), asked);
            if (random() % 2 == 0) {
                rig.wait(all.back().first);
            }
        }
        for (const auto & [id, asked] : all) {
            check_alone(rig.wait(id), alone(fixture.fake, asked, 256));
        }
    }
}

TEST(the_oldest_states_are_given_up_first) {
    StateBudget budget(100);
    const auto state = [&](size_t size) {
        const auto made = std::make_shared<SavedState>();
        CHECK(budget.make_room(size));
        made->bytes.resize(size);
        budget.add(made);
        return made;
    };
    const auto first = state(40);
    const auto second = state(40);
    CHECK_EQ(budget.size(), 80);
    budget.renew(first);
    const auto third = state(30);
    CHECK(first->is_there() && !second->is_there() && third->is_there());
    CHECK(!budget.make_room(101));
    CHECK(first->is_there());
    CHECK_EQ(budget.size(), 70);
    state(20); // nobody holds it
    CHECK_EQ(budget.size(), 70);
}
