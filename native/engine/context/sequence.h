// One seq_id of a context and the tokens whose keys and values now stand in its KV cache. Context thread only.
#pragma once

#include "llama/api.h"

#include <cstdint>
#include <span>
#include <vector>

namespace z1 {

class Sequence {
public:
    Sequence(const Api & api, llama_memory_t memory, llama_seq_id id) : api(api), memory(memory), id(id) {}

    llama_seq_id seq_id() const { return id; }

    /// What a batch entry of this sequence alone names.
    std::span<const llama_seq_id> seq_ids() const { return { &id, 1 }; }

    /// Tokens in the KV cache; also the position of the next one.
    llama_pos size() const { return static_cast<llama_pos>(tokens.size()); }

    /// Length of the prefix that a prompt shares with what is here and that may be reused. One token is always left
    /// out, so that there is something to take logits from.
    size_t reusable(const std::vector<llama_token> & prompt) const;

    /// Makes what is here a prefix of the prompt: keeps the reusable part if `reuse`, removes the rest. Returns the
    /// number of prompt tokens that need no decoding.
    size_t sync(const std::vector<llama_token> & prompt, bool reuse);

    /// Whether it holds the whole prompt, by a request of that group, which is not 0.
    bool holds(const std::vector<llama_token> & prompt, uint32_t group) const;

    /// Of the request that it is used for.
    void set_group(uint32_t id) { group = id; }

    /// Gives up all after the first n tokens, and all of them where a part cannot be given up.
    void truncate(size_t n);

    /// Holds what the other holds instead of what is here, in the same cells; only where all sequences share them, and for
    /// a recurrent state, which is copied when one of the two changes it.
    void share(const Sequence & other);

    /// Holds what the other holds instead of what is here, as a copy in cells of its own. Takes `ctx` from which the memory
    /// is, and a buffer whose memory is used again. Throws DECODE_FAILED when llama.cpp refuses.
    void copy(const Sequence & other, llama_context * ctx, std::vector<uint8_t> & buffer);

    /// A decode that held these tokens at the end of this sequence has succeeded.
    void append(const llama_token * first, size_t n) { tokens.insert(tokens.end(), first, first + n); }

    /// What llama.cpp holds beyond `size()` is removed: of a decode that failed part-way, or of a draft that was wrong. False
    /// where a part cannot be given up: then all is, and it holds nothing.
    bool repair();

    /// Holds nothing.
    void clear();

private:
    const Api & api;
    llama_memory_t memory;
    llama_seq_id id;
    std::vector<llama_token> tokens;
    uint32_t group = 0;
};

} // namespace z1
