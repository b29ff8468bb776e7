#include "engine/context/scheduler.h"

#include "check.h"

#include <algorithm>
#include <list>
#include <random>
#include <set>
#include <tuple>

using namespace z1;

namespace z1 {

bool operator==(const BatchEntry & a, const BatchEntry & b) {
    return std::tie(a.generation, a.n_tokens, a.n_outputs) == std::tie(b.generation, b.n_tokens, b.n_outputs);
}

std::ostream & operator<<(std::ostream & out, const BatchEntry & entry) {
    return out << entry.generation << ": " << entry.n_tokens << " → " << entry.n_outputs;
}

} // namespace z1

namespace {

using Demands = std::vector<Demand>;
using Entries = std::vector<BatchEntry>;

Demand next_token() {
    return { false, 1, 1 };
}
Demand hint(size_t n) {
    return { false, 1 + n, 1 };
}
Demand prompt(size_t n, size_t n_outputs = 1) {
    return { true, n, n_outputs };
}

Plan planned(const Demands & demands, size_t n_ubatch) {
    // What the last step left in it must not matter.
    Plan plan = { { { 7, 7, 7 } }, true };
    plan_step(demands, n_ubatch, demands.size(), plan);
    return plan;
}

void check_plan(const Demands & demands, size_t n_ubatch, const Entries & entries, bool starved) {
    const Plan plan = planned(demands, n_ubatch);
    CHECK_EQ(plan.entries, entries);
    CHECK_EQ(plan.starved, starved);
}

} // namespace

TEST(nothing_to_decode_is_an_empty_batch) {
    check_plan({}, 8, {}, false);
}

TEST(next_tokens_come_before_prompts) {
    check_plan({ prompt(3), next_token(), prompt(2), next_token() }, 8,
               { { 1, 1, 1 }, { 3, 1, 1 }, { 0, 3, 1 }, { 2, 2, 1 } }, false);
}

TEST(a_prompt_alone_fills_the_step) {
    check_plan({ prompt(700) }, 512, { { 0, 512, 0 } }, false);
    check_plan({ prompt(512) }, 512, { { 0, 512, 1 } }, false);
}

TEST(prompts_share_a_step) {
    check_plan({ prompt(300), prompt(400) }, 512, { { 0, 256, 0 }, { 1, 256, 0 } }, false);
    // A short one is read at once, however long the one before it is; what it leaves goes to the others.
    check_plan({ prompt(3019), prompt(24) }, 512, { { 0, 488, 0 }, { 1, 24, 1 } }, false);
    check_plan({ prompt(3019), prompt(24), prompt(900), prompt(1) }, 512,
               { { 0, 244, 0 }, { 1, 24, 1 }, { 2, 243, 0 }, { 3, 1, 1 } }, false);
    check_plan({ prompt(200), prompt(200) }, 512, { { 0, 200, 1 }, { 1, 200, 1 } }, false);
    // With fewer tokens than prompts, who got none comes first the next time.
    check_plan({ prompt(5), prompt(5), prompt(5) }, 2, { { 0, 1, 0 }, { 1, 1, 0 } }, true);
}

TEST(prompts_have_128_tokens_together_beside_a_stream) {
    check_plan({ prompt(700), next_token() }, 512, { { 1, 1, 1 }, { 0, 128, 0 } }, false);
    check_plan({ prompt(100), prompt(100), next_token() }, 512, { { 2, 1, 1 }, { 0, 64, 0 }, { 1, 64, 0 } }, false);
    check_plan({ prompt(700), next_token() }, 100, { { 1, 1, 1 }, { 0, 99, 0 } }, false);
}

TEST(logits_are_asked_for_only_once_all_is_decoded) {
    check_plan({ prompt(9) }, 8, { { 0, 8, 0 } }, false);
    check_plan({ prompt(8, 0) }, 8, { { 0, 8, 0 } }, false); // a window of zero: the hint follows
    check_plan({ prompt(8) }, 8, { { 0, 8, 1 } }, false);
}

TEST(a_hint_alone_may_be_longer_than_the_step) {
    check_plan({ hint(20) }, 8, { { 0, 21, 1 } }, false);
    // Then nobody else has room, and whoever waits is starved.
    check_plan({ hint(20), next_token() }, 8, { { 0, 21, 1 } }, true);
    check_plan({ hint(20), prompt(5) }, 8, { { 0, 21, 1 } }, true);
    // It does not come beside others.
    check_plan({ next_token(), hint(20) }, 8, { { 0, 1, 1 } }, true);
    check_plan({ next_token(), hint(7) }, 8, { { 0, 1, 1 } }, true);
    check_plan({ next_token(), hint(6) }, 8, { { 0, 1, 1 }, { 1, 7, 1 } }, false);
}

TEST(who_is_small_enough_passes_one_who_is_not) {
    check_plan({ next_token(), hint(7), next_token() }, 8, { { 0, 1, 1 }, { 2, 1, 1 } }, true);
}

