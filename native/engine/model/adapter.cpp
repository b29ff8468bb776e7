#include "engine/model/adapter.h"

#include "engine/model/gguf-reader.h"
#include "error.h"
#include "llama/engine-call.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

namespace z1 {

namespace {

[[noreturn]] void refuse(const std::string & path, const std::string & reason) {
    throw Error(ErrorCode::ADAPTER_INVALID, path + " cannot be used as an adapter: " + reason);
}

GgufReader open_adapter(const Api & api, const std::string & path) {
    try {
        return GgufReader(api, path);
    } catch (const Error & error) {
        throw Error(ErrorCode::ADAPTER_INVALID, error.what());
    }
}

struct Shape {
    int64_t ne[GGML_MAX_DIMS];
};

// Of all tensors of a model. What cannot be read of it was refused before.
std::map<std::string, Shape, std::less<>> shapes_of(const Api & api, const std::string & path) {
    const GgufReader reader(api, path);
    std::map<std::string, Shape, std::less<>> shapes;
    const auto add = [&](const GgufReader & part) {
        for (const GgufTensor & tensor : part.tensors()) {
            std::copy_n(tensor.ne, GGML_MAX_DIMS, shapes[std::string(tensor.name)].ne);
        }
    };
    add(reader);
    for (const std::string & part : reader.other_parts()) {
        add(GgufReader(api, part));
    }
    return shapes;
}

// What llama.cpp's converter writes (convert_lora_to_gguf.py, --outtype).
bool is_usable(enum ggml_type type) {
    return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16 || type == GGML_TYPE_Q8_0;
}

// The two matrices of one tensor: rank rows that take its input, and columns that give its output (llama-adapter.cpp).
struct Pair {
    const GgufTensor * a = nullptr;
    const GgufTensor * b = nullptr;
};

void check_pair(const std::string & path, const std::string & name, const Pair & pair, const Shape & base) {
    if (!pair.a || !pair.b) {
        refuse(path, "of " + name + " it has only one of the two matrices");
    }
    const auto & a = pair.a->ne;
    const auto & b = pair.b->ne;
    const bool is_embedding = name == "token_embd.weight"; // A is looked up in rows: both are turned around
    const int64_t rank = is_embedding ? a[0] : a[1];
    const bool fits =
        is_embedding ? b[1] == base.ne[0] && a[1] == base.ne[1] : a[0] == base.ne[0] && b[1] == base.ne[1];
    const bool as_deep = a[2] == base.ne[2] && b[2] == base.ne[2] && a[3] == base.ne[3] && b[3] == base.ne[3];
    if (!fits || !as_deep || rank < 1 || b[0] != rank) {
        refuse(path, "the shape of " + name + " is not that of the model, so it was made for another one");
    }
}

} // namespace

void check_adapter(const Api & api, const std::string & path, const std::string & architecture,
                   const std::string & model_path) {
    const GgufReader reader = open_adapter(api, path);
    if (reader.string("general.type") != "adapter" || reader.string("adapter.type") != "lora") {
        refuse(path, "it is no LoRA adapter (general.type adapter, adapter.type lora)");
    }
    const std::string made_for = reader.string("general.architecture").value_or("unknown");
    if (made_for != architecture) {
        refuse(path, "it was made for a model of another architecture than " + architecture);
    }
    // llama.cpp leaves it to its programs to apply these from those tokens on.
    if (reader.has("adapter.alora.invocation_tokens")) {
        refuse(path, "it is an activated LoRA (adapter.alora.invocation_tokens), which is not supported");
    }
    if (!std::isfinite(reader.f32("adapter.lora.alpha").value_or(0))) {
        refuse(path, "adapter.lora.alpha is not a number");
    }
    const auto shapes = shapes_of(api, model_path);
    const std::vector<GgufTensor> tensors = reader.tensors();
    std::map<std::string, Pair> pairs;
    for (const GgufTensor & tensor : tensors) {
        constexpr std::string_view a = ".lora_a";
        const bool is_a = tensor.name.ends_with(a);
        if (!is_a && !tensor.name.ends_with(".lora_b")) {
            refuse(path, "the tensor " + std::string(tensor.name) + " is no part of a LoRA adapter");
        }
        if (!is_usable(tensor.type)) {
            refuse(path, "the tensor " + std::string(tensor.name) + " is of the type " +
                             api.ggml_type_name(tensor.type) + ", expected f32, f16, bf16 or q8_0");
        }
        Pair & pair = pairs[std::string(tensor.name.substr(0, tensor.name.size() - a.size()))];
        (is_a ? pair.a : pair.b) = &tensor;
    }
    if (pairs.empty()) {
        refuse(path, "it has no tensors");
    }
    for (const auto & [name, pair] : pairs) {
        const auto base = shapes.find(name);
        if (base == shapes.end()) {
            refuse(path, "the model has no tensor " + name + ", so it was made for another one");
        }
        check_pair(path, name, pair, base->second);
    }
    // llama.cpp multiplies with the embedding's matrices as if they were not turned around where it is the output, too.
    if (pairs.count("token_embd.weight") > 0 && shapes.find("output.weight") == shapes.end()) {
        refuse(path, "it changes the embeddings, which this model also uses as its output");
    }
}

Adapters load_adapters(const Api & api, llama_model * model, const std::vector<AdapterParams> & params) {
    Adapters adapters;
    for (const AdapterParams & one : params) {
        EngineCall call;
        llama_adapter_lora * handle = api.llama_adapter_lora_init(model, one.path.c_str());
        if (!handle) {
            const std::string reason = call.reason();
            if (call.ran_out_of_memory()) {
                throw Error(ErrorCode::OUT_OF_MEMORY, "Cannot load the adapter " + one.path + ": " + reason);
            }
            refuse(one.path, reason.empty() ? "unknown reason" : reason);
        }
        adapters.handles.push_back(handle);
        adapters.scales.push_back(one.scale);
    }
    return adapters;
}

} // namespace z1
