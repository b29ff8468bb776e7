#include "engine/context/sequence-pool.h"

#include <algorithm>
#include <stdexcept>

namespace z1 {

SequencePool::SequencePool(const Api & api, llama_memory_t memory, uint32_t n_seq_max, bool unified)
    : unified(unified) {
    for (uint32_t id = 0; id < n_seq_max; ++id) {
        free.emplace_back(api, memory, static_cast<llama_seq_id>(id));
    }
}

Sequence * SequencePool::best_for(const std::vector<llama_token> & prompt, bool reuse) {
    const auto best = std::max_element(free.begin(), free.end(), [&](const Sequence & a, const Sequence & b) {
        const size_t in_a = reuse ? a.reusable(prompt) : 0;
        const size_t in_b = reuse ? b.reusable(prompt) : 0;
        return in_a != in_b ? in_a < in_b : a.size() > b.size();
    });
    return best == free.end() ? nullptr : &*best;
}

void SequencePool::take(Sequence & sequence) {
    transfer(sequence, free, used);
}

void SequencePool::give_back(Sequence & sequence) {
    transfer(sequence, used, free);
}

Sequence * SequencePool::fork(const Sequence & parent) {
    if (!unified) {
        throw std::logic_error("A sequence can be forked only where all sequences share their cells");
    }
    Sequence * child = best_for({}, false);
    if (child) {
        take(*child);
        child->copy(parent);
    }
    return child;
}

void SequencePool::transfer(Sequence & sequence, std::list<Sequence> & from, std::list<Sequence> & to) {
    const auto at = std::find_if(from.begin(), from.end(), [&](const Sequence & one) { return &one == &sequence; });
    if (at == from.end()) {
        throw std::logic_error("The sequence is not where it is moved from");
    }
    to.splice(to.end(), from, at);
}

} // namespace z1
