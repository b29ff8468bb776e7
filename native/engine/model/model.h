// A loaded model: its weights, its vocabulary, and what its file says of itself. Shared by its handle in JavaScript and by
// every context of it. The const functions may be called from any thread.
#pragma once

#include "engine/model/adapter.h"
#include "engine/model/pieces.h"
#include "engine/model/tag-index.h"
#include "engine/model/text-bounds.h"
#include "engine/process-exit.h"
#include "llama/engine.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace z1 {

struct ModelParams {
    /// n_gpu_layers: as many layers as fit the free memory of the GPU devices.
    static constexpr int32_t fit = -2;

    std::string path;
    int32_t n_gpu_layers = fit; // a count, -1 = all, or `fit`
    uint32_t n_ctx_cells = 0;   // KV cells to leave room for; used by `fit`
    bool weights = true;        // false: metadata and vocabulary only, no context can be made
    bool mmap = true;           // false: the weights are read into memory, and the file is no longer needed
    bool mlock = false;         // the weights may not be swapped out
    // Of the KV cache that contexts will have; sizes depend on it.
    enum ggml_type type_k = GGML_TYPE_F16;
    enum ggml_type type_v = GGML_TYPE_F16;
    std::optional<std::vector<std::string>> devices; // names of GPU devices to use; none: all
    std::vector<AdapterParams> adapters;
};

struct SpecialToken {
    llama_token id;
    std::string text;
    bool control; // else user-defined
};

struct ModelMetadata {
    std::string architecture;
    std::string description;
    std::string quantization;
    uint64_t n_params;
    uint64_t size; // bytes of all tensors
    int32_t n_layer;
    int32_t n_gpu_layers;
    int32_t n_embd;
    int32_t n_vocab;
    enum llama_vocab_type vocab_type;
    int32_t n_ctx_train;                                  // 0 = not said
    int64_t thinking_window;                              // the file's own default, -1 = not said
    std::vector<std::pair<std::string, double>> sampling; // what the file recommends, as in GgufHeader
    uint32_t n_positions;              // most tokens of a context, where positions are learned; 0 = any
    uint64_t kv_bytes_per_cell;        // at least
    std::vector<uint32_t> key_lengths; // of a head, as in GgufHeader
    std::vector<uint32_t> value_lengths;
    bool recurrent;
    bool hybrid;
    std::string unsupported; // why it cannot generate; empty if it can
    std::optional<std::string> chat_template;
    llama_token bos; // LLAMA_TOKEN_NULL if the vocabulary has none
    llama_token eos;
    bool add_bos;
    std::vector<SpecialToken> special_tokens;
};

/// A piece of text to tokenize.
struct Segment {
    std::string text;
    bool parse_special; // recognize control tokens in it
    bool continuation;  // it follows other text: insert no space, as SentencePiece vocabularies do at a beginning
};

class Model {
public:
    /// Reads 0…1 while tensors load; false cancels.
    using Progress = std::function<bool(float)>;
    /// Whether nobody waits any more for what is being done.
    using Cancelled = std::function<bool()>;

    /// Throws MODEL_INVALID or MODEL_UNSUPPORTED (with llama.cpp's reason), ADAPTER_INVALID, OUT_OF_MEMORY, or ABORTED when
    /// `progress` said so.
    static std::shared_ptr<Model> load(const Engine & engine, const ModelParams & params, const Progress & progress);

    const Api & api() const { return engine.api; }
    llama_model * get() const { return model.get(); }
    const llama_vocab * vocab() const { return vocab_; }
    const ModelMetadata & metadata() const { return metadata_; }
    const Pieces & pieces() const { return pieces_; }
    /// What every context of the model applies.
    const Adapters & adapters() const { return adapters_; }

    /// The tokens that end a generation.
    const std::vector<llama_token> & end_tokens() const { return end_tokens_; }

    const TextBounds & text_bounds() const { return text_bounds_; }

    /// Between two calls of llama_tokenize it throws CONTEXT_TOO_SMALL when there are more than `most` tokens already, and
    /// ABORTED once `cancelled`.
    std::vector<llama_token> tokenize(const std::vector<Segment> & segments, size_t most = SIZE_MAX,
                                      const Cancelled & cancelled = {}) const;

    /// Bytes as the tokens spell them; of control tokens only if `special`. Throws MODEL_INVALID for an id out of range, and
    /// ABORTED once `cancelled`.
    std::string detokenize(const std::vector<llama_token> & tokens, bool special,
                           const Cancelled & cancelled = {}) const;

    std::shared_ptr<const TagIndex> tag_index(const std::string & tag) const;

private:
    using ModelPtr = std::unique_ptr<llama_model, decltype(&::llama_model_free)>;

    Model(const Engine & engine, ModelPtr model, ModelPtr continuation, ModelMetadata metadata, Adapters adapters);

    void tokenize(std::string_view text, const Segment & segment, std::vector<llama_token> & tokens) const;

    const Engine & engine;
    ModelPtr model;
    ModelPtr continuation; // the vocabulary again, inserting no spaces; null where none are inserted anyway
    const llama_vocab * vocab_;
    ModelMetadata metadata_;
    Adapters adapters_; // freed with the model
    Pieces pieces_;
    std::vector<llama_token> end_tokens_;
    TextBounds text_bounds_;

    mutable std::mutex tag_mutex;
    mutable std::map<std::string, std::shared_ptr<const TagIndex>> tag_indices;

    process_exit::Registration registration;
};

} // namespace z1
