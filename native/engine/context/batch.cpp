#include "engine/context/batch.h"

namespace z1 {

void Batch::clear() {
    tokens.clear();
    positions.clear();
    outputs.clear();
    n_seq_ids.clear();
    seq_ids.clear();
}

int32_t Batch::add(std::span<const llama_token> added, llama_pos pos, std::span<const llama_seq_id> belong_to,
                   size_t n_outputs) {
    const int32_t first = static_cast<int32_t>(tokens.size());
    for (size_t i = 0; i < added.size(); ++i) {
        tokens.push_back(added[i]);
        positions.push_back(pos++);
        outputs.push_back(i + n_outputs >= added.size());
        n_seq_ids.push_back(static_cast<int32_t>(belong_to.size()));
        seq_ids.insert(seq_ids.end(), belong_to.begin(), belong_to.end());
    }
    return first;
}

llama_batch Batch::get() {
    // Only now: the ids move when there is no more room for them.
    seq_id_ptrs.clear();
    llama_seq_id * ids = seq_ids.data();
    for (const int32_t n : n_seq_ids) {
        seq_id_ptrs.push_back(ids);
        ids += n;
    }
    llama_batch batch = {};
    batch.n_tokens = static_cast<int32_t>(tokens.size());
    batch.token = tokens.data();
    batch.pos = positions.data();
    batch.n_seq_id = n_seq_ids.data();
    batch.seq_id = seq_id_ptrs.data();
    batch.logits = outputs.data();
    return batch;
}

} // namespace z1
