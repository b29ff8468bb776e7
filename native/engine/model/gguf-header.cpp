#include "engine/model/gguf-header.h"

#include "engine/model/gguf-reader.h"
#include "error.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <numeric>
#include <span>
#include <string_view>

namespace z1 {

namespace {

// llama.cpp checks most of a file. Listed here is what it does not: it would divide by zero, call through a null pointer,
// or fail an assertion on a worker thread of ggml, and each of these ends the process.

// Lists of architectures: each name between spaces.
bool is_in(std::string_view names, const std::string & architecture) {
    return names.find(" " + architecture + " ") != std::string_view::npos;
}

// Divided by while the model is loaded or its graph is built.
struct Divisor {
    const char * key;                    // behind the architecture's name
    std::string_view architectures = ""; // those that divide by it, missing being 0; empty: all that have the key
};
constexpr Divisor divisors[] = {
    { "embedding_length" },
    { "full_attention_interval" },
    { "wkv.head_size" },
    { "ssm.time_step_rank" },
    { "attention.output_group_count" },
    { "conv_group_size" },
    { "attention.head_count", " deepseek2 olmo2 phimoe " },
    { "interleave_moe_layer_step", " ernie4_5-moe " },
    { "expert_used_count", " glm4moe grovemoe llada-moe qwen35moe qwen4exp " },
    { "ssm.group_count",
      " falcon-h1 granitehybrid mamba2 nemotron_h nemotron_h_moe qwen35 qwen35moe qwen3next qwen4exp " },
};

// ggml-cpu/ops.cpp asserts that they are not negative; a NaN is not either.
constexpr const char * epsilons[] = { "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon",
                                      "attention.group_norm_epsilon" };

// Tensors of more than one dimension that are not multiplied as matrices are, and such matrices as may have one row.
constexpr const char * no_matrices[] = { "_norm.", "ssm_conv1d", "shortconv.conv", "time_mix_first", "time_mix_lerp" };
constexpr const char * one_row_matrices[] = { "ffn_gate_inp", "cls." };

// These always rotate a head in sections, and divide by what the sections add up to.
constexpr std::string_view rotated_in_sections =
    " paddleocr qwen2vl qwen35 qwen35moe qwen3tts qwen3vl qwen3vlmoe qwen4exp ";

// These have a sliding window that their files need not mention.
constexpr std::string_view silent_windows = " exaone-moe exaone4 gemma2 llama4 smallthinker ";

// ggml-cpu/ops.cpp, rope: an even number of dimensions, and no more than a head has.
void check_rotation(const GgufReader & reader, const std::string & architecture) {
    const auto key = [&](const char * name) { return architecture + "." + name; };
    const uint32_t n_head = reader.u32(key("attention.head_count")).value_or(0);
    if (n_head == 0) {
        return; // no attention, or another number for each layer
    }
    const uint32_t n_embd_head = reader.u32(key("embedding_length")).value_or(0) / n_head;
    const uint32_t head = reader.u32(key("attention.key_length")).value_or(n_embd_head);
    const auto check = [&](const std::string & name, uint32_t n_rot, uint32_t most) {
        if (n_rot > most || n_rot % 2 != 0) {
            reader.invalid(name + " is " + std::to_string(n_rot) + ", expected an even number up to " +
                           std::to_string(most));
        }
    };
    check(key("rope.dimension_count"), reader.u32(key("rope.dimension_count")).value_or(head), head);
    if (const auto n_rot = reader.u32(key("rope.dimension_count_swa"))) {
        check(key("rope.dimension_count_swa"), *n_rot, reader.u32(key("attention.key_length_swa")).value_or(head));
    }

    const auto sections = reader.integers(key("rope.dimension_sections"));
    const bool positive = std::all_of(sections.begin(), sections.end(), [](int32_t n) { return n >= 0; });
    const int64_t sum = std::accumulate(sections.begin(), sections.end(), int64_t { 0 });
    if (!positive || sum > head || (sum == 0 && is_in(rotated_in_sections, architecture))) {
        reader.invalid(key("rope.dimension_sections") + " are not positive numbers of a sum up to " +
                       std::to_string(head));
    }
}

void check_numbers(const GgufReader & reader, const std::string & architecture) {
    const auto key = [&](const char * name) { return architecture + "." + name; };
    for (const Divisor & divisor : divisors) {
        if (!reader.has(key(divisor.key)) && is_in(divisor.architectures, architecture)) {
            reader.invalid(key(divisor.key) + " is missing");
        }
        // Of another type, or one for each layer, it is left to llama.cpp's own checks.
        const bool divides = divisor.architectures.empty() || is_in(divisor.architectures, architecture);
        if (divides && reader.u32(key(divisor.key)) == 0u) {
            reader.invalid(key(divisor.key) + " is 0");
        }
    }
    for (const char * name : epsilons) {
        const auto epsilon = reader.f32(key(name));
        if (epsilon && !(std::isfinite(*epsilon) && *epsilon >= 0)) {
            reader.invalid(key(name) + " is not a positive number");
        }
    }
    check_rotation(reader, architecture);
}

// A file that llama.cpp's converter wrote has these types (conversion/base.py, prepare_tensors).
void check_type(const Api & api, const GgufReader & reader, const GgufTensor & tensor) {
    const auto is_one_of = [&](std::span<const char * const> parts) {
        return std::any_of(parts.begin(), parts.end(), [&](const char * part) { return tensor.holds(part); });
    };
    const bool has_rows = tensor.ne[1] * tensor.ne[2] * tensor.ne[3] > 1 || is_one_of(one_row_matrices);
    const bool is_matrix = has_rows && tensor.name.ends_with(".weight") && !is_one_of(no_matrices);
    // Tables of ids, not of weights.
    const bool holds_ids = tensor.holds("tid2eid") || tensor.name == "d2t";
    if (holds_ids || (!is_matrix && tensor.type == GGML_TYPE_F32)) {
        return;
    }
    bool multiplies = is_matrix;
    switch (tensor.type) {
        case GGML_TYPE_I8:
        case GGML_TYPE_I16:
        case GGML_TYPE_I32:
        case GGML_TYPE_I64:
        case GGML_TYPE_F64:
        case GGML_TYPE_Q8_1:
        case GGML_TYPE_Q8_K: multiplies = false; break; // no vec_dot in ggml-cpu.c, type_traits_cpu
        default:             break;
    }
    if (!multiplies) {
        reader.invalid("the tensor " + std::string(tensor.name) + " is of the type " + api.ggml_type_name(tensor.type));
    }
}

void measure(GgufHeader & header, const GgufReader & reader, const std::vector<GgufTensor> & tensors) {
    const size_t n_layer = header.layer_bytes.size();
    std::vector<bool> attends(n_layer);
    std::vector<bool> recurs(n_layer);
    for (const GgufTensor & tensor : tensors) {
        const size_t layer =
            tensor.name.starts_with("blk.") ? std::strtoul(tensor.name.data() + 4, nullptr, 10) : n_layer;
        if (layer >= n_layer) {
            header.other_bytes += tensor.size;
            continue;
        }
        header.layer_bytes[layer] += tensor.size;
        attends[layer] = attends[layer] || tensor.holds(".attn_k.") || tensor.holds(".attn_qkv.");
        recurs[layer] = recurs[layer] || tensor.holds(".ssm_");
    }

    const auto u32 = [&](const char * name) { return reader.u32(header.architecture + "." + name); };
    const uint32_t n_head = u32("attention.head_count").value_or(0);
    if (n_head == 0) {
        return;
    }
    const uint32_t n_embd_head = u32("embedding_length").value_or(0) / n_head;
    const uint64_t n_head_kv = u32("attention.head_count_kv").value_or(n_head);
    const uint64_t k = u32("attention.key_length").value_or(n_embd_head);
    const uint64_t v = u32("attention.value_length").value_or(n_embd_head);
    header.kv_bytes_per_cell_layer = n_head_kv * (k + v) * 2;
    header.key_lengths = { static_cast<uint32_t>(k), u32("attention.key_length_swa").value_or(k) };
    header.value_lengths = { static_cast<uint32_t>(v), u32("attention.value_length_swa").value_or(v) };

    // Less is kept of layers with a window, with another's cache, or with a state.
    for (const char * name : { "attention.sliding_window", "attention.shared_kv_layers", "full_attention_interval" }) {
        if (reader.has(header.architecture + "." + name)) {
            return;
        }
    }
    for (size_t layer = 0; layer < n_layer && !is_in(silent_windows, header.architecture); ++layer) {
        header.kv_bytes_per_cell += attends[layer] && !recurs[layer] ? header.kv_bytes_per_cell_layer : 0;
    }
}

} // namespace

GgufHeader GgufHeader::read(const Api & api, const std::string & path) {
    const GgufReader reader(api, path);
    GgufHeader header;
    const auto architecture = reader.string("general.architecture");
    if (!architecture || architecture->empty()) {
        reader.invalid("general.architecture is missing");
    }
    // It is part of messages.
    const auto printable = [](unsigned char byte) { return byte > ' ' && byte < 0x7F; };
    if (architecture->size() > 64 || !std::all_of(architecture->begin(), architecture->end(), printable)) {
        reader.invalid("general.architecture is not a name");
    }
    header.architecture = *architecture;

    std::vector<GgufTensor> tensors = reader.tensors();
    std::list<GgufReader> parts; // of a model that was split; they hold the tensors' names
    for (const std::string & part : reader.other_parts()) {
        const std::vector<GgufTensor> more = parts.emplace_back(api, part).tensors();
        tensors.insert(tensors.end(), more.begin(), more.end());
    }
    if (tensors.empty() && !reader.has("split.count")) {
        reader.invalid("it holds a vocabulary but no tensors");
    }

    const auto key = [&](const char * name) { return header.architecture + "." + name; };
    // llama.cpp makes as many dummy tokens as the file asks for.
    const auto tokenizer = reader.string("tokenizer.ggml.model");
    if (tokenizer == "none" || tokenizer == "no_vocab") {
        throw Error(ErrorCode::MODEL_UNSUPPORTED, path + " cannot answer questions: it has no vocabulary");
    }
    if (reader.boolean(key("attention.causal")) == false) {
        throw Error(ErrorCode::MODEL_UNSUPPORTED,
                    path +
                        " cannot answer questions: its attention is not causal, as in encoders and diffusion models");
    }
    const uint32_t n_layer = reader.u32(key("block_count")).value_or(0);
    // LLAMA_MAX_LAYERS (llama-hparams.h). Without the key llama.cpp tells an unknown architecture from a broken file.
    if (reader.has(key("block_count")) && (n_layer == 0 || n_layer > 512)) {
        reader.invalid(key("block_count") + " is " + std::to_string(n_layer) + ", expected 1 to 512");
    }
    check_numbers(reader, header.architecture);
    for (const GgufTensor & tensor : tensors) {
        check_type(api, reader, tensor);
    }

    header.layer_bytes.resize(n_layer);
    measure(header, reader, tensors);
    const auto positions = std::find_if(tensors.begin(), tensors.end(), [](const GgufTensor & tensor) {
        return tensor.name == "position_embd.weight";
    });
    header.n_positions = positions == tensors.end() ? 0 : static_cast<uint32_t>(positions->ne[1]);
    if (const auto window = reader.u32("z1.thinking_window")) {
        header.thinking_window = *window;
    }
    // llama-arch.cpp, LLM_KV_GENERAL_SAMPLING_*: those that have an option of ours. llama.cpp takes any type of number.
    for (const char * word : { "temp", "top_p", "min_p", "xtc_probability", "xtc_threshold", "penalty_repeat", "top_k",
                               "penalty_last_n" }) {
        if (const auto value = reader.number(std::string("general.sampling.") + word)) {
            header.sampling.emplace_back(word, *value);
        }
    }
    return header;
}

void GgufHeader::use_cache_types(const Api & api, enum ggml_type type_k, enum ggml_type type_v) {
    const bool is_known = !key_lengths.empty() && key_lengths[0] + value_lengths[0] > 0;
    if (!is_known || (type_k == GGML_TYPE_F16 && type_v == GGML_TYPE_F16)) {
        return;
    }
    const auto bytes = [&](enum ggml_type type, uint32_t length) {
        return static_cast<double>(length) * api.ggml_type_size(type) / api.ggml_blck_size(type);
    };
    const double as_f16 = 2.0 * (key_lengths[0] + value_lengths[0]);
    const double factor = (bytes(type_k, key_lengths[0]) + bytes(type_v, value_lengths[0])) / as_f16;
    kv_bytes_per_cell_layer = static_cast<uint64_t>(kv_bytes_per_cell_layer * factor);
    kv_bytes_per_cell = static_cast<uint64_t>(kv_bytes_per_cell * factor);
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
