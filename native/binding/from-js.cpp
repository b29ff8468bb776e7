#include "binding/from-js.h"

#include <cmath>
#include <cstdint>
#include <string>

namespace z1 {

namespace {

int32_t i32(const Napi::Object & object, const char * key) {
    return object.Get(key).ToNumber().Int32Value();
}

uint32_t u32(const Napi::Object & object, const char * key) {
    return object.Get(key).ToNumber().Uint32Value();
}

// lib/reason/options.ts checks what users pass. This is for callers of the addon itself: out of these ranges llama.cpp asserts.
uint32_t u32(const Napi::Object & object, const char * key, uint32_t least, uint32_t most) {
    const double value = object.Get(key).ToNumber().DoubleValue();
    if (!(value >= least && value <= most)) {
        throw Napi::RangeError::New(object.Env(), "Expected " + std::to_string(least) + " to " + std::to_string(most) +
                                                      " for " + key);
    }
    return static_cast<uint32_t>(value);
}

float f32(const Napi::Object & object, const char * key) {
    return object.Get(key).ToNumber().FloatValue();
}

std::string string(const Napi::Object & object, const char * key) {
    return object.Get(key).ToString().Utf8Value();
}

// Empty for what is no text, of which string() would make one.
std::string text_or_empty(const Napi::Object & object, const char * key) {
    return object.Get(key).IsString() ? string(object, key) : "";
}

bool boolean(const Napi::Object & object, const char * key) {
    return object.Get(key).ToBoolean();
}

std::vector<std::string> strings(const Napi::Object & object, const char * key) {
    const Napi::Array array = object.Get(key).As<Napi::Array>();
    std::vector<std::string> result;
    for (uint32_t i = 0; i < array.Length(); ++i) {
        result.push_back(array.Get(i).ToString().Utf8Value());
        if (result.back().empty()) {
            throw Napi::RangeError::New(object.Env(), std::string("Expected no empty string in ") + key);
        }
    }
    return result;
}

// `cacheType`, by ggml's names. Absent: F16.
void cache_types_of(const Napi::Object & object, enum ggml_type & k, enum ggml_type & v) {
    if (!object.Get("cacheType").IsObject()) {
        return;
    }
    const Napi::Object types = object.Get("cacheType").As<Napi::Object>();
    const auto type_of = [&](const char * key) {
        const std::string name = string(types, key);
        if (name != "f16" && name != "q8_0" && name != "q4_0") {
            throw Napi::RangeError::New(object.Env(), "Expected f16, q8_0 or q4_0 in cacheType");
        }
        return name == "f16" ? GGML_TYPE_F16 : name == "q8_0" ? GGML_TYPE_Q8_0 : GGML_TYPE_Q4_0;
    };
    k = type_of("k");
    v = type_of("v");
}

// Pairs of a token and its bias in one array: there can be as many as the vocabulary has tokens, and of each object that is
// read JavaScript stands still for a microsecond.
std::vector<llama_logit_bias> biases_of(const Napi::Value & value) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
        throw Napi::TypeError::New(value.Env(), "Expected a Float64Array of tokens and biases");
    }
    const auto pairs = value.As<Napi::Float64Array>();
    std::vector<llama_logit_bias> biases;
    biases.reserve(pairs.ElementLength() / 2);
    for (size_t i = 0; i + 1 < pairs.ElementLength(); i += 2) {
        const double token = pairs.Data()[i];
        biases.push_back({ token >= 0 && token <= INT32_MAX ? static_cast<llama_token>(token) : LLAMA_TOKEN_NULL,
                           static_cast<float>(pairs.Data()[i + 1]) });
    }
    return biases;
}

// What a generation relies on: it looks for the next cut only.
std::vector<Cut> cuts_of(const Napi::Array & array) {
    std::vector<Cut> cuts;
    for (uint32_t i = 0; i < array.Length(); ++i) {
        const Napi::Object object = array.Get(i).ToObject();
        cuts.push_back({ object.Get("thinkingWindow").ToNumber().Int64Value(), i32(object, "maxTokens") });
        if (cuts[i].thinking_window < 0 || (i > 0 && cuts[i].thinking_window <= cuts[i - 1].thinking_window)) {
            throw Napi::RangeError::New(array.Env(), "Expected ascending windows in cuts");
        }
    }
    return cuts;
}