TEST(a_prompt_that_came_first_keeps_room_for_a_token) {
    check_plan({ prompt(5), next_token(), next_token() }, 2, { { 1, 1, 1 }, { 0, 1, 0 } }, true);
    check_plan({ next_token(), prompt(5), next_token() }, 2, { { 0, 1, 1 }, { 1, 1, 0 } }, true);
    check_plan({ prompt(5), next_token() }, 1, { { 0, 1, 0 } }, true);
    check_plan({ next_token(), prompt(5) }, 1, { { 0, 1, 1 } }, true);
    // Two prompts take turns with the room that is kept.
    check_plan({ prompt(5), prompt(5) }, 1, { { 0, 1, 0 } }, true);
    check_plan({ prompt(5), prompt(5), next_token() }, 2, { { 2, 1, 1 }, { 0, 1, 0 } }, true);
}

TEST(a_batch_asks_for_no_more_outputs_than_there_is_room_for) {
    CHECK_EQ(max_outputs(1), 8);
    CHECK_EQ(max_outputs(64), 64);
    static_assert(max_entry_outputs == 1);
}

TEST(drafts_have_what_is_left_of_eight_tokens_in_equal_parts) {
    CHECK_EQ(draft_part({}, 512), 0);
    CHECK_EQ(draft_part(Demands { next_token() }, 512), 7);
    CHECK_EQ(draft_part(Demands { next_token(), next_token() }, 512), 3);
    CHECK_EQ(draft_part(Demands { next_token(), next_token(), next_token() }, 512), 1);
    CHECK_EQ(draft_part(Demands(5, next_token()), 512), 0);
    CHECK_EQ(draft_part(Demands { next_token() }, 4), 3);
    CHECK_EQ(draft_part(Demands { next_token() }, 1), 0);
    // Beside a hint and a prompt, whose tokens count as any.
    CHECK_EQ(draft_part(Demands { next_token(), hint(2), prompt(1) }, 512), 1);
    CHECK_EQ(draft_part(Demands { next_token(), prompt(700) }, 512), 0);
}

TEST(streams_that_take_turns) {
    const auto planned = [](const Demands & demands, size_t n_at_once) {
        Plan plan;
        plan_step(demands, 32, n_at_once, plan);
        return plan;
    };
    const Demands streams { next_token(), next_token(), next_token() };
    CHECK_EQ(planned(streams, 1).entries, (Entries { { 0, 1, 1 } }));
    CHECK(planned(streams, 1).starved);
    CHECK_EQ(planned(streams, 2).entries, (Entries { { 0, 1, 1 }, { 1, 1, 1 } }));
    CHECK(planned(streams, 2).starved);
    CHECK_EQ(planned(streams, 3).entries.size(), 3);
    CHECK(!planned(streams, 3).starved);
    CHECK(are_streams(streams));
    CHECK(!are_streams(Demands { next_token() }));
    CHECK(!are_streams(Demands { next_token(), hint(1) }));
    CHECK(!are_streams(Demands { next_token(), prompt(1), next_token() }));
}

// A step as it should be, whatever waits; and every one of them is served again soon when who was served goes last.
TEST(everybody_has_a_turn) {
    std::mt19937 random(1);
    for (int round = 0; round < 500; ++round) {
        const size_t n_ubatch = 1 + random() % 12;
        std::vector<Demand> of(1 + random() % 8); // by generation
        std::list<size_t> order;
        for (size_t i = 0; i < of.size(); ++i) {
            of[i] = random() % 3 == 0 ? prompt(1 + random() % 40)
                  : random() % 3 == 0 ? hint(random() % 20)
                                      : next_token();
            order.push_back(i);
        }
        std::vector<int> served(of.size(), 0);
        for (int step = 0; step < 60; ++step) {
            const std::vector<size_t> at(order.begin(), order.end());
            Demands demands;
            for (const size_t i : at) {
                demands.push_back(of[i]);
            }
            const Plan plan = planned(demands, n_ubatch);
            size_t n_tokens = 0;
            std::set<size_t> seen;
            for (const BatchEntry & entry : plan.entries) {
                const Demand & demand = demands[entry.generation];
                CHECK(seen.insert(entry.generation).second);
                CHECK(entry.n_tokens >= 1 && entry.n_tokens <= demand.n_tokens);
                CHECK(demand.prompt || entry.n_tokens == demand.n_tokens);
                CHECK_EQ(entry.n_outputs, entry.n_tokens == demand.n_tokens ? demand.n_outputs : 0);
                n_tokens += entry.n_tokens;
            }
            CHECK(!plan.entries.empty());
            CHECK(n_tokens <= n_ubatch || plan.entries.size() == 1);
            for (const BatchEntry & entry : plan.entries) {
                const size_t i = at[entry.generation];
                served[i] = step;
                if (plan.starved) {
                    order.remove(i);
                    order.push_back(i);
                }
                // Its prompt goes on, or it has another token.
                if (of[i].prompt && entry.n_tokens < of[i].n_tokens) {
                    of[i].n_tokens -= entry.n_tokens;
                } else {
                    of[i] = random() % 4 == 0 ? hint(random() % 20) : next_token();
                }
            }
            for (size_t i = 0; i < of.size(); ++i) {
                CHECK(step - served[i] <= static_cast<int>(of.size()));
            }
        }
    }
}
