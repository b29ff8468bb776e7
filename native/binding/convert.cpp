#include "binding/convert.h"

#include "engine/request/text.h"
#include "llama/library.h"

#include <cmath>
#include <type_traits>

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
        throw Napi::RangeError::New(object.Env(), "Expected " + std::to_string(least) + " to " + std::to_string(most) + " for " + key);
    }
    return static_cast<uint32_t>(value);
}

float f32(const Napi::Object & object, const char * key) {
    return object.Get(key).ToNumber().FloatValue();
}

std::string string(const Napi::Object & object, const char * key) {
    return object.Get(key).ToString().Utf8Value();
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
    const Napi::Array biases = object.Get("logitBias").As<Napi::Array>();
    for (uint32_t i = 0; i < biases.Length(); ++i) {
        const Napi::Object bias = biases.Get(i).ToObject();
        params.logit_bias.push_back({ i32(bias, "token"), f32(bias, "bias") });
    }
    params.seed = u32(object, "seed");
    return params;
}

const char * name(enum ggml_backend_dev_type type) {
    switch (type) {
        case GGML_BACKEND_DEVICE_TYPE_CPU:   return "cpu";
        case GGML_BACKEND_DEVICE_TYPE_GPU:   return "gpu";
        case GGML_BACKEND_DEVICE_TYPE_IGPU:  return "igpu";
        case GGML_BACKEND_DEVICE_TYPE_ACCEL: return "accel";
        case GGML_BACKEND_DEVICE_TYPE_META:  return "meta";
    }
    return "cpu";
}

const char * name(enum llama_vocab_type type) {
    switch (type) {
        case LLAMA_VOCAB_TYPE_NONE:   return "none";
        case LLAMA_VOCAB_TYPE_SPM:    return "spm";
        case LLAMA_VOCAB_TYPE_BPE:    return "bpe";
        case LLAMA_VOCAB_TYPE_WPM:    return "wpm";
        case LLAMA_VOCAB_TYPE_UGM:    return "ugm";
        case LLAMA_VOCAB_TYPE_RWKV:   return "rwkv";
        case LLAMA_VOCAB_TYPE_PLAMO2: return "plamo2";
        case LLAMA_VOCAB_TYPE_TEST:   return "test";
    }
    return "none";
}

const char * name(Ended ended) {
    switch (ended) {
        case Ended::self:    return "self";
        case Ended::window:  return "window";
        case Ended::request: return "request";
        case Ended::stop:    return "stop";
        case Ended::length:  return "length";
        case Ended::loop:    return "loop";
        case Ended::early:   return "early";
        case Ended::stated:  return "stated";
    }
    return "self";
}

const char * name(FinishReason reason) {
    switch (reason) {
        case FinishReason::stop:   return "stop";
        case FinishReason::length: return "length";
        case FinishReason::abort:  return "abort";
        case FinishReason::loop:   return "loop";
    }
    return "stop";
}

// A token's text may be any bytes; a JavaScript string may not.
Napi::String text(Napi::Env env, std::string_view bytes) {
    return Napi::String::New(env, to_well_formed(bytes));
}

Napi::Value text_or_null(Napi::Env env, const std::optional<std::string> & bytes) {
    return bytes ? Napi::Value(text(env, *bytes)) : Napi::Value(env.Null());
}

Napi::Array numbers(Napi::Env env, const std::vector<llama_token> & tokens) {
    Napi::Array array = Napi::Array::New(env, tokens.size());
    for (uint32_t i = 0; i < tokens.size(); ++i) {
        array.Set(i, tokens[i]);
    }
    return array;
}

Napi::Object object_of(Napi::Env env, const CutEvent & event) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", "cut");
    object.Set("ended", name(event.ended));
    object.Set("thinkingTokens", static_cast<double>(event.n_thinking));
    object.Set("hintTokens", static_cast<double>(event.n_hint));
    return object;
}