std::optional<LogprobParams> logprobs_of(const Napi::Value & value) {
    if (!value.IsObject()) {
        return std::nullopt;
    }
    const Napi::Object object = value.ToObject();
    return LogprobParams { u32(object, "top", 0, 20), boolean(object, "thinking") };
}

SamplingParams sampling_of(const Napi::Object & object) {
    SamplingParams params;
    params.temperature = f32(object, "temperature");
    params.top_k = i32(object, "topK");
    params.top_p = f32(object, "topP");
    params.min_p = f32(object, "minP");
    params.typical_p = f32(object, "typicalP");
    params.repeat_penalty = f32(object, "repeatPenalty");
    params.frequency_penalty = f32(object, "frequencyPenalty");
    params.presence_penalty = f32(object, "presencePenalty");
    params.penalty_last_n = i32(object, "penaltyLastN");
    params.dry_multiplier = f32(object, "dryMultiplier");
    params.dry_base = f32(object, "dryBase");
    params.dry_allowed_length = i32(object, "dryAllowedLength");
    params.dry_penalty_last_n = i32(object, "dryPenaltyLastN");
    params.dry_sequence_breakers = strings(object, "drySequenceBreakers");
    params.xtc_probability = f32(object, "xtcProbability");
    params.xtc_threshold = f32(object, "xtcThreshold");
    params.logit_bias = biases_of(object.Get("logitBias"));
    params.seed = u32(object, "seed");
    return params;
}

int64_t count_of(const Napi::Value & value) {
    const double number = value.ToNumber().DoubleValue();
    return std::isfinite(number) ? static_cast<int64_t>(number) : Window::infinite;
}

WaitParams wait_of(const Napi::Value & value) {
    WaitParams wait;
    if (value.IsObject()) {
        const Napi::Object object = value.As<Napi::Object>();
        wait.tokens = tokens_of(object.Get("tokens"));
        wait.times = wait.tokens.empty() ? 0 : i32(object, "times");
        wait.until = count_of(object.Get("until"));
    }
    return wait;
}

std::optional<TraceParams> trace_of(const Napi::Value & value) {
    if (!value.IsObject()) {
        return {};
    }
    const Napi::Object object = value.As<Napi::Object>();
    const TraceParams params { i32(object, "every"), f32(object, "margin"), boolean(object, "lines") };
    if (params.every < 1) {
        throw Napi::RangeError::New(value.Env(), "Expected at least 1 for every in trace");
    }
    return params;
}

Calls calls_of(const Napi::Value & value) {
    Calls calls;
    if (value.IsObject()) {
        const Napi::Object object = value.As<Napi::Object>();
        calls = { text_or_empty(object, "open"), text_or_empty(object, "close"), text_or_empty(object, "grammar") };
        if (calls.open.empty() || calls.close.empty() || calls.grammar.empty()) {
            throw Napi::RangeError::New(value.Env(), "Expected tags and a grammar in calls");
        }
    }
    return calls;
}

} // namespace

Napi::Object object_of(const Napi::Value & value) {
    if (!value.IsObject()) {
        throw Napi::TypeError::New(value.Env(), "Expected an object");
    }
    return value.As<Napi::Object>();
}

ModelParams model_params_of(const Napi::Object & object) {
    ModelParams params;
    params.path = string(object, "path");
    params.n_gpu_layers = i32(object, "gpuLayers");
    params.n_ctx_cells = u32(object, "contextCells");
    params.weights = boolean(object, "weights");
    params.mmap = boolean(object, "mmap");
    params.mlock = boolean(object, "mlock");
    cache_types_of(object, params.type_k, params.type_v);
    if (object.Get("devices").IsArray()) {
        params.devices = strings(object, "devices");
    }
    if (object.Get("lora").IsArray()) {
        const Napi::Array adapters = object.Get("lora").As<Napi::Array>();
        for (uint32_t i = 0; i < adapters.Length(); ++i) {
            const Napi::Object adapter = object_of(adapters.Get(i));
            params.adapters.push_back({ string(adapter, "path"), f32(adapter, "scale") });
        }
    }
    return params;
}

