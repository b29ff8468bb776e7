// The arrays of one llama_batch, built entry by entry and used again in every step. Knows no generation. Context thread
// only.
#pragma once

#include "llama/api.h"

#include <span>
#include <vector>

namespace z1 {

class Batch {
public:
    void clear();

    /// Adds tokens at consecutive positions from `pos` on, each of which belongs to every one of the sequences, and asks for
    /// logits after the last n_outputs of them. Returns the batch index of the first.
    int32_t add(std::span<const llama_token> tokens, llama_pos pos, std::span<const llama_seq_id> seq_ids,
                size_t n_outputs);

    size_t n_tokens() const { return tokens.size(); }

    /// For llama_decode. Valid until something is added.
    llama_batch get();

private:
    std::vector<llama_token> tokens;
    std::vector<llama_pos> positions;
    std::vector<int8_t> outputs;
    std::vector<int32_t> n_seq_ids;
    std::vector<llama_seq_id> seq_ids; // of all tokens, one after the other
    std::vector<llama_seq_id *> seq_id_ptrs;
};

} // namespace z1
