// What has to be known of a GGUF file before llama.cpp loads it: that it is one, that what llama.cpp trusts is sane, and
// how large its layers are.
#pragma once

#include "llama/api.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace z1 {

struct GgufHeader {
    std::string architecture;
    std::vector<uint64_t> layer_bytes;    // tensors of each block
    uint64_t other_bytes = 0;             // embeddings, output, norms
    uint64_t kv_bytes_per_cell_layer = 0; // K and V of one token in one layer, F16; 0 if unknown
    uint64_t kv_bytes_per_cell = 0;       // K and V of one token in the layers that surely keep all of them
    std::vector<uint32_t> key_lengths;    // of a head; layers with a window may have another. Empty if unknown
    std::vector<uint32_t> value_lengths;
    uint32_t n_positions = 0;     // learned positions, of which a context cannot have more; 0 if there are none
    int64_t thinking_window = -1; // z1.thinking_window: what the model was trained for; -1 if it does not say
    std::vector<std::pair<std::string, double>> sampling; // general.sampling.*: the keys' last words, and their values

    /// Throws MODEL_INVALID or MODEL_UNSUPPORTED. Of a model that was split, `path` is the first part, and the tensors of
    /// all parts count.
    static GgufHeader read(const Api & api, const std::string & path);

    /// Makes the bytes of K and V those of a cache of these types.
    void use_cache_types(const Api & api, enum ggml_type type_k, enum ggml_type type_v);
};

/// Layers, of n + 1 with the output, that fit `free` bytes with their KV cells, leaving room for compute buffers.
/// -1 when all do.
int32_t fit_gpu_layers(const GgufHeader & header, uint64_t free, uint32_t n_ctx_cells);

} // namespace z1