QuantizeParams quantize_params_of(const Napi::Object & object) {
    QuantizeParams params;
    params.input = string(object, "input");
    params.output = string(object, "output");
    params.ftype = static_cast<enum llama_ftype>(u32(object, "fileType", 0, LLAMA_FTYPE_GUESSED));
    params.n_threads = static_cast<int32_t>(u32(object, "threads", 1, GGML_MAX_N_THREADS));
    return params;
}

ContextParams context_params_of(const Napi::Object & object) {
    ContextParams params;
    params.n_ctx = u32(object, "contextSize", 1, 1 << 24);
    params.n_seq_max = u32(object, "parallel", 1, 64);
    params.n_branches = u32(object, "branches", 0, 64);
    params.shares_cells = boolean(object, "sharedCells");
    cache_types_of(object, params.type_k, params.type_v);
    const Napi::Value flash = object.Get("flashAttention");
    params.flash_attn_type = !flash.IsBoolean() ? LLAMA_FLASH_ATTN_TYPE_AUTO
                           : flash.ToBoolean()  ? LLAMA_FLASH_ATTN_TYPE_ENABLED
                                                : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.n_ubatch = u32(object, "batchSize", 1, 1 << 16);
    if (object.Get("cacheRam").IsNumber()) {
        params.cache_ram = static_cast<size_t>(u32(object, "cacheRam", 0, 1 << 20)) << 20; // from MiB
    }
    params.n_threads = u32(object, "threads", 1, GGML_MAX_N_THREADS);
    params.n_threads_batch = u32(object, "threadsBatch", 1, GGML_MAX_N_THREADS);
    params.adapts = boolean(object, "adapts");
    return params;
}

Request request_of(const Napi::Object & object) {
    Request request;
    request.id = u32(object, "id");
    request.prompt = tokens_of(object.Get("prompt"));
    const Napi::Value given_window = object.Get("thinkingWindow");
    request.thinks = !given_window.IsNull();
    request.thinking_window = count_of(given_window);
    request.max_tokens = i32(object, "maxTokens");
    request.cuts = cuts_of(object.Get("cuts").As<Napi::Array>());
    const Napi::Value hint = object.Get("hint");
    if (!hint.IsNull()) {
        request.hint = tokens_of(hint);
    }
    request.stop = strings(object, "stop");
    request.stop_in_thinking = boolean(object, "stopInThinking");
    request.banned_tags = strings(object, "bannedTags");
    request.close_tag = text_or_empty(object, "closeTag");
    request.grammar = text_or_empty(object, "grammar");
    request.banned_in_thinking = strings(object, "bannedInThinking");
    request.calls = calls_of(object.Get("calls"));
    request.loops = boolean(object, "loops");
    request.lands_on_line = boolean(object, "landsOnLine");
    const Napi::Value margin = object.Get("earlyMargin");
    request.early_margin = margin.IsNumber() ? std::optional(margin.ToNumber().FloatValue()) : std::nullopt;
    const Napi::Value probe = object.Get("earlyProbe");
    if (probe.IsNumber() && !request.hint.empty()) {
        request.early_probe = probe.ToNumber().DoubleValue();
    }
    request.keeps_stated = boolean(object, "keepsStated");
    request.ends_stated = boolean(object, "endsStated");
    request.confidence = boolean(object, "confidence");
    request.logprobs = logprobs_of(object.Get("logprobs"));
    request.wait = wait_of(object.Get("wait"));
    request.trace = trace_of(object.Get("trace"));
    request.cache_prompt = boolean(object, "cachePrompt");
    request.speculation = boolean(object, "speculation");
    request.group = u32(object, "group");
    request.sampling = sampling_of(object.Get("sampling").ToObject());
    return request;
}

std::vector<Segment> segments_of(const Napi::Array & array) {
    std::vector<Segment> segments;
    for (uint32_t i = 0; i < array.Length(); ++i) {
        const Napi::Object object = array.Get(i).ToObject();
        segments.push_back(
            { string(object, "text"), boolean(object, "parseSpecial"), boolean(object, "continuation") });
    }
    return segments;
}

std::vector<llama_token> tokens_of(const Napi::Value & value) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
        throw Napi::TypeError::New(value.Env(), "Expected an Int32Array of tokens");
    }
    const auto array = value.As<Napi::Int32Array>();
    return std::vector<llama_token>(array.Data(), array.Data() + array.ElementLength());
}

} // namespace z1
