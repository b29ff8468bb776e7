// The sequences of a context: which are free, which one suits a prompt, and how one becomes two. Context thread only.
#pragma once

#include "engine/context/sequence.h"

#include <list>
#include <vector>

namespace z1 {

class SequencePool {
public:
    /// `unified`: whether all sequences share one pool of cells (llama_context_params::kv_unified).
    SequencePool(const Api & api, llama_memory_t memory, uint32_t n_seq_max, bool unified);

    /// The free sequence that holds most of the prompt, of which nothing counts when it may not be reused; of those that
    /// hold nothing of it, the one that holds least at all, so that a long conversation is not thrown out for a short
    /// question. Null when none is free.
    Sequence * best_for(const std::vector<llama_token> & prompt, bool reuse);

    /// A free sequence is in use from here on, until it is given back. What it holds stays in it.
    void take(Sequence & sequence);
    void give_back(Sequence & sequence);

    /// A sequence in use that holds what `parent` holds, in the same cells: nothing is copied or decoded but by later
    /// changes. Null when none is free. Throws std::logic_error when the cells are not shared: llama_memory_seq_cp between
    /// two pools copies whole buffers, and asserts on less.
    Sequence * fork(const Sequence & parent);

private:
    static void transfer(Sequence & sequence, std::list<Sequence> & from, std::list<Sequence> & to);

    bool unified;
    std::list<Sequence> free;
    std::list<Sequence> used;
};

} // namespace z1
