// Every function that JavaScript can call, listed in Init and typed in lib/native/binding.ts. This room converts and forwards; it
// never decodes or samples.
#include "binding/addon-data.h"
#include "binding/errors.h"
#include "binding/exports.h"

#include <napi.h>

#include <exception>
#include <utility>

namespace z1 {

namespace {

// No other C++ exception may leave an export: Node would end the process.
template <Export function>
Napi::Value guard(const Napi::CallbackInfo & info) {
    try {
        return function(info);
    } catch (const Napi::Error &) {
        throw;
    } catch (...) {
        throw to_js_error(info.Env(), std::current_exception());
    }
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
    env.SetInstanceData(new AddonData);
    const std::pair<const char *, Export> functions[] = {
        { "addonInfo", guard<addon_info> },
        { "channelOpen", guard<channel_open> },
        { "engineOpen", guard<engine_open> },
        { "engineDirectory", guard<engine_directory> },
        { "modelLoad", guard<model_load> },
        { "taskCancel", guard<task_cancel> },
        { "modelClose", guard<model_close> },
        { "modelQuantize", guard<model_quantize> },
        { "modelTokenize", guard<model_tokenize> },
        { "modelDetokenize", guard<model_detokenize> },
        { "modelMatches", guard<model_matches> },
        { "contextCreate", guard<context_create> },
        { "contextClose", guard<context_close> },
        { "contextSaveState", guard<context_save_state> },
        { "contextLoadState", guard<context_load_state> },
        { "stateCreate", guard<state_create> },
        { "stateRead", guard<state_read> },
        { "stateAppend", guard<state_append> },
        { "generationStart", guard<generation_start> },
        { "generationEndThinking", guard<generation_end_thinking> },
        { "generationStop", guard<generation_stop> },
        { "generationAbort", guard<generation_abort> },
    };
    for (const auto & [name, function] : functions) {
        exports.Set(name, Napi::Function::New(env, function, name));
    }
    return exports;
}

NODE_API_MODULE(z1_native, Init)

} // namespace

} // namespace z1
