// A model: loading, quantizing, tokens and text.
#include "engine/model/model.h"
#include "binding/exports.h"
#include "binding/from-js.h"
#include "binding/handles.h"
#include "binding/native-task.h"
#include "binding/pool-task.h"
#include "binding/to-js.h"
#include "engine/model/quantize.h"
#include "engine/request/text.h"
#include "engine/sampling/grammar.h"
#include "error.h"
#include "llama/engine-call.h"
#include "llama/engine.h"

#include <algorithm>
#include <cstdint>
#include <variant>

namespace z1 {

namespace {

const Engine & opened_engine() {
    const Engine * engine = Engine::opened();
    if (!engine) {
        throw Error(ErrorCode::ENGINE_NOT_FOUND, "No engine is open");
    }
    return *engine;
}

} // namespace

Napi::Value model_load(const Napi::CallbackInfo & info) {
    const uint32_t id = info[0].ToNumber();
    const ModelParams params = model_params_of(object_of(info[1]));
    const auto task = begin_task(info.Env(), id, info[2]);
    const auto work = [params, progress = progress_of(info.Env(), id, *task)] {
        return Model::load(opened_engine(), params, progress);
    };
    const auto convert = [task](Napi::Env env, std::shared_ptr<Model> & model) {
        Napi::Object result = Napi::Object::New(env);
        const auto open = std::make_shared<OpenModel>(OpenModel { model });
        result.Set("model", wrap<OpenModel>(env, open, [](OpenModel &) {}));
        result.Set("metadata", to_js(env, *model));
        return result;
    };
    return PoolTask<std::shared_ptr<Model>>::run(info.Env(), "z1 modelLoad", work, convert);
}

Napi::Value model_quantize(const Napi::CallbackInfo & info) {
    const uint32_t id = info[0].ToNumber();
    const QuantizeParams params = quantize_params_of(object_of(info[1]));
    const auto task = begin_task(info.Env(), id, info[2]);
    const auto work = [params, progress = progress_of(info.Env(), id, *task)] {
        quantize(opened_engine(), params, progress);
        return std::monostate {};
    };
    const auto convert = [task](Napi::Env env, std::monostate &) { return env.Undefined(); };
    return PoolTask<std::monostate>::run(info.Env(), "z1 modelQuantize", work, convert);
}

// The memory goes when the last context of the model has ended.
Napi::Value model_close(const Napi::CallbackInfo & info) {
    unwrap<OpenModel>(info[0])->model.reset();
    return info.Env().Undefined();
}

Napi::Value model_tokenize(const Napi::CallbackInfo & info) {
    const auto model = model_of(info[1]);
    if (!info[2].IsArray()) {
        throw Napi::TypeError::New(info.Env(), "Expected an array of segments");
    }
    const double limit = info[3].ToNumber();
    const size_t most = limit < UINT32_MAX ? static_cast<size_t>(std::max(0.0, limit)) : SIZE_MAX;
    const auto task = begin_task(info.Env(), info[0].ToNumber(), info.Env().Null());
    // Shared: what a std::function holds is copied with it, and a prompt can be large.
    const auto segments = std::make_shared<const std::vector<Segment>>(segments_of(info[2].As<Napi::Array>()));
    return PoolTask<std::vector<llama_token>>::run(
        info.Env(), "z1 modelTokenize",
        [model, segments, most, task] { return model->tokenize(*segments, most, cancelled_of(*task)); },
        [](Napi::Env env, std::vector<llama_token> & tokens) { return to_js(env, tokens); });
}

Napi::Value model_detokenize(const Napi::CallbackInfo & info) {
    const auto model = model_of(info[1]);
    const auto task = begin_task(info.Env(), info[0].ToNumber(), info.Env().Null());
    const auto tokens = std::make_shared<const std::vector<llama_token>>(tokens_of(info[2]));
    const bool special = info[3].ToBoolean();
    return PoolTask<std::string>::run(
        info.Env(), "z1 modelDetokenize",
        [model, tokens, special, task] {
            return to_well_formed(model->detokenize(*tokens, special, cancelled_of(*task)));
        },
        [](Napi::Env env, std::string & text) { return Napi::String::New(env, text); });
}

// On JavaScript's thread: for tests, which ask llama.cpp what a grammar means.
Napi::Value model_matches(const Napi::CallbackInfo & info) {
    const auto model = model_of(info[0]);
    const EngineCall call;
    Grammar grammar(model->api(), model->vocab(), model->pieces(), info[1].ToString().Utf8Value());
    for (const llama_token token : tokens_of(info[2])) {
        if (!grammar.allows(token)) {
            return Napi::Boolean::New(info.Env(), false);
        }
        grammar.accept(token);
    }
    return Napi::Boolean::New(info.Env(), grammar.allows(model->metadata().eos));
}

} // namespace z1
