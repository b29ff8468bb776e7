// One seq_id of a context and the tokens whose keys and values now stand in its KV cache. Context thread only.
#pragma once

#include "engine/context/state-budget.h"
#include "llama/api.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace z1 {

/// A llama_context's memory, and what its sequences can give up.
struct Memory {
    const Api & api;
    llama_context * ctx;
    bool shortens;       // their last tokens; a recurrent state cannot
    llama_pos n_swa;     // keys that some layers attend over at most; 0: all layers attend over all
    StateBudget & saved; // the room for copies of states

    llama_memory_t get() const { return api.llama_get_memory(ctx); }
};

/// What a sequence held, out of the llama_context.
struct SavedSequence {
    std::vector<llama_token> tokens;
    std::shared_ptr<SavedState> state;                    // of all tokens
    std::vector<std::shared_ptr<SavedState>> checkpoints; // as those of the sequence
    size_t n_prompt = 0;
};

class Sequence {
public:
    Sequence(const Memory & memory, llama_seq_id id) : memory(memory), id(id) {}

    llama_seq_id seq_id() const { return id; }

    /// What a batch entry of this sequence alone names.
    std::span<const llama_seq_id> seq_ids() const { return { &id, 1 }; }

    /// Tokens in the KV cache; also the position of the next one.
    llama_pos size() const { return static_cast<llama_pos>(tokens.size()); }

    /// Length of the prefix that a prompt shares with what is here and that may be reused. One token is left out, so that
    /// there is something to take logits from; not where there is a checkpoint with the logits, or none are needed
    /// (`draws` is false).
    size_t reusable(const std::vector<llama_token> & prompt, bool draws) const;

    /// The same of what was saved.
    static size_t reusable(const SavedSequence & saved, const Memory & memory, const std::vector<llama_token> & prompt,
                           bool draws);

    /// Makes what is here a prefix of the prompt: keeps the reusable part if `reuse`, removes the rest. Returns the
    /// number of prompt tokens that need no decoding.
    size_t sync(const std::vector<llama_token> & prompt, bool reuse, bool draws);

    /// Whether it holds the whole prompt, by a request of that group, which is not 0, and can be had without what follows
    /// it.
    bool holds(const std::vector<llama_token> & prompt, uint32_t group) const;

    /// Of the request that it is used for: its group, and how many tokens of what it decodes are worth keeping for others,
    /// which are those of its prompt, or none.
    void set_request(uint32_t group_, size_t n_prompt_) {
        group = group_;
        n_prompt = n_prompt_;
    }

    /// Gives up all after the first n tokens, and all of them where a part cannot be given up.
    void truncate(size_t n);

    /// Where truncate() could not get back here: saves what it takes, with the logits after the last token (or none), as
    /// far as there is room.
    void checkpoint(std::span<const float> logits);

    /// The logits that were saved with what is here; empty when there are none.
    std::span<const float> logits() const;

    /// Holds what the other holds instead of what is here, in the same cells; only where all sequences share them, and for
    /// a recurrent state, which is copied when one of the two changes it.
    void share(const Sequence & other);

    /// Holds what the other holds instead of what is here, as a copy in cells of its own. Takes a buffer whose memory is
    /// used again. Throws DECODE_FAILED when llama.cpp refuses.
    void copy(const Sequence & other, std::vector<uint8_t> & buffer);

    /// Whether another prompt that keeps n of its tokens would lose a prompt that is worth keeping.
    bool loses_prompt(size_t n) const;

    /// Before it is saved: gives up what keeps a later prompt from making use of a copy.
    void prepare_save();

    /// Bytes of a copy of what it holds; 0 when llama.cpp cannot tell.
    size_t state_size() const;

    /// A copy of what it holds, which counts nowhere; without a state when llama.cpp refuses.
    SavedSequence save() const;

    /// Holds what was saved instead of what is here. False, and it holds nothing, when llama.cpp refuses.
    bool load(const SavedSequence & saved);

    /// A decode that held these tokens at the end of this sequence has succeeded.
    void append(const llama_token * first, size_t n) { tokens.insert(tokens.end(), first, first + n); }

    /// What llama.cpp holds beyond `size()` is removed: of a decode that failed part-way, or of a draft that was wrong. False
    /// where a part cannot be given up: then more is, and it holds less than it did.
    bool repair();

    /// Holds nothing.
    void clear();

private:
    bool can_shorten_to(size_t n) const;
    bool go_back_to(const SavedState & checkpoint);

    const Memory & memory;
    llama_seq_id id;
    std::vector<llama_token> tokens;
    std::vector<std::shared_ptr<SavedState>> checkpoints; // none longer than `tokens`; ascending
    uint32_t group = 0;
    size_t n_prompt = 0;
};

} // namespace z1
