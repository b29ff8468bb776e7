#include "engine/context/scheduler.h"

#include <algorithm>

namespace z1 {

namespace {

// Next tokens and hints, whole or not at all. Returns how many tokens they are.
size_t plan_streams(std::span<const Demand> demands, size_t n_ubatch, size_t n_at_once, Plan & plan) {
    size_t n_planned = 0;
    bool reads = false; // a prompt came before: a token of it has room in this step
    for (size_t i = 0; i < demands.size(); ++i) {
        const Demand & demand = demands[i];
        const size_t n_taken = n_planned + (reads ? 1 : 0);
        if (demand.prompt) {
            if (n_taken < n_ubatch) {
                reads = true;
            } else if (!reads) {
                plan.starved = true;
            }
        } else if (plan.entries.size() < n_at_once && (n_taken == 0 || n_taken + demand.n_tokens <= n_ubatch)) {
            plan.entries.push_back({ i, demand.n_tokens, demand.n_outputs });
            n_planned += demand.n_tokens;
        } else {
            plan.starved = true;
        }
    }
    return n_planned;
}

// Tokens that all prompts take when none takes more than `part`.
size_t n_taken_by_prompts(std::span<const Demand> demands, size_t part) {
    size_t n = 0;
    for (const Demand & demand : demands) {
        n += demand.prompt ? std::min(demand.n_tokens, part) : 0;
    }
    return n;
}

// Prompts share the budget, so that a short one does not wait until a long one is read: each has an equal part, and what a
// short one leaves of its part goes to the others.
void plan_prompts(std::span<const Demand> demands, size_t budget, Plan & plan) {
    size_t part = 0; // the largest that fits
    size_t too_much = budget + 1;
    while (too_much - part > 1) {
        const size_t middle = part + (too_much - part) / 2;
        (n_taken_by_prompts(demands, middle) <= budget ? part : too_much) = middle;
    }
    size_t rest = budget - n_taken_by_prompts(demands, part);
    for (size_t i = 0; i < demands.size(); ++i) {
        if (!demands[i].prompt) {
            continue;
        }
        size_t n = std::min(demands[i].n_tokens, part);
        if (n < demands[i].n_tokens && rest > 0) {
            ++n;
            --rest;
        }
        if (n > 0) {
            plan.entries.push_back({ i, n, n == demands[i].n_tokens ? demands[i].n_outputs : 0 });
        } else {
            plan.starved = true;
        }
    }
}

} // namespace

size_t draft_part(std::span<const Demand> demands, size_t n_ubatch) {
    size_t n_taken = 0;
    for (const Demand & demand : demands) {
        n_taken += demand.n_tokens;
    }
    const size_t most = std::min(max_step_with_drafts, n_ubatch);
    return demands.empty() || n_taken >= most ? 0 : (most - n_taken) / demands.size();
}

bool are_streams(std::span<const Demand> demands) {
    const auto is_stream = [](const Demand & one) { return !one.prompt && one.n_tokens == 1; };
    return demands.size() > 1 && std::all_of(demands.begin(), demands.end(), is_stream);
}

void plan_step(std::span<const Demand> demands, size_t n_ubatch, size_t n_at_once, Plan & plan) {
    plan.entries.clear();
    plan.starved = false;
    const size_t n_streamed = plan_streams(demands, n_ubatch, n_at_once, plan);
    const bool streams = std::any_of(demands.begin(), demands.end(), [](const Demand & one) { return !one.prompt; });
    const size_t most = streams ? std::min(n_ubatch, shared_prompt_chunk) : n_ubatch;
    plan_prompts(demands, std::min(most, n_ubatch - std::min(n_ubatch, n_streamed)), plan);
}

} // namespace z1
