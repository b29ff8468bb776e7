#include "binding/to-js.h"

#include "engine/request/text.h"
#include "llama/library.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>

namespace z1 {

namespace {

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

// The bytes are those of the token: a character may have several.
Napi::Object object_of(Napi::Env env, const Candidate & candidate) {
    Napi::Array bytes = Napi::Array::New(env, candidate.text.size());
    for (uint32_t i = 0; i < candidate.text.size(); ++i) {
        bytes.Set(i, static_cast<double>(static_cast<unsigned char>(candidate.text[i])));
    }
    Napi::Object object = Napi::Object::New(env);
    object.Set("token", candidate.token);
    object.Set("logprob", candidate.logprob);
    object.Set("text", text(env, candidate.text));
    object.Set("bytes", bytes);
    return object;
}

Napi::Array array_of(Napi::Env env, const std::vector<TokenLogprobs> & logprobs) {
    Napi::Array array = Napi::Array::New(env, logprobs.size());
    for (uint32_t i = 0; i < logprobs.size(); ++i) {
        const Napi::HandleScope scope(env);
        const std::vector<Candidate> & candidates = logprobs[i].top;
        Napi::Array top = Napi::Array::New(env, candidates.size());
        for (uint32_t j = 0; j < candidates.size(); ++j) {
            top.Set(j, object_of(env, candidates[j]));
        }
        Napi::Object object = object_of(env, logprobs[i].sampled);
        object.Set("top", top);
        array.Set(i, object);
    }
    return array;
}

Napi::Object object_of(Napi::Env env, const NudgeEvent & event) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", "nudge");
    object.Set("thinkingTokens", static_cast<double>(event.n_thinking));
    object.Set("nudgeTokens", static_cast<double>(event.n_tokens));
    return object;
}

Napi::Object object_of(Napi::Env env, const CutEvent & event) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", "cut");
    object.Set("ended", name(event.ended));
    object.Set("thinkingTokens", static_cast<double>(event.n_thinking));
    object.Set("hintTokens", static_cast<double>(event.n_hint));
    return object;
}

// Memory of JavaScript's own.
template <typename Array, typename T>
Array array_of(Napi::Env env, const std::vector<T> & values) {
    Array array = Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

Napi::Object object_of(Napi::Env env, const Trace & trace) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("endProbability", array_of<Napi::Float32Array>(env, trace.end_probability));
    object.Set("margin", array_of<Napi::Float32Array>(env, trace.margin));
    object.Set("marks", array_of<Napi::Uint8Array>(env, trace.marks));
    Napi::Array answers = Napi::Array::New(env, trace.answers.size());
    for (uint32_t i = 0; i < trace.answers.size(); ++i) {
        const Trace::Answer & answer = trace.answers[i];
        Napi::Object one = Napi::Object::New(env);
        one.Set("thinkingTokens", static_cast<double>(answer.n_thinking));
        one.Set("hintTokens", static_cast<double>(answer.n_hint));
        one.Set("text", text(env, answer.text));
        one.Set("tokens", numbers(env, answer.tokens));
        one.Set("probabilities", array_of<Napi::Float64Array>(env, answer.probabilities));
        one.Set("probeTokens", static_cast<double>(answer.n_probe));
        one.Set("ended", name(answer.ended));
        one.Set("finishReason", name(answer.finish_reason));
        answers.Set(i, one);
    }
    object.Set("answers", answers);
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
    timings.Set("threads", event.timings.n_threads);

    Napi::Object object = Napi::Object::New(env);
    object.Set("type", "done");
    object.Set("ended", name(event.ended));
    object.Set("finishReason", name(event.finish_reason));
    object.Set("stopString", text_or_null(env, event.stop_string));
    object.Set("promptTokens", static_cast<double>(event.n_prompt));
    object.Set("cachedTokens", static_cast<double>(event.n_cached));
    object.Set("timings", timings);
    object.Set("probeTokens", static_cast<double>(event.n_probe));
    object.Set("draftedTokens", static_cast<double>(event.n_drafted));
    object.Set("acceptedTokens", static_cast<double>(event.n_accepted));
    object.Set("confidence", event.confidence ? Napi::Value(Napi::Number::New(env, *event.confidence)) : env.Null());
    object.Set("trace", event.trace ? Napi::Value(object_of(env, *event.trace)) : env.Null());
    return object;
}

