// Drafts of a generation: what is proposed and for how much, and that nothing but the number of decodes tells a generation
// with drafts from one without.
#include "context-rig.h"

#include <cmath>

using namespace z1;

namespace {

constexpr llama_token dot = 64;
constexpr llama_token feed = 65;
constexpr llama_token box = 66;
constexpr llama_token wait_word = 67;
constexpr llama_token close_tag = 68;

void give_words(FakeLlama & fake) {
    give_letters(fake);
    for (const char * piece : { ".", "\n", "\\boxed{4}", "Wait" }) {
        fake.vocabulary.push_back({ piece });
    }
    fake.vocabulary.push_back({ "</think>", LLAMA_TOKEN_ATTR_CONTROL });
    fake.most_outputs = max_step_with_drafts;
}

// A model that mostly says after two tokens what it always says after them, so that its text soon repeats itself; sometimes
// something else, which now and then is an end.
void parrot(std::span<const llama_token> sequence, std::span<float> row) {
    static const Tokens words = spell("abcdefgh");
    const auto hash = [&](std::span<const llama_token> tokens) {
        std::vector<float> one(1);
        FakeLlama::hashed(tokens, one);
        return static_cast<size_t>(one[0]);
    };
    std::fill(row.begin(), row.end(), 0.0f);
    const size_t known = hash(sequence.last(std::min<size_t>(2, sequence.size())));
    const size_t all = hash(sequence);
    llama_token next = words[known % words.size()];
    if (all % 9 == 0) {
        const Tokens others = { dot, feed, box, wait_word, close_tag, words[0], words[1], words[2] };
        next = others[all / 9 % others.size()];
    }
    if (all % 71 == 0) {
        next = end_token;
    }
    row[next] = 8;
    row[end_token] += known % 5 == 0 ? 7.5f : 0.0f; // nearly an end
}

// Says the text again and again.
FakeLlama::Logits repeating(Tokens text) {
    return [=](std::span<const llama_token> sequence, std::span<float> row) {
        std::fill(row.begin(), row.end(), 0.0f);
        row[text[sequence.size() % text.size()]] = 1;
    };
}

Request drafting(Request request) {
    request.speculation = true;
    return request;
}

void check_same(const std::vector<TokenLogprobs> & a, const std::vector<TokenLogprobs> & b) {
    CHECK_EQ(a.size(), b.size());
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        CHECK_EQ(a[i].sampled.token, b[i].sampled.token);
        CHECK_EQ(a[i].sampled.logprob, b[i].sampled.logprob);
        CHECK_EQ(a[i].top.size(), b[i].top.size());
    }
}

void check_same(const DoneEvent & a, const DoneEvent & b) {
    CHECK_EQ(a.ended, b.ended);
    CHECK_EQ(a.finish_reason, b.finish_reason);
    CHECK_EQ(a.stop_string, b.stop_string);
    CHECK_EQ(a.n_prompt, b.n_prompt);
    CHECK_EQ(a.n_probe, b.n_probe);
    CHECK_EQ(a.confidence, b.confidence);
    CHECK_EQ(a.trace.has_value(), b.trace.has_value());
    if (a.trace && b.trace) {
        CHECK_EQ(a.trace->end_probability, b.trace->end_probability);
        CHECK_EQ(a.trace->margin, b.trace->margin);
        CHECK_EQ(a.trace->marks, b.trace->marks);
        CHECK_EQ(a.trace->answers.size(), b.trace->answers.size());
    }
}

void check_same(const Outcome & a, const Outcome & b) {
    CHECK_EQ(a.error_code(), b.error_code());
    CHECK_EQ(a.thinking, b.thinking);
    CHECK_EQ(a.answer, b.answer);
    CHECK_EQ(a.thinking_text, b.thinking_text);
    CHECK_EQ(a.answer_text, b.answer_text);
    check_same(a.thinking_logprobs, b.thinking_logprobs);
    check_same(a.answer_logprobs, b.answer_logprobs);
    CHECK_EQ(a.nudges.size(), b.nudges.size());
    CHECK_EQ(a.cut.has_value(), b.cut.has_value());
    if (a.cut && b.cut) {
        CHECK_EQ(a.cut->ended, b.cut->ended);
        CHECK_EQ(a.cut->n_thinking, b.cut->n_thinking);
    }
    CHECK_EQ(a.branches.size(), b.branches.size());
    for (const auto & [n, branch] : a.branches) {
        const auto other = b.branches.find(n);
        CHECK(other != b.branches.end());
        if (other != b.branches.end()) {
            CHECK_EQ(branch.thinking, other->second.thinking);
            CHECK_EQ(branch.thinking_text, other->second.thinking_text);
            CHECK_EQ(branch.answer, other->second.answer);
            CHECK_EQ(branch.answer_text, other->second.answer_text);
            check_same(branch.done, other->second.done);
        }
    }
    CHECK_EQ(a.done.has_value(), b.done.has_value());
    if (a.done && b.done) {
        check_same(*a.done, *b.done);
    }
}