Napi::Object object_of(Napi::Env env, const DoneEvent & event) {
    Napi::Object timings = Napi::Object::New(env);
    timings.Set("promptMs", event.timings.prompt);
    timings.Set("thinkingMs", event.timings.thinking);
    timings.Set("hintMs", event.timings.hint);
    timings.Set("answerMs", event.timings.answer);
    timings.Set("totalMs", event.timings.total);
    timings.Set("decodeCalls", event.timings.decode_calls);

    Napi::Object object = Napi::Object::New(env);
    object.Set("type", "done");
    object.Set("ended", name(event.ended));
    object.Set("finishReason", name(event.finish_reason));
    object.Set("stopString", text_or_null(env, event.stop_string));
    object.Set("promptTokens", static_cast<double>(event.n_prompt));
    object.Set("cachedTokens", static_cast<double>(event.n_cached));
    object.Set("timings", timings);
    return object;
}

Napi::Object object_of(Napi::Env env, const ErrorEvent & event) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", "error");
    object.Set("code", to_string(event.code));
    object.Set("message", text(env, event.message));
    return object;
}

} // namespace

ModelParams model_params_of(const Napi::Object & object) {
    ModelParams params;
    params.path = string(object, "path");
    params.n_gpu_layers = i32(object, "gpuLayers");
    params.n_ctx_cells = u32(object, "contextCells");
    params.weights = boolean(object, "weights");
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
    params.n_ubatch = u32(object, "batchSize", 1, 1 << 16);
    params.n_threads = u32(object, "threads", 1, GGML_MAX_N_THREADS);
    params.n_threads_batch = u32(object, "threadsBatch", 1, GGML_MAX_N_THREADS);
    return params;
}

Request request_of(const Napi::Object & object) {
    Request request;
    request.id = u32(object, "id");
    request.prompt = tokens_of(object.Get("prompt"));
    const double window = object.Get("thinkingWindow").ToNumber().DoubleValue();
    request.thinking_window = std::isfinite(window) ? static_cast<int64_t>(window) : Window::infinite;
    request.max_tokens = i32(object, "maxTokens");
    const Napi::Value hint = object.Get("hint");
    if (!hint.IsNull()) {
        request.hint = tokens_of(hint);
    }
    request.stop = strings(object, "stop");
    request.banned_tags = strings(object, "bannedTags");
    const Napi::Value close_tag = object.Get("closeTag");
    request.close_tag = close_tag.IsString() ? close_tag.ToString().Utf8Value() : "";
    request.loops = boolean(object, "loops");
    request.cache_prompt = boolean(object, "cachePrompt");
    request.sampling = sampling_of(object.Get("sampling").ToObject());
    return request;
}

