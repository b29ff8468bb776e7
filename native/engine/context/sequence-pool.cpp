#include "engine/context/sequence-pool.h"

#include "error.h"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <tuple>

namespace z1 {

SequencePool::SequencePool(const Api & api, llama_context * ctx, const Shape & shape)
    : shape(shape), budget(shape.cache_ram), memory { api, ctx, shape.shortens, shape.n_swa, budget }, cache(memory) {
    for (uint32_t id = 0; id < shape.n_prompts + shape.n_spare; ++id) {
        (id < shape.n_prompts ? free : spare).emplace_back(memory, static_cast<llama_seq_id>(id));
    }
}

Sequence * SequencePool::best_for(const std::vector<llama_token> & prompt, bool reuse, bool draws) {
    // Smaller is better.
    const auto rank = [&](const Sequence & one) {
        const size_t reused = reuse ? one.reusable(prompt, draws) : 0;
        const size_t rows = shape.neighbors && reused == 0 ? n_rows_with(one.seq_id()) : 0;
        return std::tuple(-static_cast<int64_t>(reused), rows, one.size(), one.seq_id());
    };
    const auto best = std::min_element(free.begin(), free.end(),
                                       [&](const Sequence & a, const Sequence & b) { return rank(a) < rank(b); });
    return best == free.end() ? nullptr : &*best;
}

Sequence * SequencePool::prepare_for(const std::vector<llama_token> & prompt, bool reuse, bool draws) {
    Sequence * best = best_for(prompt, reuse, draws);
    if (!best) {
        return nullptr;
    }
    const size_t n_here = reuse ? best->reusable(prompt, draws) : 0;
    // Out of the cache before another one may take its room.
    const std::list<SavedSequence> saved = reuse ? cache.take(prompt, draws, n_here) : std::list<SavedSequence>();
    if (!saved.empty()) {
        best = best_for(prompt, false);
    }
    keep(*best, saved.empty() ? n_here : 0);
    if (!saved.empty() && saved.front().state->is_there()) {
        best->load(saved.front());
    }
    return best;
}

// What the sequence holds beyond its first n tokens, before it is lost.
void SequencePool::keep(Sequence & sequence, size_t n) {
    try {
        cache.keep(sequence, n);
    } catch (const std::bad_alloc &) {
        // Then it is decoded again.
    }
}

Sequence * SequencePool::with_prompt(const std::vector<llama_token> & prompt, uint32_t group) {
    const auto suits = [&](const Sequence & one) { return one.holds(prompt, group); };
    const auto kept = std::find_if(free.begin(), free.end(), suits);
    Sequence * target = kept == free.end() ? best_for(prompt, false) : &*kept;
    if (!target) {
        return nullptr;
    }
    if (kept == free.end()) {
        const auto parent = std::find_if(used.begin(), used.end(), suits);
        if (parent == used.end()) {
            return nullptr;
        }
        keep(*target, 0);
        hold_same(*target, *parent);
    }
    target->truncate(prompt.size());
    return static_cast<size_t>(target->size()) == prompt.size() ? target : nullptr;
}

// How many rows of neighbors there are when `id` is in use, too.
size_t SequencePool::n_rows_with(llama_seq_id id) const {
    const auto begins_row = [&](llama_seq_id one) {
        return one - 1 != id && std::none_of(used.begin(), used.end(),
                                             [&](const Sequence & other) { return other.seq_id() == one - 1; });
    };
    return begins_row(id) +
           std::count_if(used.begin(), used.end(), [&](const Sequence & one) { return begins_row(one.seq_id()); });
}

void SequencePool::take(Sequence & sequence) {
    transfer(sequence, free, used);
    latest = &sequence;
}

SavedSequence SequencePool::save() {
    if (!latest || latest->size() == 0) {
        return {};
    }
    if (std::any_of(free.begin(), free.end(), [&](const Sequence & one) { return &one == latest; })) {
        latest->prepare_save();
    }
    SavedSequence saved = latest->save();
    if (!saved.state) {
        throw Error(ErrorCode::DECODE_FAILED, "llama.cpp could not copy the state of a sequence");
    }
    return saved;
}

Sequence * SequencePool::load(SavedSequence & saved) {
    Sequence * sequence = best_for(saved.tokens, false);
    if (!sequence) {
        return nullptr;
    }
    keep(*sequence, 0);
    // They count like those that were made here.
    std::erase_if(saved.checkpoints, [&](const auto & one) { return !budget.make_room(one->size()); });
    for (const auto & one : saved.checkpoints) {
        budget.add(one);
    }
    if (!sequence->load(saved)) {
        throw Error(ErrorCode::STATE_INVALID, "llama.cpp could not read the state");
    }
    latest = sequence;
    return sequence;
}

void SequencePool::give_back(Sequence & sequence) {
    const bool was_spare = static_cast<uint32_t>(sequence.seq_id()) >= shape.n_prompts;
    transfer(sequence, used, was_spare ? spare : free);
}

Sequence * SequencePool::fork(const Sequence & parent) {
    if (spare.empty()) {
        return nullptr;
    }
    Sequence & child = spare.front();
    hold_same(child, parent);
    transfer(child, spare, used);
    return &child;
}

void SequencePool::hold_same(Sequence & child, const Sequence & parent) {
    if (shape.forks_share) {
        child.share(parent);
    } else {
        child.copy(parent, buffer);
    }
}

void SequencePool::transfer(Sequence & sequence, std::list<Sequence> & from, std::list<Sequence> & to) {
    const auto at = std::find_if(from.begin(), from.end(), [&](const Sequence & one) { return &one == &sequence; });
    if (at == from.end()) {
        throw std::logic_error("The sequence is not where it is moved from");
    }
    const auto before =
        std::find_if(to.begin(), to.end(), [&](const Sequence & one) { return one.seq_id() > sequence.seq_id(); });
    to.splice(before, from, at);
}

} // namespace z1
