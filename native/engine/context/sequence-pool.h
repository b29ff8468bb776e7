// The sequences of a context: which are free, which one suits a prompt, and how one becomes two. Context thread only.
#pragma once

#include "engine/context/prompt-cache.h"
#include "engine/context/sequence.h"

#include <cstdint>
#include <list>
#include <vector>

namespace z1 {

class SequencePool {
public:
    struct Shape {
        uint32_t n_prompts = 1; // sequences for prompts: ids from 0 on
        uint32_t n_spare = 0;   // sequences for forks: the ids after them
        /// A fork needs no copy: all sequences share one pool of cells (llama_context_params::kv_unified), or have a
        /// recurrent state.
        bool forks_share = true;
        /// Only neighbors share a micro-batch: where each sequence has cells of its own, llama_batch_allocr::split_equal puts
        /// into one what has ascending, adjacent ids.
        bool neighbors = false;
        /// Sequences can give up their last tokens; a recurrent state cannot.
        bool shortens = true;
        llama_pos n_swa = 0;  // as in Memory
        size_t cache_ram = 0; // bytes for what sequences held, and for checkpoints
    };

    SequencePool(const Api & api, llama_context * ctx, const Shape & shape);
    SequencePool(const SequencePool &) = delete; // its sequences know its memory
    SequencePool & operator=(const SequencePool &) = delete;

    /// The free sequence that holds most of the prompt, of which nothing counts when it may not be reused. Of those that
    /// hold nothing of it, with `neighbors` one that leaves the fewest gaps between those in use; of these, the one that
    /// holds least at all, so that a long conversation is not thrown out for a short question, and then the lowest id. Null
    /// when none is free.
    Sequence * best_for(const std::vector<llama_token> & prompt, bool reuse, bool draws = true);

    /// The same one, with what an earlier one held of the prompt if that is more. What it held itself is saved, if it is a
    /// prompt that would be lost.
    Sequence * prepare_for(const std::vector<llama_token> & prompt, bool reuse, bool draws);

    /// What the sequence that was taken last holds; without a state when that is nothing worth saving. Throws DECODE_FAILED
    /// when llama.cpp refuses.
    SavedSequence save();

    /// Puts it into a free sequence, as what was used last. What that one held is saved as above. Null when none is free.
    /// Throws STATE_INVALID when llama.cpp refuses.
    Sequence * load(SavedSequence & saved);

    const Memory & of() const { return memory; }

    /// A free sequence that holds the prompt and nothing else, from one of the group's that holds it: itself, or by a copy. Null
    /// when none is free, or none holds it, or it cannot be had without what follows it.
    Sequence * with_prompt(const std::vector<llama_token> & prompt, uint32_t group);

    /// A free sequence is in use from here on, until it is given back. What it holds stays in it.
    void take(Sequence & sequence);
    void give_back(Sequence & sequence);

    /// The spare sequence with the lowest id, which is in use from here on and holds what `parent` holds. Nothing is decoded,
    /// and where forks share nothing is copied but by later changes. Null when none is free.
    Sequence * fork(const Sequence & parent);

private:
    void keep(Sequence & sequence, size_t n);
    void hold_same(Sequence & child, const Sequence & parent);
    static void transfer(Sequence & sequence, std::list<Sequence> & from, std::list<Sequence> & to);
    size_t n_rows_with(llama_seq_id id) const;

    Shape shape;
    StateBudget budget;
    Memory memory;
    PromptCache cache;
    std::list<Sequence> free;  // for prompts; all three by ascending id
    std::list<Sequence> spare; // for forks
    std::list<Sequence> used;
    Sequence * latest = nullptr; // of those for prompts, the one that was taken last
    std::vector<uint8_t> buffer; // of the last copy
};

} // namespace z1
