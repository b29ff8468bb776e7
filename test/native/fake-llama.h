// A function table without libraries behind it: the model is a pure function of the tokens before, whatever the batch,
// and every rule of llama.cpp that a caller can break is checked. Knows llama.h and the table, nothing of engine/.
#pragma once

#include "llama/api.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace z1 {

struct FakeToken {
    std::string piece;
    int attr = LLAMA_TOKEN_ATTR_NORMAL;
    bool eog = false;
};

/// Consecutive tokens of one sequence, or of the same several ones, in a llama_decode.
struct FakeEntry {
    llama_seq_id seq_id; // the first of them
    llama_pos pos;       // of the first token
    std::vector<llama_token> tokens;
    bool samples;                      // logits are asked for after the last token
    size_t n_outputs;                  // tokens after which they are asked for
    std::vector<llama_seq_id> seq_ids; // all of them
};

using FakeDecode = std::vector<FakeEntry>;

/// What the header of a file says of a tensor.
struct FakeTensor {
    std::string name;
    size_t size; // bytes
    enum ggml_type type = GGML_TYPE_F32;
    std::array<int64_t, GGML_MAX_DIMS> ne = { 1, 2, 1, 1 };
};

/// The one that was constructed last and still lives is the one that models are loaded from. It outlives them.
class FakeLlama {
public:
    using Logits = std::function<void(std::span<const llama_token> sequence, std::span<float> row)>;
    using GgufValue = std::variant<uint32_t, float, std::string, bool, std::vector<int32_t>, uint16_t, int32_t>;

    FakeLlama();
    ~FakeLlama();
    FakeLlama(const FakeLlama &) = delete;
    FakeLlama & operator=(const FakeLlama &) = delete;

    const Api & api() const { return table; }

    /// For code that needs a vocabulary but no model.
    const llama_vocab * vocab() const { return vocab_.get(); }

    /// Every rule that was broken so far, and what has been made and not freed.
    std::vector<std::string> complaints() const;

    void complain(const std::string & what);

    /// Logits that look random but depend on the sequence alone.
    static void hashed(std::span<const llama_token> sequence, std::span<float> row);

    // The file that a load finds. Set before the load.
    std::vector<FakeToken> vocabulary;
    std::map<std::string, GgufValue> metadata;
    std::vector<FakeTensor> tensors;
    std::map<std::string, std::vector<FakeTensor>> parts; // the tensors of other files, by their paths
    bool recurrent = false;
    bool hybrid = false; // attention whose layers share the cells, and a recurrent state beside it
    llama_pos n_swa = 0; // keys that some layers attend over at most
    Logits logits = hashed;

    /// Called on the context's thread before a llama_decode computes anything. What it returns other than 0 becomes the
    /// result, and it may throw as a failed assertion does.
    std::function<int32_t(const FakeDecode &)> on_decode;

    /// Fails llama_state_seq_get_data.
    bool refuses_state = false;

    /// Fails llama_init_from_model with this as the logged reason.
    std::string context_error;

    /// Tokens of an entry that may ask for logits; more is a broken rule of ours, not of llama.cpp.
    size_t most_outputs = 1;

    // Written on the context's thread; read them when it has ended.
    std::vector<FakeDecode> decodes;          // those that succeeded
    std::vector<size_t> n_ubatches;           // passes through the model that each of them took
    std::atomic<int> n_interrupted { 0 };     // llama_decodes that the abort callback ended
    std::vector<llama_token> told;            // what the penalties sampler was given
    std::atomic<int> n_states { 0 };          // that were copied out
    llama_context_params context_params = {}; // of the last context

private:
    friend struct FakeFunctions;

    Api table;
    std::unique_ptr<llama_vocab> vocab_;
    // Freed objects are kept, so that a use after free is reported rather than undefined.
    std::vector<std::unique_ptr<llama_model>> models;
    std::vector<std::unique_ptr<llama_context>> contexts;
    mutable std::mutex mutex;
    std::vector<std::string> broken_rules;
    std::atomic<int> n_samplers { 0 };
    std::atomic<int> n_gguf { 0 };
};

} // namespace z1