// Anything that a request can ask for.
Request any_request(std::mt19937 & random) {
    const auto once_in = [&](uint32_t n) { return random() % n == 0; };
    Request asked = request(spell("abcdefgh"), random() % 60, 1 + random() % 40);
    for (llama_token & token : asked.prompt) {
        token = spell("abcdefgh")[random() % 8];
    }
    if (once_in(8)) {
        asked.thinking_window = Window::infinite;
    }
    if (once_in(6)) {
        asked.hint = once_in(2) ? Tokens {} : spell("h");
    }
    asked.thinks = !once_in(10);
    for (const char * text : { "abc", "d.", "g\n", "ee" }) {
        if (once_in(6)) {
            asked.stop.push_back(text);
        }
    }
    asked.stop_in_thinking = once_in(2);
    for (const char * tag : { "bc", "efe", "ha" }) {
        if (once_in(6)) {
            asked.banned_tags.push_back(tag);
        }
    }
    asked.close_tag = once_in(4) ? "</think>" : "";
    asked.loops = once_in(3);
    asked.confidence = once_in(3);
    if (once_in(3)) {
        asked.logprobs = LogprobParams { random() % 4, once_in(2) };
    }
    asked.keeps_stated = once_in(5);
    asked.ends_stated = once_in(5);
    if (once_in(3)) {
        for (int64_t window = random() % 9; window < std::min<int64_t>(asked.thinking_window, 50);
             window += 1 + random() % 20) {
            asked.cuts.push_back({ window, static_cast<int32_t>(1 + random() % 12) });
        }
    } else {
        asked.lands_on_line = once_in(4);
        if (once_in(4)) {
            asked.early_margin = 0.6f;
        }
        if (once_in(4)) {
            asked.early_probe = 0.9;
        }
        if (once_in(4)) {
            asked.wait = { spell("W"), static_cast<int32_t>(1 + random() % 3), Window::infinite };
        }
        if (once_in(6) && asked.thinks) {
            asked.trace = TraceParams { static_cast<int64_t>(1 + random() % 9), 1.0f, once_in(2) };
        }
    }
    if (once_in(2)) {
        asked.sampling.temperature = 1.0f;
        asked.sampling.seed = random();
    }
    if (once_in(4)) {
        asked.sampling.logit_bias = {};
        asked.sampling.repeat_penalty = 1.1f;
        asked.sampling.penalty_last_n = 8;
    }
    asked.cache_prompt = once_in(2);
    return asked;
}

struct Ran {
    std::vector<Outcome> outcomes;
    size_t n_decodes;
};

Ran run_all(const ContextParams & shape, std::vector<Request> requests, bool drafts) {
    FakeLlama fake;
    give_words(fake);
    fake.logits = parrot;
    Rig rig(fake, shape);
    std::vector<uint32_t> ids;
    for (Request & asked : requests) {
        asked.speculation = drafts;
        ids.push_back(rig.start(asked));
    }
    Ran ran;
    for (const uint32_t id : ids) {
        ran.outcomes.push_back(rig.wait(id));
    }
    ran.n_decodes = rig.decodes().size();
    return ran;
}

} // namespace

