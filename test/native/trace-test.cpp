// The trace of a generation: what is marked, and that each of its answers is what a request gives that ends there.
#include "context-rig.h"

#include <cmath>

using namespace z1;

namespace {

constexpr llama_token dot = 64;
constexpr llama_token box = 65;
constexpr llama_token feed = 66;
constexpr llama_token wait_word = 67;

ContextParams params(uint32_t n_branches = 2) {
    ContextParams params;
    params.n_ctx = 128;
    params.n_branches = n_branches;
    params.n_ubatch = 32;
    return params;
}

void give_words(FakeLlama & fake) {
    give_letters(fake);
    for (const char * piece : { ".", "\\boxed{4}", "\n", "Wait" }) {
        fake.vocabulary.push_back({ piece });
    }
}

Request traced(Tokens prompt, int64_t window, TraceParams trace, int32_t max_tokens = 4) {
    Request asked = request(std::move(prompt), window, max_tokens);
    asked.trace = trace;
    return asked;
}

std::vector<int64_t> places(const Trace & trace) {
    std::vector<int64_t> places;
    for (const Trace::Answer & answer : trace.answers) {
        places.push_back(answer.n_thinking);
    }
    std::sort(places.begin(), places.end());
    return places;
}

// After a prompt of one token the model says what is given; after the hint, `y`.
struct Script {
    FakeLlama fake;

    Script(Tokens thinking, float end, Tokens answer = spell("y")) {
        give_words(fake);
        fake.logits = [=](std::span<const llama_token> sequence, std::span<float> row) {
            const auto begin = sequence.begin() + 1;
            const auto hint = std::find(sequence.rbegin(), std::make_reverse_iterator(begin), spell("+")[0]).base();
            const Tokens & says = hint == begin ? thinking : answer;
            const size_t said = static_cast<size_t>(sequence.end() - hint);
            std::fill(row.begin(), row.end(), -100.0f);
            row[end_token] = end;
            row[said < says.size() ? says[said] : end_token] = 2;
        };
    }
};

} // namespace

TEST(each_answer_is_that_of_a_request_that_ends_there) {
    std::mt19937 random(3);
    size_t n_compared = 0;
    for (int i = 0; i < 200; ++i) {
        FakeLlama fake;
        give_letters(fake);
        fake.logits = FakeLlama::hashed;
        ContextParams shape = params(1 + random() % 3);
        shape.n_seq_max = 1 + random() % 3;
        shape.shares_cells = random() % 2 == 0;
        Rig rig(fake, shape);
        std::vector<std::pair<uint32_t, Request>> all;
        for (int k = 0; k < 4; ++k) {
            const int64_t window = random() % 4 == 0 ? Window::infinite : static_cast<int64_t>(random() % 40);
            // Nobody is that far from an end.
            const TraceParams trace { static_cast<int64_t>(1 + random() % 5), random() % 2 ? 100.0f : 0.0f, true };
            Request asked = traced(random_tokens(random, 1 + random() % 9), window, trace, 1 + random() % 20);
            all.emplace_back(rig.start(asked), asked);
        }
        for (const auto & [id, asked] : all) {
            const Outcome outcome = rig.wait(id);
            check_alone(outcome, alone(fake, asked, shape.n_ctx));
            const Trace & trace = *outcome.done->trace;
            CHECK(outcome.branches.empty());
            CHECK_EQ(trace.marks.size(), outcome.thinking.size() + 1);
            CHECK_EQ(trace.margin.size(), outcome.thinking.size() + (outcome.done->ended == Ended::self ? 1 : 0));
            CHECK_EQ(trace.end_probability.size(), trace.margin.size());
            for (const Trace::Answer & answer : trace.answers) {
                Request separate = asked;
                separate.thinking_window = answer.n_thinking;
                const Alone expected = alone(fake, separate, shape.n_ctx);
                CHECK_EQ(expected.ended, answer.ended);
                CHECK_EQ(answer.tokens, expected.answer);
                CHECK_EQ(answer.finish_reason, expected.finish_reason);
                CHECK_EQ(answer.probabilities.size(), answer.tokens.size());
                ++n_compared;
            }
            for (int64_t n = 0; n < static_cast<int64_t>(outcome.thinking.size()); n += asked.trace->every) {
                const auto there = places(trace);
                CHECK_EQ(std::count(there.begin(), there.end(), n), 1);
            }
        }
    }
    CHECK(n_compared > 1000);
}