Napi::Object object_of(Napi::Env env, const BranchEvent & event) {
    const auto part = [&](const std::string & shown, const std::vector<llama_token> & tokens,
                          const std::vector<TokenLogprobs> & logprobs) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("text", text(env, shown));
        object.Set("tokens", numbers(env, tokens));
        object.Set("logprobs", array_of(env, logprobs));
        return object;
    };
    Napi::Object object = Napi::Object::New(env);
    object.Set("type", "branch");
    object.Set("thinking", part(event.thinking_text, event.thinking, event.thinking_logprobs));
    object.Set("answer", part(event.answer_text, event.answer, event.answer_logprobs));
    object.Set("hintTokens", static_cast<double>(event.n_hint));
    object.Set("done", object_of(env, event.done));
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

Napi::Value to_js(Napi::Env env, const Model & model) {
    const ModelMetadata & metadata = model.metadata();
    const Pieces & pieces = model.pieces();
    const auto token_text = [&](llama_token token) {
        return text(env, token == LLAMA_TOKEN_NULL ? std::string_view() : pieces[token]);
    };
    Napi::Object object = Napi::Object::New(env);
    object.Set("architecture", text(env, metadata.architecture));
    object.Set("description", text(env, metadata.description));
    object.Set("quantization", text(env, metadata.quantization));
    object.Set("parameters", static_cast<double>(metadata.n_params));
    object.Set("size", static_cast<double>(metadata.size));
    object.Set("layers", metadata.n_layer);
    object.Set("gpuLayers", metadata.n_gpu_layers);
    object.Set("embeddingLength", metadata.n_embd);
    object.Set("vocabularySize", metadata.n_vocab);
    object.Set("vocabularyType", name(metadata.vocab_type));
    object.Set("trainingContext", metadata.n_ctx_train);
    object.Set("thinkingWindow",
               metadata.thinking_window < 0
                   ? env.Null()
                   : Napi::Value(Napi::Number::New(env, static_cast<double>(metadata.thinking_window))));
    Napi::Object sampling = Napi::Object::New(env);
    for (const auto & [key, value] : metadata.sampling) {
        sampling.Set(key, value);
    }
    object.Set("sampling", sampling);
    object.Set("positions", metadata.n_positions);
    object.Set("kvBytesPerCell", static_cast<double>(metadata.kv_bytes_per_cell));
    const auto lengths = [&](const std::vector<uint32_t> & values) {
        Napi::Array array = Napi::Array::New(env, values.size());
        for (uint32_t i = 0; i < values.size(); ++i) {
            array.Set(i, values[i]);
        }
        return array;
    };
    object.Set("keyLengths", lengths(metadata.key_lengths));
    object.Set("valueLengths", lengths(metadata.value_lengths));
    object.Set("recurrent", metadata.recurrent);
    object.Set("hybrid", metadata.hybrid);
    object.Set("unsupported", metadata.unsupported.empty() ? env.Null() : Napi::Value(text(env, metadata.unsupported)));
    object.Set("chatTemplate", text_or_null(env, metadata.chat_template));
    object.Set("bos", metadata.bos);
    object.Set("eos", metadata.eos);
    object.Set("addBos", metadata.add_bos);
    object.Set("bosText", token_text(metadata.bos));
    object.Set("eosText", token_text(metadata.eos));
    Napi::Array special = Napi::Array::New(env, metadata.special_tokens.size());
    for (uint32_t i = 0; i < metadata.special_tokens.size(); ++i) {
        Napi::Object token = Napi::Object::New(env);
        token.Set("id", metadata.special_tokens[i].id);
        token.Set("text", text(env, metadata.special_tokens[i].text));
        token.Set("control", metadata.special_tokens[i].control);
        special.Set(i, token);
    }
    object.Set("specialTokens", special);
    object.Set("longestToken", static_cast<double>(model.text_bounds().longest_token()));
    return object;
}

Napi::Value to_js(Napi::Env env, const std::vector<llama_token> & tokens) {
    Napi::Int32Array array = Napi::Int32Array::New(env, tokens.size());
    std::copy(tokens.begin(), tokens.end(), array.Data());
    return array;
}

void emit_event(const Napi::Function & on_event, const Event & event) {
    const Napi::Env env = on_event.Env();
    const Napi::HandleScope scope(env);
    const Napi::Value id = Napi::Number::New(env, event.id);
    const auto call = [&](const auto & what) {
        if constexpr (std::is_same_v<std::decay_t<decltype(what)>, TextEvent>) {
            std::vector<napi_value> args = { id, Napi::Number::New(env, static_cast<int>(what.part)),
                                             Napi::String::New(env, what.text), numbers(env, what.tokens) };
            if (!what.logprobs.empty()) {
                args.push_back(array_of(env, what.logprobs));
            }
            on_event.Call(args);
        } else {
            on_event.Call({ id, object_of(env, what) });
        }
    };
    std::visit(call, event.what);
}

} // namespace z1