TEST(a_request_gives_the_same_with_drafts_and_without) {
    std::mt19937 random(5);
    size_t n_drafted = 0;
    size_t n_accepted = 0;
    size_t n_decodes = 0;
    size_t n_decodes_without = 0;
    for (int i = 0; i < 600; ++i) {
        const ContextParams shape = branching_params(50 + random() % 150, 1 + random() % 3, 1 + random() % 3,
                                                     1 + random() % 40, random() % 2 == 0);
        std::vector<Request> requests;
        for (int k = 0; k < 1 + i % 3; ++k) {
            requests.push_back(any_request(random));
        }
        const Ran with = run_all(shape, requests, true);
        const Ran without = run_all(shape, requests, false);
        for (size_t k = 0; k < requests.size(); ++k) {
            check_same(with.outcomes[k], without.outcomes[k]);
            if (const auto & done = with.outcomes[k].done) {
                n_drafted += done->n_drafted;
                n_accepted += done->n_accepted;
                CHECK(done->n_accepted <= done->n_drafted);
            }
            if (const auto & done = without.outcomes[k].done) {
                CHECK_EQ(done->n_drafted, 0);
            }
        }
        n_decodes += with.n_decodes;
        n_decodes_without += without.n_decodes;
    }
    // Neither all of the drafts nor none of them were right.
    CHECK(n_accepted > 1000);
    CHECK(n_drafted > n_accepted + 300);
    CHECK(n_decodes < n_decodes_without);
    std::printf("%zu drafted, %zu accepted, %zu decodes instead of %zu\n", n_drafted, n_accepted, n_decodes,
                n_decodes_without);
}

TEST(what_followed_the_same_tokens_before_is_proposed) {
    PromptLookup lookup;
    const auto proposed = [&](size_t n) {
        Tokens draft;
        lookup.propose(n, draft);
        return draft;
    };
    const auto push = [&](const char * text) {
        for (const llama_token token : spell(text)) {
            lookup.push(token);
        }
    };
    CHECK_EQ(proposed(4), Tokens {});
    push("abcdefXbcdZYbc");
    CHECK_EQ(proposed(4), Tokens {}); // two tokens are not enough
    push("d");
    CHECK_EQ(proposed(4), spell("ZYbc")); // of two places that are as much alike, the later one
    CHECK_EQ(proposed(0), Tokens {});
    push("qabcd");
    CHECK_EQ(proposed(3), spell("efX")); // the one that is more alike
    push("xyzxyzxyz");
    CHECK_EQ(proposed(7), spell("xyzxyzx")); // what is at the end of the text goes on as it began
}

TEST(proposals_are_those_of_a_search_of_the_whole_text) {
    std::mt19937 random(3);
    size_t n_proposed = 0;
    for (int round = 0; round < 50; ++round) {
        const uint32_t n_words = 2 + random() % 4;
        PromptLookup lookup;
        Tokens text;
        for (int i = 0; i < 60; ++i) {
            text.push_back(static_cast<llama_token>(random() % n_words));
            lookup.push(text.back());
            // Of the last 16 places before which the last 3 tokens stand, the one with the most before it in common.
            size_t best = 0;
            size_t most = 0;
            int n_places = 0;
            for (size_t place = text.size() - 1; place >= 3 && n_places < 16; --place) {
                size_t alike = 0;
                while (alike < place && alike < 32 && text[place - 1 - alike] == text[text.size() - 1 - alike]) {
                    ++alike;
                }
                n_places += alike >= 3;
                if (alike >= 3 && alike > most) {
                    most = alike;
                    best = place;
                }
            }
            Tokens expected = text;
            for (int k = 0; most > 0 && k < 5; ++k) {
                expected.push_back(expected[best + k]);
            }
            Tokens draft;
            lookup.propose(5, draft);
            CHECK_EQ(draft, Tokens(expected.begin() + static_cast<std::ptrdiff_t>(text.size()), expected.end()));
            n_proposed += !draft.empty();
        }
    }
    CHECK(n_proposed > 500);
}

TEST(wrong_drafts_cost_a_64th_and_one_token_of_a_draft) {
    for (const size_t n_streams : { 1, 2 }) {
        DraftBudget budget;
        double cost = 0;
        for (int step = 0; step < 6400; ++step) {
            const size_t n = budget.next(7, n_streams);
            budget.pay(n);
            cost += n_streams == 1 ? n * 2.0 / 3 : n > 0 ? (n + 0.5) * 4 / 5 : 0;
        }
        CHECK(cost <= 101);
        CHECK(cost > 97); // and some are tried for ever: the text may change
    }
}

