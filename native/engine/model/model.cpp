#include "engine/model/model.h"

#include "engine/model/gguf-header.h"
#include "error.h"
#include "llama/engine-call.h"

#include <algorithm>
#include <cstring>

namespace z1 {

namespace {

// Bytes of text, or tokens, between two looks at whether anybody waits for the rest: some milliseconds. Not more, since
// llama.cpp takes time in the square of the special tokens in a text (llama-vocab.cpp, tokenizer_st_partition).
constexpr size_t part_bytes = 1 << 14;

void throw_if(const Model::Cancelled & cancelled) {
    if (cancelled && cancelled()) {
        throw Error(ErrorCode::ABORTED, "The work was cancelled");
    }
}

ErrorCode code_of(const EngineCall & call) {
    if (call.reason().find("unknown model architecture") != std::string::npos) {
        return ErrorCode::MODEL_UNSUPPORTED;
    }
    return call.ran_out_of_memory() ? ErrorCode::OUT_OF_MEMORY : ErrorCode::MODEL_INVALID;
}

struct LoadProgress {
    const Model::Progress & report;
    bool cancelled = false;

    static bool step(float progress, void * self) {
        auto * load = static_cast<LoadProgress *>(self);
        load->cancelled = !load->report(progress);
        return !load->cancelled;
    }
};

int32_t gpu_layers(const Engine & engine, const GgufHeader & header, const ModelParams & params) {
    if (params.n_gpu_layers != ModelParams::fit) {
        return params.n_gpu_layers;
    }
    uint64_t free = 0;
    bool gpu = false;
    for (const Device & device : engine.devices()) {
        const auto & names = params.devices;
        if (names && std::find(names->begin(), names->end(), device.name) == names->end()) {
            continue;
        }
        if (device.type == GGML_BACKEND_DEVICE_TYPE_GPU || device.type == GGML_BACKEND_DEVICE_TYPE_IGPU) {
            free += device.memory_free;
            gpu = true;
        }
    }
    return gpu ? fit_gpu_layers(header, free, params.n_ctx_cells) : 0;
}

// For llama_model_params: the devices of these names, and a null.
std::vector<ggml_backend_dev_t> devices_of(const Api & api, const std::vector<std::string> & names) {
    std::vector<ggml_backend_dev_t> devices;
    for (const std::string & name : names) {
        for (size_t i = 0; i < api.ggml_backend_dev_count(); ++i) {
            ggml_backend_dev_props props {};
            api.ggml_backend_dev_get_props(api.ggml_backend_dev_get(i), &props);
            if (name == props.name) {
                devices.push_back(api.ggml_backend_dev_get(i));
            }
        }
    }
    devices.push_back(nullptr);
    return devices;
}

enum llama_load_mode load_mode_of(const ModelParams & params) {
    if (!params.weights || !(params.mmap || params.mlock)) {
        return LLAMA_LOAD_MODE_NONE;
    }
    if (!params.mlock) {
        return LLAMA_LOAD_MODE_AUTO;
    }
    return params.mmap ? LLAMA_LOAD_MODE_MMAP_MLOCK : LLAMA_LOAD_MODE_MLOCK;
}

std::string why_unsupported(const Api & api, const llama_model * model, const std::string & architecture) {
    // llama.cpp has no question for these; most of their files say themselves that they are not causal.
    if (architecture.find("bert") != std::string::npos || architecture.ends_with("-embedding") ||
        architecture.ends_with("-embed")) {
        return "it is an embedding model";
    }
    if (!api.llama_model_has_decoder(model)) {
        return "it has no decoder";
    }
    if (api.llama_model_has_encoder(model)) {
        return "it is an encoder-decoder model";
    }
    if (api.llama_model_is_diffusion(model)) {
        return "it is a diffusion model";
    }
    return "";
}

// llama.cpp's own catch blocks end before what is asked of a loaded model: a vocabulary can still contradict itself.
template <class Action>
auto or_invalid(const std::string & what, Action action) {
    try {
        return action();
    } catch (const Error &) {
        throw;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception & reason) {
        throw Error(ErrorCode::MODEL_INVALID, what + ": " + reason.what());
    }
}

ModelMetadata metadata_of(const Api & api, const llama_model * model, const GgufHeader & header, int32_t n_gpu_layers) {
    const llama_vocab * vocab = api.llama_model_get_vocab(model);
    ModelMetadata metadata;
    metadata.architecture = header.architecture;
    char description[256] = "";
    api.llama_model_desc(model, description, sizeof(description));
    metadata.description = description;
    metadata.quantization = api.llama_ftype_name(api.llama_model_ftype(model));
    metadata.n_params = api.llama_model_n_params(model);
    metadata.size = api.llama_model_size(model);
    metadata.n_layer = api.llama_model_n_layer(model);
    metadata.n_gpu_layers = n_gpu_layers < 0 ? metadata.n_layer + 1 : std::min(n_gpu_layers, metadata.n_layer + 1);
    metadata.n_embd = api.llama_model_n_embd(model);
    metadata.n_vocab = api.llama_vocab_n_tokens(vocab);
    metadata.vocab_type = api.llama_vocab_type(vocab);
    metadata.n_ctx_train = api.llama_model_n_ctx_train(model);
    metadata.recurrent = api.llama_model_is_recurrent(model);
    metadata.hybrid = api.llama_model_is_hybrid(model);
    metadata.thinking_window = header.thinking_window;
    metadata.sampling = header.sampling;
    metadata.n_positions = header.n_positions;
    metadata.kv_bytes_per_cell = header.kv_bytes_per_cell;
    metadata.key_lengths = header.key_lengths;
    metadata.value_lengths = header.value_lengths;
    metadata.unsupported = why_unsupported(api, model, header.architecture);
    if (const char * chat_template = api.llama_model_chat_template(model, nullptr)) {
        metadata.chat_template = chat_template;
    }
    metadata.bos = api.llama_vocab_bos(vocab);
    metadata.eos = api.llama_vocab_eos(vocab);
    metadata.add_bos = api.llama_vocab_get_add_bos(vocab);
    constexpr int control = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN;
    for (llama_token token = 0; token < metadata.n_vocab; ++token) {
        const int attr = api.llama_vocab_get_attr(vocab, token);
        if (attr & (control | LLAMA_TOKEN_ATTR_USER_DEFINED)) {
            metadata.special_tokens.push_back({ token, api.llama_vocab_get_text(vocab, token), (attr & control) != 0 });
        }
    }
    return metadata;
}

} // namespace

std::shared_ptr<Model> Model::load(const Engine & engine, const ModelParams & params, const Progress & progress) {
    const Api & api = engine.api;
    GgufHeader header = or_invalid(params.path + " cannot be read", [&] { return GgufHeader::read(api, params.path); });
    header.use_cache_types(api, params.type_k, params.type_v);
    for (const AdapterParams & adapter : params.adapters) {
        check_adapter(api, adapter.path, header.architecture, params.path); // before the weights are read
    }

    EngineCall call;
    LoadProgress load { progress };
    llama_model_params model_params = api.llama_model_default_params();
    model_params.n_gpu_layers = gpu_layers(engine, header, params);
    model_params.progress_callback = LoadProgress::step;
    model_params.progress_callback_user_data = &load;
    model_params.no_alloc = !params.weights;
    model_params.load_mode = load_mode_of(params);
    std::vector<ggml_backend_dev_t> devices;
    if (params.devices) {
        devices = devices_of(api, *params.devices);
        model_params.devices = devices.data();
    }
    // llama.cpp does not report while it reads metadata and vocabulary.
    if (!progress(0)) {
        throw Error(ErrorCode::ABORTED, "The load was cancelled");
    }
    ModelPtr model(api.llama_model_load_from_file(params.path.c_str(), model_params), api.llama_model_free);
    if (load.cancelled) {
        throw Error(ErrorCode::ABORTED, "The load was cancelled");
    }
    if (!model) {
        const std::string reason = call.reason();
        throw Error(code_of(call), "Cannot load " + params.path + ": " + (reason.empty() ? "unknown reason" : reason));
    }

    if (call.lock_failed()) {
        throw Error(ErrorCode::OUT_OF_MEMORY, "Cannot lock " + params.path +
                                                  " in memory: the limit of locked memory (ulimit -l) is lower, or "
                                                  "there is less memory");
    }

    // SentencePiece and unigram vocabularies put a space before any text they are given. A hint must not get one, so it
    // is tokenized with a second, weightless copy of the vocabulary that has this turned off.
    ModelPtr continuation(nullptr, api.llama_model_free);
    const enum llama_vocab_type vocab_type = api.llama_vocab_type(api.llama_model_get_vocab(model.get()));
    if (vocab_type == LLAMA_VOCAB_TYPE_SPM || vocab_type == LLAMA_VOCAB_TYPE_UGM) {
        llama_model_kv_override overrides[2] = {};
        std::strcpy(overrides[0].key, "tokenizer.ggml.add_space_prefix");
        overrides[0].tag = LLAMA_KV_OVERRIDE_TYPE_BOOL;
        overrides[0].val_bool = false;
        llama_model_params vocab_params = api.llama_model_default_params();
        vocab_params.vocab_only = true;
        vocab_params.kv_overrides = overrides;
        continuation.reset(api.llama_model_load_from_file(params.path.c_str(), vocab_params));
        if (!continuation) {
            throw Error(ErrorCode::MODEL_INVALID,
                        "Cannot load the vocabulary of " + params.path + ": " + call.reason());
        }
    }

    Adapters adapters = load_adapters(api, model.get(), params.adapters);
    return or_invalid(params.path + " contradicts itself", [&] {
        ModelMetadata metadata = metadata_of(api, model.get(), header, model_params.n_gpu_layers);
        return std::shared_ptr<Model>(
            new Model(engine, std::move(model), std::move(continuation), std::move(metadata), std::move(adapters)));
    });
}

Model::Model(const Engine & engine, ModelPtr model_, ModelPtr continuation_, ModelMetadata metadata_of_file,
             Adapters adapters)
    : engine(engine), model(std::move(model_)), continuation(std::move(continuation_)),
      vocab_(engine.api.llama_model_get_vocab(model.get())), metadata_(std::move(metadata_of_file)),
      adapters_(std::move(adapters)), pieces_(engine.api, vocab_), text_bounds_(engine.api, model.get(), pieces_),
      registration(process_exit::Registration::Order::model, [this] {
          model.reset();
          continuation.reset();
      }) {
    for (llama_token token = 0; token < metadata_.n_vocab; ++token) {
        if (engine.api.llama_vocab_is_eog(vocab_, token)) {
            end_tokens_.push_back(token);
        }
    }
}

std::vector<llama_token> Model::tokenize(const std::vector<Segment> & segments, size_t most,
                                         const Cancelled & cancelled) const {
    EngineCall call;
    std::vector<llama_token> tokens;
    for (const Segment & segment : segments) {
        const std::string_view text = segment.text;
        for (size_t from = 0, end; from < text.size(); from = end) {
            end = text_bounds_.end_of_part(text, from, part_bytes, segment.parse_special);
            throw_if(cancelled);
            if (tokens.size() > most) {
                throw Error(ErrorCode::CONTEXT_TOO_SMALL, "The context is too small: a text has more than " +
                                                              std::to_string(tokens.size()) +
                                                              " tokens, contextSize is " + std::to_string(most));
            }
            tokenize(text.substr(from, end - from), segment, tokens);
        }
    }
    return tokens;
}

// Appends to `tokens`.
void Model::tokenize(std::string_view text, const Segment & segment, std::vector<llama_token> & tokens) const {
    const llama_vocab * with =
        segment.continuation && continuation ? api().llama_model_get_vocab(continuation.get()) : vocab_;
    const int32_t length = static_cast<int32_t>(text.size());
    const size_t before = tokens.size();
    int32_t room = length + 16;
    for (int attempt = 0; attempt < 2; ++attempt) {
        tokens.resize(before + room);
        const int32_t n = or_invalid("The text cannot be tokenized", [&] {
            return api().llama_tokenize(with, text.data(), length, tokens.data() + before, room, false,
                                        segment.parse_special);
        });
        if (n >= 0) {
            tokens.resize(before + n);
            break;
        }
        if (n == INT32_MIN || attempt == 1) {
            throw Error(ErrorCode::MODEL_INVALID, "The text cannot be tokenized");
        }
        room = -n; // llama.h: the negative of the number needed
    }
    if (std::find(tokens.begin() + before, tokens.end(), LLAMA_TOKEN_NULL) != tokens.end()) {
        throw Error(ErrorCode::MODEL_INVALID, "The text cannot be tokenized: the vocabulary lacks a part of it");
    }
}

std::string Model::detokenize(const std::vector<llama_token> & tokens, bool special,
                              const Cancelled & cancelled) const {
    std::string bytes;
    for (size_t i = 0; i < tokens.size(); ++i) {
        if (i % part_bytes == 0) {
            throw_if(cancelled);
        }
        const llama_token token = tokens[i];
        if (token < 0 || token >= pieces_.size()) {
            throw Error(ErrorCode::MODEL_INVALID, "The vocabulary has no token " + std::to_string(token));
        }
        bytes += special ? pieces_[token] : pieces_.text(token);
    }
    return bytes;
}

std::shared_ptr<const TagIndex> Model::tag_index(const std::string & tag) const {
    std::lock_guard lock(tag_mutex);
    auto & index = tag_indices[tag];
    if (!index) {
        index = std::make_shared<TagIndex>(tag, pieces_);
    }
    return index;
}

} // namespace z1