std::vector<Segment> segments_of(const Napi::Array & array) {
    std::vector<Segment> segments;
    for (uint32_t i = 0; i < array.Length(); ++i) {
        const Napi::Object object = array.Get(i).ToObject();
        segments.push_back({ string(object, "text"), boolean(object, "parseSpecial"), boolean(object, "continuation") });
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

Napi::Value to_js(Napi::Env env, const Engine & engine) {
    Napi::Object info = Napi::Object::New(env);
    info.Set("directory", text(env, to_utf8(engine.directory)));
    Napi::Array refused = Napi::Array::New(env);
    for (const RefusedBackend & backend : engine.refused) {
        Napi::Object one = Napi::Object::New(env);
        one.Set("file", text(env, backend.file));
        one.Set("reason", text(env, backend.reason));
        refused.Set(refused.Length(), one);
    }
    info.Set("refused", refused);
    Napi::Array devices = Napi::Array::New(env);
    for (const Device & device : engine.devices()) {
        Napi::Object one = Napi::Object::New(env);
        one.Set("name", text(env, device.name));
        one.Set("description", text(env, device.description));
        one.Set("type", name(device.type));
        one.Set("backend", text(env, device.backend));
        one.Set("memoryFree", static_cast<double>(device.memory_free));
        one.Set("memoryTotal", static_cast<double>(device.memory_total));
        devices.Set(devices.Length(), one);
    }
    info.Set("devices", devices);
    return info;
}

Napi::Value to_js(Napi::Env env, const ModelFacts & facts, const Pieces & pieces) {
    const auto token_text = [&](llama_token token) {
        return text(env, token == LLAMA_TOKEN_NULL ? std::string_view() : pieces[token]);
    };
    Napi::Object object = Napi::Object::New(env);
    object.Set("architecture", text(env, facts.architecture));
    object.Set("description", text(env, facts.description));
    object.Set("quantization", text(env, facts.quantization));
    object.Set("parameters", static_cast<double>(facts.n_params));
    object.Set("size", static_cast<double>(facts.size));
    object.Set("layers", facts.n_layer);
    object.Set("gpuLayers", facts.n_gpu_layers);
    object.Set("embeddingLength", facts.n_embd);
    object.Set("vocabularySize", facts.n_vocab);
    object.Set("vocabularyType", name(facts.vocab_type));
    object.Set("trainingContext", facts.n_ctx_train);
    object.Set("positions", facts.n_positions);
    object.Set("kvBytesPerCell", static_cast<double>(facts.kv_bytes_per_cell));
    object.Set("recurrent", facts.recurrent);
    object.Set("hybrid", facts.hybrid);
    object.Set("unsupported", facts.unsupported.empty() ? env.Null() : Napi::Value(text(env, facts.unsupported)));
    object.Set("chatTemplate", text_or_null(env, facts.chat_template));
    object.Set("bos", facts.bos);
    object.Set("eos", facts.eos);
    object.Set("addBos", facts.add_bos);
    object.Set("bosText", token_text(facts.bos));
    object.Set("eosText", token_text(facts.eos));
    Napi::Array special = Napi::Array::New(env, facts.special_tokens.size());
    for (uint32_t i = 0; i < facts.special_tokens.size(); ++i) {
        Napi::Object token = Napi::Object::New(env);
        token.Set("id", facts.special_tokens[i].id);
        token.Set("text", text(env, facts.special_tokens[i].text));
        token.Set("control", facts.special_tokens[i].control);
        special.Set(i, token);
    }
    object.Set("specialTokens", special);
    return object;
}

Napi::Value to_js(Napi::Env env, const ContextParams & params) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("contextSize", params.n_ctx);
    object.Set("parallel", params.n_seq_max);
    object.Set("batchSize", params.n_ubatch);
    return object;
}

Napi::Value to_js(Napi::Env env, const std::vector<llama_token> & tokens) {
    Napi::Int32Array array = Napi::Int32Array::New(env, tokens.size());
    std::copy(tokens.begin(), tokens.end(), array.Data());
    return array;
}

void tell(const Napi::Function & on_event, const Event & event) {
    const Napi::Env env = on_event.Env();
    const Napi::HandleScope scope(env);
    const Napi::Value id = Napi::Number::New(env, event.id);
    const auto call = [&](const auto & what) {
        if constexpr (std::is_same_v<std::decay_t<decltype(what)>, TextEvent>) {
            on_event.Call({ id, Napi::Boolean::New(env, what.part == Part::answer), Napi::String::New(env, what.text),
                            numbers(env, what.tokens) });
        } else {
            on_event.Call({ id, object_of(env, what) });
        }
    };
    std::visit(call, event.what);
}

Napi::Error to_js_error(Napi::Env env, const std::exception_ptr & thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error & error) {
        Napi::Error js_error = Napi::Error::New(env, to_well_formed(error.what()));
        js_error.Set("code", to_string(error.code));
        return js_error;
    } catch (const Napi::Error & error) {
        return error;
    } catch (const std::bad_alloc &) {
        Napi::Error js_error = Napi::Error::New(env, "Out of memory");
        js_error.Set("code", to_string(ErrorCode::OUT_OF_MEMORY));
        return js_error;
    } catch (const std::exception & error) {
        return Napi::Error::New(env, to_well_formed(error.what()));
    } catch (...) {
        return Napi::Error::New(env, "Unknown native error");
    }
}

void guarded_call(Napi::Env env, const std::function<void()> & call) {
    try {
        call();
    } catch (const Napi::Error & error) {
        // Fails, and may fail, when a worker is being terminated.
        napi_fatal_exception(env, error.Value());
    } catch (...) {
        napi_fatal_exception(env, to_js_error(env, std::current_exception()).Value());
    }
}

} // namespace z1