TEST(right_drafts_earn_longer_ones) {
    DraftBudget budget;
    std::vector<size_t> lengths;
    for (int step = 0; step < 8; ++step) {
        lengths.push_back(budget.next(7, 1));
        budget.pay(lengths.back());
        for (size_t i = 0; i < lengths.back(); ++i) {
            budget.earn();
        }
    }
    const std::vector<size_t> expected { 1, 1, 2, 3, 4, 6, 7, 7 };
    CHECK_EQ(lengths, expected);
    // Where none is long enough to pay, there is none.
    CHECK_EQ(budget.next(2, 2), 0);
    CHECK_EQ(budget.next(3, 2), 3);
    CHECK_EQ(budget.next(1, 3), 0);
}

// The batches of a plain loop: each token with its draft, and what was not right is decoded over.
TEST(a_right_draft_is_not_decoded_again_and_a_wrong_one_is_decoded_over) {
    FakeLlama fake;
    give_words(fake);
    // The prompt's text again, but for the sixth token.
    const Tokens text = spell("abcdefgh");
    fake.logits = [&](std::span<const llama_token> sequence, std::span<float> row) {
        std::fill(row.begin(), row.end(), 0.0f);
        row[sequence.size() == 13 ? spell("X")[0] : text[sequence.size() % 8]] = 1;
    };
    Rig rig(fake, branching_params(64));
    const Outcome outcome = rig.run(drafting(request(spell("abcdefgh"), 12, 2)));
    CHECK_EQ(outcome.thinking, spell("abcdeXghabcd"));
    std::vector<std::pair<llama_pos, Tokens>> decoded;
    for (const FakeDecode & decode : rig.decodes()) {
        CHECK_EQ(decode.size(), 1);
        decoded.push_back({ decode[0].pos, decode[0].tokens });
        CHECK_EQ(decode[0].n_outputs,
                 decode[0].pos == 0 || decode[0].tokens == spell("d++") ? 1 : decode[0].tokens.size());
    }
    const std::vector<std::pair<llama_pos, Tokens>> expected = {
        { 0, spell("abcdefgh") }, { 8, spell("a") },  { 9, spell("b") },    { 10, spell("cd") }, // right
        { 12, spell("ef") }, // wrong: too little is left for another draft
        { 13, spell("X") },       { 14, spell("g") }, { 15, spell("h") },   { 16, spell("a") },
        { 17, spell("b") },       { 18, spell("c") }, { 19, spell("d++") }, { 22, spell("g") },
    };
    CHECK_EQ(decoded.size(), expected.size());
    for (size_t i = 0; i < std::min(decoded.size(), expected.size()); ++i) {
        CHECK_EQ(decoded[i].first, expected[i].first);
        CHECK_EQ(decoded[i].second, expected[i].second);
    }
    CHECK_EQ(outcome.done->n_drafted, 2);
    CHECK_EQ(outcome.done->n_accepted, 1);
}

// What ends a generation within a right draft leaves nothing of the rest: the next request reuses all that came before.
TEST(an_end_within_a_draft_leaves_nothing_behind) {
    const Tokens text = spell("abcdefgh");
    for (int how = 0; how < 4; ++how) {
        FakeLlama fake;
        give_words(fake);
        fake.logits = [&](std::span<const llama_token> sequence, std::span<float> row) {
            repeating(text)(sequence, row);
            if (how == 0 && sequence.size() == 44) {
                row[end_token] = 2;
            }
        };
        Rig rig(fake, branching_params(128));
        Request asked = drafting(request(spell("abcdefghabcdefghabcdefgh"), how == 3 ? 21 : 60, 21, {}));
        if (how == 1) {
            asked.stop = { "habcdefghabcdefghabcd" };
            asked.stop_in_thinking = true;
        } else if (how == 2) {
            asked.thinks = false;
        }
        const Outcome outcome = rig.run(asked);
        const Tokens & given = how == 2 ? outcome.answer : outcome.thinking;
        CHECK_EQ(given.size(), how == 0 ? 20 : how == 1 ? 28 : 21);
        CHECK(outcome.done->n_accepted > 10);

        Request next = asked;
        next.prompt.insert(next.prompt.end(), given.begin(), given.end());
        next.prompt.push_back(text[next.prompt.size() % 8]);
        const size_t held = asked.prompt.size() + given.size() - (how == 0 ? 0 : 1);
        CHECK_EQ(rig.run(next).done->n_cached, held);
    }
}