TEST(the_marks_are_what_the_policies_see) {
    const Tokens thinking = { spell("a")[0], dot, box, feed, wait_word, spell("b")[0] };
    Script script(thinking, -100);
    Rig rig(script.fake, params());
    const Outcome outcome = rig.run(traced(spell("x"), 50, { 100, 0, false }));
    CHECK_EQ(outcome.thinking, thinking);
    const uint8_t sentence = Tracer::sentence;
    const std::vector<uint8_t> marks = {
        0,
        0,
        sentence,
        static_cast<uint8_t>(sentence | Tracer::stated | Tracer::probe),
        static_cast<uint8_t>(sentence | Tracer::stated | Tracer::line | Tracer::settled),
        0, // the answer before it was probed
        0,
    };
    CHECK_EQ(outcome.done->trace->marks, marks);
    CHECK_EQ(places(*outcome.done->trace), (std::vector<int64_t> { 0, 3 }));
    CHECK_EQ(places(*rig.run(traced(spell("x"), 50, { 100, 0, true })).done->trace),
             (std::vector<int64_t> { 0, 3, 4 }));
    CHECK_EQ(places(*rig.run(traced(spell("x"), 50, { 4, 0, false })).done->trace), (std::vector<int64_t> { 0, 3, 4 }));
}

TEST(an_answer_where_an_end_is_near_at_the_end_of_a_sentence) {
    Script script({ spell("a")[0], dot, spell("b")[0], dot, spell("c")[0] }, 1.5f);
    Rig rig(script.fake, params());
    const Outcome near = rig.run(traced(spell("x"), 50, { 100, 0.5f, false }));
    CHECK_EQ(places(*near.done->trace), (std::vector<int64_t> { 0, 2, 4 }));
    const Outcome far = rig.run(traced(spell("x"), 50, { 100, 0.4f, false }));
    CHECK_EQ(places(*far.done->trace), (std::vector<int64_t> { 0 }));
    for (size_t i = 0; i < 5; ++i) {
        CHECK(std::abs(far.done->trace->margin[i] - 0.5f) < 1e-6);
        CHECK(std::abs(far.done->trace->end_probability[i] - std::exp(1.5f) / (std::exp(1.5f) + std::exp(2.0f))) <
              1e-6);
    }
    CHECK_EQ(far.done->trace->margin[5], 0);
}

TEST(an_answer_where_the_first_loop_is_found) {
    Tokens thinking;
    for (int i = 0; i < 4; ++i) {
        for (const llama_token token : spell("abcd")) {
            thinking.push_back(token);
        }
    }
    Script script(thinking, -100);
    Rig rig(script.fake, params());
    const Outcome outcome = rig.run(traced(spell("x"), 50, { 100, 0, false }));
    CHECK_EQ(outcome.thinking, thinking);
    CHECK_EQ(places(*outcome.done->trace), (std::vector<int64_t> { 0, 12 }));
    for (size_t i = 0; i <= 16; ++i) {
        CHECK_EQ(outcome.done->trace->marks[i], i < 12 ? 0 : Tracer::loop);
    }
}

TEST(of_an_answer_so_much_is_a_probe) {
    const auto n_probe = [](Tokens answer) {
        Script script(spell("ab"), -100, answer);
        Rig rig(script.fake, params());
        return rig.run(traced(spell("x"), 50, { 100, 0, false }, 30)).done->trace->answers.at(0).n_probe;
    };
    CHECK_EQ(n_probe(spell("yyy")), 3);
    CHECK_EQ(n_probe(spell("yyyyyyyyyyyyyyyyyyyyyy")), ProbePolicy::max_tokens);
    CHECK_EQ(n_probe({ spell("y")[0], box, spell("y")[0], spell("y")[0] }), 2);
    CHECK_EQ(n_probe({}), 0);
}
