// A step of the context's thread: who gets a sequence, what is decoded, what is sampled, what is told.
#include "engine/context/context.h"

#include "error.h"

#include <algorithm>

namespace z1 {

// What fails in it ends the generation. No std::function: making one may need memory, before the action can tell whose it was.
template <typename Action>
void Context::attempt(Generation & generation, const Action & action) {
    try {
        action();
    } catch (const Error & error) {
        end(generation, error.code, error.what());
    } catch (const std::bad_alloc &) {
        generation.head().abandon(ErrorCode::OUT_OF_MEMORY);
    }
}

void Context::admit() {
    load_states();
    while (Generation * generation = next_in_line()) {
        Sequence * shared = nullptr;
        try {
            if (generation->can_join()) {
                shared = sequences->with_prompt(generation->prompt(), generation->group());
            }
        } catch (const Error &) {
            // It cannot be copied: it is decoded again.
        }
        Sequence * sequence = shared ? shared
                                     : sequences->prepare_for(generation->prompt(), generation->caches_prompt(),
                                                              generation->draws_after_prompt());
        if (!sequence) {
            return;
        }
        sequences->take(*sequence);
        attempt(*generation, [&] { shared ? generation->join(*sequence) : generation->start(*sequence); });
    }
}

// Of those that wait for a sequence, the first of the group of which the fewest run: many of one group do not keep the
// others waiting. While one of a group reads the prompt, the others wait for it. Null when none may start.
Generation * Context::next_in_line() {
    Generation * next = nullptr;
    size_t fewest = 0;
    for (const auto & generation : generations) {
        if (generation->started() || generation->done()) {
            continue;
        }
        size_t n_running = 0;
        bool is_read = false; // by another of the group
        for (const auto & other : generations) {
            if (generation->shared_prompt() && other->shared_prompt() == generation->shared_prompt() &&
                other->started() && !other->done()) {
                ++n_running;
                is_read = is_read || other->reads_prompt();
            }
        }
        if (!is_read && (!next || n_running < fewest)) {
            next = generation.get();
            fewest = n_running;
        }
    }
    return next;
}

void Context::step(const EngineCall & call) {
    place_branches();
    plan();
    if (!plan_.entries.empty()) {
        decode(call);
    }
}

// In order of turns. What waits for a spare sequence is not decoded further; the branches that have them wait for nobody.
void Context::place_branches() {
    for (auto at = generations.begin(); at != generations.end(); ++at) {
        Generation & trunk = **at;
        while (trunk.has_branch_to_place()) {
            std::list<std::unique_ptr<Generation>> branch(1); // memory, before a sequence is taken
            try {
                Sequence * sequence = sequences->fork(trunk.target());
                if (!sequence) {
                    return;
                }
                branch.front() = trunk.place_branch(*sequence);
            } catch (const Error & error) {
                end(trunk, error.code, error.what());
                break;
            }
            generations.splice(std::next(at), branch);
        }
    }
}

// Asks every generation what it has to decode, and makes the step's batch of it.
void Context::plan() {
    running.clear();
    demands.clear();
    for (const auto & generation : generations) {
        if (generation->started() && !generation->done()) {
            generation->begin_step();
        }
        if (generation->started() && !generation->done() && !generation->waits()) {
            running.push_back(generation.get());
            demands.push_back(
                { generation->reads_prompt(), generation->next_tokens().size(), generation->n_outputs() });
        }
    }
    const size_t part = draft_part(demands, params_.n_ubatch);
    for (Generation * generation : running) {
        generation->propose(part, running.size());
    }
    const bool drafts = std::any_of(running.begin(), running.end(), [](auto * one) { return !one->draft().empty(); });
    may_take_turns = params_.adapts && !drafts && are_streams(demands);
    plan_step(demands, params_.n_ubatch, may_take_turns ? turns.at_once(demands.size()) : demands.size(), plan_);

    if (plan_.starved) {
        // More wait than a step has room for: who was served now comes last the next time.
        for (const BatchEntry & entry : plan_.entries) {
            const auto served = std::find_if(generations.begin(), generations.end(),
                                             [&](const auto & one) { return one.get() == running[entry.generation]; });
            generations.splice(generations.end(), generations, served);
        }
    }

    // Sequences that have no cells in common go through the model together only where their ids ascend without a gap.
    std::sort(plan_.entries.begin(), plan_.entries.end(), [&](const BatchEntry & a, const BatchEntry & b) {
        return running[a.generation]->target().seq_id() < running[b.generation]->target().seq_id();
    });
    batch.clear();
    for (const BatchEntry & entry : plan_.entries) {
        const Generation & generation = *running[entry.generation];
        const Sequence & sequence = generation.target();
        const llama_pos next = sequence.size() + static_cast<llama_pos>(entry.n_tokens);
        batch.add(generation.next_tokens().first(entry.n_tokens), sequence.size(), sequence.seq_ids(), entry.n_outputs);
        batch.add(generation.draft(), next, sequence.seq_ids(), generation.draft().size());
    }
}

// A number that was given stays: with another the same tokens have other logits, in their last bits.
void Context::set_threads() {
    const int32_t n = thread_count ? thread_count->next(now()) : n_threads;
    if (n != n_threads) {
        n_threads = n;
        api.llama_set_n_threads(ctx.get(), std::min(n, params_.n_threads), std::min(n, params_.n_threads_batch));
    }
}

void Context::decode(const EngineCall & call) {
    set_threads();
    {
        std::lock_guard lock(mutex);
        decoding.clear();
        for (const BatchEntry & entry : plan_.entries) {
            decoding.push_back(running[entry.generation]->id());
        }
        n_not_aborted = decoding.size();
    }
    const llama_batch tokens = batch.get();
    int32_t status = 0;
    const double began = now();
    try {
        status = api.llama_decode(ctx.get(), tokens);
    } catch (const std::bad_alloc &) {
        // Unlike one of our own, this is half-way through a decode.
        throw EngineAssert("out of memory");
    }
    forget_decoding();

    if (status != 0) {
        decode_failed(status, call.reason());
        return;
    }
    const size_t n_taken = plan_.entries.size();
    if (may_take_turns && (n_taken == 1 || n_taken == running.size())) {
        turns.took(n_taken, running.size(), now() - began);
    }
    for (const BatchEntry & entry : plan_.entries) {
        running[entry.generation]->decoded(entry.n_tokens, n_threads);
    }
    int32_t next = 0; // batch index of the entry's first token
    for (const BatchEntry & entry : plan_.entries) {
        Generation & generation = *running[entry.generation];
        const int32_t last = next + static_cast<int32_t>(entry.n_tokens) - 1;
        const size_t n_draft = generation.draft().size();
        next = last + 1 + static_cast<int32_t>(n_draft);
        const bool ended_prompt =
            demands[entry.generation].prompt && entry.n_tokens == demands[entry.generation].n_tokens;
        if (ended_prompt && generation.leaves_prompt()) {
            save_prompt(generation, entry.n_outputs > 0 ? last : -1);
        }
        if (entry.n_outputs > 0 && !generation.head().failed()) {
            attempt(generation, [&] { generation.sample(ctx.get(), last); });
        }
        if (n_draft > 0 && !generation.target().repair()) {
            end(generation, ErrorCode::DECODE_FAILED, "llama.cpp cannot take back a draft of this model");
        }
    }
}

// `output`: batch index of the logits after the prompt; -1: there are none.
void Context::save_prompt(Generation & generation, int32_t output) {
    const float * logits = output < 0 ? nullptr : api.llama_get_logits_ith(ctx.get(), output);
    const size_t n_vocab = model_->metadata().n_vocab;
    try {
        generation.target().checkpoint(logits ? std::span(logits, n_vocab) : std::span<const float>());
    } catch (const std::bad_alloc &) {
        // Then it is decoded again.
    }
}

// No llama_decode runs: an abort has none to end.
void Context::forget_decoding() {
    std::lock_guard lock(mutex);
    decoding.clear();
    n_not_aborted = 1;
}

// The only reader of llama_decode's other results (llama.h, llama_decode).
void Context::decode_failed(int32_t status, const std::string & reason) {
    for (const BatchEntry & entry : plan_.entries) {
        Generation & generation = *running[entry.generation];
        generation.target().repair();
        if (status == 1) {
            generation.head().fail(ErrorCode::DECODE_FAILED, "The KV cache has no room for the batch");
        } else if (status != 2) {
            generation.head().fail(ErrorCode::DECODE_FAILED, "llama_decode returned " + std::to_string(status) +
                                                                 (reason.empty() ? "" : ": " + reason));
        }
        // 2: every generation in it was aborted, or the context is closing. Their messages are still in the inbox.
    }
}

// What a branch gave is told by its trunk; a trunk that failed ends its branches.
void Context::settle_branches() {
    for (auto at = generations.begin(); at != generations.end();) {
        Generation & generation = **at;
        Generation * trunk = generation.trunk();
        if (!trunk || !(generation.done() || trunk->failed())) {
            ++at;
            continue;
        }
        if (!trunk->failed()) {
            trunk->branch_ended(generation);
        }
        leave(generation);
        at = generations.erase(at);
    }
}

// Gives the sequence back. What was in a branch's is of no use to anybody, and would be attended over.
void Context::leave(Generation & generation) {
    if (!generation.started()) {
        return;
    }
    Sequence & sequence = generation.release();
    if (generation.trunk() && fatal_error.empty()) {
        sequence.clear();
    }
    sequences->give_back(sequence);
}

// Hands the step's events to the sink, all at once, and lets go of the generations that ended. What is thrown in it loses
// nothing: nothing is taken before there is room for all, and what the sink did not take stays in `unposted`.
void Context::publish() {
    settle_branches();
    size_t n_events = unposted.size();
    for (const auto & generation : generations) {
        n_events += generation->trunk() ? 0 : generation->n_events();
    }
    unposted.reserve(n_events);
    for (auto at = generations.begin(); at != generations.end();) {
        Generation & generation = **at;
        if (!generation.trunk()) {
            generation.take_events(unposted);
        }
        if (generation.done() && !generation.has_branch_to_place()) {
            leave(generation); // also while branches go on: they have what they need of it
        }
        at = generation.over() ? generations.erase(at) : std::next(at);
    }
    if (!unposted.empty()) {
        sink->post(unposted);
    }
}

} // namespace z1
