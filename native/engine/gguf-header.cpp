#include "engine/gguf-header.h"

#include "error.h"
#include "llama/engine-call.h"

#include <cmath>
#include <memory>

namespace z1 {

namespace {

[[noreturn]] void invalid(const std::string & path, const std::string & reason) {
    throw Error(ErrorCode::MODEL_INVALID, path + " is not a usable GGUF model: " + reason);
}

class Reader {
public:
    Reader(const Api & api, const std::string & path)
        : api(api), gguf(api.gguf_init_from_file(path.c_str(), { true, nullptr }), api.gguf_free) {}

    explicit operator bool() const { return gguf != nullptr; }
    gguf_context * get() const { return gguf.get(); }

    std::optional<std::string> string(const std::string & key) const {
        const int64_t id = find(key, GGUF_TYPE_STRING);
        return id < 0 ? std::nullopt : std::optional<std::string>(api.gguf_get_val_str(get(), id));
    }

    std::optional<uint32_t> u32(const std::string & key) const {
        const int64_t id = find(key, GGUF_TYPE_UINT32);
        return id < 0 ? std::nullopt : std::optional<uint32_t>(api.gguf_get_val_u32(get(), id));
    }

    std::optional<float> f32(const std::string & key) const {
        const int64_t id = find(key, GGUF_TYPE_FLOAT32);
        return id < 0 ? std::nullopt : std::optional<float>(api.gguf_get_val_f32(get(), id));
    }

private:
    // Reading a value as another type is an assertion (gguf.h).
    int64_t find(const std::string & key, gguf_type type) const {
        const int64_t id = api.gguf_find_key(get(), key.c_str());
        return id >= 0 && api.gguf_get_kv_type(get(), id) == type ? id : -1;
    }

    const Api & api;
    std::unique_ptr<gguf_context, decltype(&::gguf_free)> gguf;
};

} // namespace

GgufHeader GgufHeader::read(const Api & api, const std::string & path) {
    EngineCall call;
    const Reader reader(api, path);
    if (!reader) {
        const std::string reason = call.reason();
        invalid(path, reason.empty() ? "its header cannot be read" : reason);
    }

    GgufHeader header;
    const auto architecture = reader.string("general.architecture");
    if (!architecture || architecture->empty()) {
        invalid(path, "general.architecture is missing");
    }
    header.architecture = *architecture;
    header.tokenizer = reader.string("tokenizer.ggml.model").value_or("");

    const int64_t n_tensors = api.gguf_get_n_tensors(reader.get());
    if (n_tensors == 0) {
        invalid(path, "it holds a vocabulary but no tensors");
    }

    const auto key = [&](const char * name) { return header.architecture + "." + name; };
    const uint32_t n_layer = reader.u32(key("block_count")).value_or(0);
    // LLAMA_MAX_LAYERS (llama-hparams.h): a larger count overruns no check before an assertion.
    if (n_layer == 0 || n_layer > 512) {
        invalid(path, key("block_count") + " is " + std::to_string(n_layer) + ", expected 1 to 512");
    }
    for (const char * name : { "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon" }) {
        const auto epsilon = reader.f32(key(name));
        if (epsilon && !(std::isfinite(*epsilon) && *epsilon >= 0)) {
            invalid(path, key(name) + " is not a positive number");
        }
    }
    for (const char * name : { "attention.head_count", "embedding_length" }) {
        if (reader.u32(key(name)) == 0u && header.architecture.find("mamba") == std::string::npos) {
            invalid(path, key(name) + " is 0");
        }
    }

    header.layer_bytes.resize(n_layer);
    for (int64_t i = 0; i < n_tensors; ++i) {
        const std::string name = api.gguf_get_tensor_name(reader.get(), i);
        const uint64_t size = api.gguf_get_tensor_size(reader.get(), i);
        size_t layer = n_layer;
        if (name.rfind("blk.", 0) == 0) {
            layer = std::strtoul(name.c_str() + 4, nullptr, 10);
        }
        (layer < n_layer ? header.layer_bytes[layer] : header.other_bytes) += size;
    }

    const uint64_t n_embd = reader.u32(key("embedding_length")).value_or(0);
    const uint64_t n_head = reader.u32(key("attention.head_count")).value_or(0);
    if (n_head > 0) {
        const uint64_t n_head_kv = reader.u32(key("attention.head_count_kv")).value_or(static_cast<uint32_t>(n_head));
        const uint64_t k = reader.u32(key("attention.key_length")).value_or(static_cast<uint32_t>(n_embd / n_head));
        const uint64_t v = reader.u32(key("attention.value_length")).value_or(static_cast<uint32_t>(n_embd / n_head));
        header.kv_bytes_per_cell_layer = n_head_kv * (k + v) * 2;
    }
    return header;
}

int32_t fit_gpu_layers(const GgufHeader & header, uint64_t free, uint32_t n_ctx_cells) {
    // Compute buffers and fragmentation: measured by llama.cpp only after the model is loaded.
    constexpr uint64_t reserve = 512ull << 20;
    uint64_t left = free - std::min(free, reserve + free / 20);

    // Layers go to the GPU from the last one on, the output first (llama-model.cpp, load_tensors).
    if (left < header.other_bytes) {
        return 0;
    }
    left -= header.other_bytes;
    int32_t fitting = 1;
    for (auto bytes = header.layer_bytes.rbegin(); bytes != header.layer_bytes.rend(); ++bytes) {
        const uint64_t need = *bytes + header.kv_bytes_per_cell_layer * n_ctx_cells;
        if (left < need) {
            return fitting;
        }
        left -= need;
        ++fitting;
    }
    return -1;
}

} // namespace z1
