// Requests of a group: one decodes the prompt, the others go on from a copy, and each gives what it gives alone.
#include "context-rig.h"

using namespace z1;

namespace {

ContextParams params(uint32_t n_ctx, uint32_t n_seq_max, uint32_t n_ubatch = 32, bool shares_cells = true) {
    ContextParams params;
    params.n_ctx = n_ctx;
    params.n_seq_max = n_seq_max;
    params.n_ubatch = n_ubatch;
    params.shares_cells = shares_cells;
    return params;
}

struct Fixture {
    FakeLlama fake;

    Fixture() { give_letters(fake); }
};

Request of_group(Request asked, uint32_t group = 1) {
    asked.group = group;
    asked.cache_prompt = false;
    return asked;
}

// Tokens that were decoded at the positions of a prompt.
size_t n_decoded(const std::vector<FakeDecode> & decodes, size_t n_prompt) {
    size_t n = 0;
    for (const FakeDecode & decode : decodes) {
        for (const FakeEntry & entry : decode) {
            const size_t end = entry.pos + entry.tokens.size();
            n += std::min(end, n_prompt) - std::min<size_t>(entry.pos, n_prompt);
        }
    }
    return n;
}

} // namespace

TEST(each_gives_what_it_gives_alone_and_the_prompt_is_decoded_once) {
    std::mt19937 random(5);
    for (int i = 0; i < 200; ++i) {
        Fixture fixture;
        const bool shares = random() % 2 == 0;
        Rig rig(fixture.fake, params(100, 1 + random() % 4, 1 + random() % 40, shares));
        const Tokens prompt = random_tokens(random, 1 + random() % 40);
        std::vector<std::pair<uint32_t, Request>> all;
        for (size_t k = 0; k < 1 + random() % 9; ++k) {
            // What differs between samples is drawn; here windows and hints do.
            Request asked = of_group(request(prompt, random() % 12, 1 + random() % 9));
            asked.hint = random() % 5 == 0 ? Tokens {} : random_tokens(random, 1 + random() % 6);
            asked.thinking_window = asked.hint.empty() ? 1 + random() % 12 : asked.thinking_window;
            all.emplace_back(rig.start(asked), asked);
        }
        size_t n_cached = 0;
        for (const auto & [id, asked] : all) {
            const Outcome outcome = rig.wait(id);
            check_alone(outcome, alone(fixture.fake, asked, 100));
            n_cached += outcome.done->n_cached;
        }
        const size_t n = n_decoded(rig.decodes(), prompt.size());
        CHECK_EQ(n + n_cached, all.size() * prompt.size());
        // One that ends before the next is asked for leaves nobody who knows of the group.
        CHECK(n % prompt.size() == 0);
    }
}

TEST(those_that_are_there_together_decode_it_once) {
    for (const bool shares : { true, false }) {
        for (const bool recurrent : { true, false }) {
            Fixture fixture;
            fixture.fake.recurrent = recurrent;
            fixture.fake.logits = endless;
            // None is done with its prompt before all are there.
            std::atomic<bool> all_there { false };
            fixture.fake.on_decode = [&](const FakeDecode &) {
                while (!all_there) {
                    std::this_thread::yield();
                }
                return 0;
            };
            Rig rig(fixture.fake, params(64, 3, 8, shares));
            const Tokens prompt = spell("abcdefghijklmnopqrst");
            std::vector<uint32_t> ids;
            for (int k = 0; k < 3; ++k) {
                ids.push_back(rig.start(of_group(request(prompt, 4 + k))));
            }
            all_there = true;
            for (size_t k = 0; k < ids.size(); ++k) {
                const Request asked = request(prompt, 4 + static_cast<int64_t>(k));
                const Outcome outcome = rig.wait(ids[k]);
                check_alone(outcome, alone(fixture.fake, asked, 64));
                CHECK_EQ(outcome.done->n_cached, k == 0 ? 0 : prompt.size());
            }
            CHECK_EQ(n_decoded(rig.decodes(), prompt.size()), prompt.size());
            // All three are in the decode after the prompt's last.
            CHECK_EQ(rig.decodes()[3].size(), 3);
        }
    }
}

TEST(another_reads_the_prompt_when_the_one_that_did_is_aborted) {
    Fixture fixture;
    fixture.fake.logits = endless;
    std::atomic<int> n { 0 };
    std::atomic<bool> go { false };
    fixture.fake.on_decode = [&](const FakeDecode &) {
        ++n;
        while (!go) {
            std::this_thread::yield();
        }
        return 0;
    };
    Rig rig(fixture.fake, params(64, 2, 4));
    const Tokens prompt = spell("abcdefghijklmnop");
    const uint32_t first = rig.start(of_group(request(prompt, 5)));
    const uint32_t second = rig.start(of_group(request(prompt, 6)));
    while (n == 0) {
        std::this_thread::yield();
    }
    rig.context().abort(first);
    go = true;
    CHECK_EQ(rig.wait(first).error_code(), "ABORTED");
    check_alone(rig.wait(second), alone(fixture.fake, request(prompt, 6), 64));
}

TEST(many_of_a_group_do_not_keep_others_waiting) {
    Fixture fixture;
    fixture.fake.logits = endless;
    std::atomic<bool> go { false };
    std::function<void()> look; // on the context's thread
    fixture.fake.on_decode = [&](const FakeDecode &) {
        while (!go) {
            std::this_thread::yield();
        }
        look();
        return 0;
    };
    Rig rig(fixture.fake, params(64, 2, 32));
    const Tokens prompt = spell("abcdefgh");
    for (int k = 0; k < 8; ++k) {
        rig.start(of_group(request(prompt, 10)));
    }
    const Tokens others = spell("ZYXWV");
    const uint32_t lone = rig.start(request(others, 10));
    std::optional<size_t> n_answered; // of the group, at the first decode after the other one's end
    look = [&] {
        const std::map<uint32_t, Outcome> outcomes = rig.outcomes();
        if (!n_answered && outcomes.contains(lone) && outcomes.at(lone).over()) {
            n_answered = std::count_if(outcomes.begin(), outcomes.end(),
                                       [&](const auto & entry) { return entry.first != lone && entry.second.over(); });
        }
    };
    go = true;
    for (uint32_t id = 1; id <= 8; ++id) {
        check_alone(rig.wait(id), alone(fixture.fake, request(prompt, 10), 64));
    }
    rig.close();
    CHECK(n_answered && *n_answered <= 3);
}

TEST(requests_of_other_groups_and_prompts_share_nothing) {
    Fixture fixture;
    Rig rig(fixture.fake, params(64, 4, 32));
    const Tokens prompt = spell("abcdefghijklmnopqrst");
    std::vector<std::pair<uint32_t, Request>> all;
    for (const Request & asked : { of_group(request(prompt, 5), 1), of_group(request(prompt, 5), 2),
                                   of_group(request(spell("abcdefghijklmnopqrsT"), 5), 1) }) {
        all.emplace_back(rig.start(asked), asked);
    }
    for (const auto & [id, asked] : all) {
        const Outcome outcome = rig.wait(id);
        check_alone(outcome, alone(fixture.fake, asked, 64));
        CHECK_EQ(outcome.done->n_cached, 0);
    }
}