TEST(no_more_is_drafted_than_may_be_sampled) {
    for (const bool thinks : { true, false }) {
        FakeLlama fake;
        give_words(fake);
        fake.logits = repeating(spell("abcdefgh"));
        Rig rig(fake, branching_params(128));
        Request asked = drafting(request(spell("abcdefghabcdefgh"), 30, 30, {}));
        asked.thinks = thinks;
        CHECK(rig.run(asked).done->n_accepted > 10);
        for (const FakeDecode & decode : rig.decodes()) {
            // The last token that is sampled is not decoded.
            CHECK(decode[0].pos + decode[0].tokens.size() <= 16 + 30 - 1);
        }
    }
}

TEST(the_context_ends_within_a_draft) {
    const Tokens text = spell("abcdefgh");
    for (uint32_t n_ctx = 20; n_ctx < 40; ++n_ctx) {
        FakeLlama fake;
        give_words(fake);
        fake.logits = repeating(text);
        Rig rig(fake, branching_params(n_ctx));
        Request asked = request(spell("abcdefghabcdef"), Window::infinite, 1, {});
        const Alone expected = alone(fake, asked, n_ctx);
        const Outcome outcome = rig.run(drafting(asked));
        check_alone(outcome, expected);
        CHECK(n_ctx < 24 || outcome.done->n_accepted > 0);
    }
}

TEST(a_draft_takes_no_room_that_others_need) {
    const Tokens text = spell("abcdefgh");
    for (const uint32_t n_ubatch : { 1, 2, 3, 5, 8, 32 }) {
        for (const uint32_t n_requests : { 1, 2, 3, 6 }) {
            FakeLlama fake;
            give_words(fake);
            fake.logits = repeating(text);
            Rig rig(fake, branching_params(128, n_requests, 0, n_ubatch, n_requests % 2 == 0));
            std::vector<uint32_t> ids;
            std::vector<Alone> expected;
            for (uint32_t i = 0; i < n_requests; ++i) {
                Request asked = request(spell("abcdefghabcdefghabcdefgh"), 40, 8, spell("abc"));
                asked.cache_prompt = false;
                asked.speculation = i == 0;
                expected.push_back(alone(fake, asked, 128));
                ids.push_back(rig.start(asked));
            }
            size_t n_drafted = 0;
            for (uint32_t i = 0; i < n_requests; ++i) {
                const Outcome outcome = rig.wait(ids[i]);
                check_alone(outcome, expected[i]);
                n_drafted += outcome.done->n_drafted;
            }
            for (const FakeDecode & decode : rig.decodes()) {
                size_t n_tokens = 0;
                bool drafts = false;
                for (const FakeEntry & entry : decode) {
                    n_tokens += entry.tokens.size();
                    drafts = drafts || entry.n_outputs > 1;
                }
                // The hint, alone, may be longer than the step.
                CHECK(n_tokens <= std::max<size_t>(n_ubatch, decode.size() == 1 ? 4 : 0));
                CHECK(!drafts || n_tokens <= max_step_with_drafts);
            }
            CHECK(n_requests > 1 || (n_drafted > 0) == (n_ubatch > 1));
        }
    }
}

TEST(a_state_that_takes_nothing_back_is_refused) {
    FakeLlama fake;
    give_words(fake);
    fake.logits = repeating(spell("abcdefgh"));
    fake.recurrent = true;
    Rig rig(fake, branching_params(64));
    CHECK_THROWS(Error, rig.start(drafting(request(spell("abc"), 9))));
    CHECK_EQ(rig.run(request(spell("abc"), 9)).error_code(), "no error");
}

// No model that does is known: if one comes, its generation fails, and the next request does not see what it left.
TEST(a_sequence_that_cannot_give_up_a_draft_fails) {
    FakeLlama fake;
    give_words(fake);
    fake.logits = [](std::span<const llama_token> sequence, std::span<float> row) {
        repeating(spell("abcdefgh"))(sequence, row);
        if (sequence.size() == 13) {
            row[spell("X")[0]] = 2;
        }
    };
    Rig rig(fake, branching_params(64));
    fake.recurrent = true; // after its model was asked
    CHECK_EQ(rig.run(drafting(request(spell("abcdefgh"), 12))).error_code(), "DECODE_FAILED");
    CHECK_EQ(rig.run(request(spell("abcdefgh"), 12)).thinking, spell("abcdeXghabcd"));
}
