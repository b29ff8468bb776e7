// The engine and the channel: what an environment opens first.
#include "llama/engine.h"
#include "binding/addon-data.h"
#include "binding/exports.h"
#include "binding/pool-task.h"
#include "binding/to-js.h"
#include "engine/process-exit.h"
#include "llama/library.h"
#include "z1-versions.h"

namespace z1 {

namespace {

std::u8string utf8_of(const Napi::Value & value) {
    const std::string bytes = value.ToString();
    return std::u8string(bytes.begin(), bytes.end());
}

} // namespace

Napi::Value addon_info(const Napi::CallbackInfo & info) {
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("release", Z1_LLAMA_RELEASE);
    result.Set("llamaVersion", Z1_LLAMA_VERSION);
    result.Set("ggmlVersion", Z1_GGML_VERSION);
    return result;
}

Napi::Value channel_open(const Napi::CallbackInfo & info) {
    AddonData & data = data_of(info.Env());
    if (data.channel) {
        throw Napi::Error::New(info.Env(), "channelOpen was called before");
    }
    if (!info[0].IsFunction()) {
        throw Napi::TypeError::New(info.Env(), "Expected a function");
    }
    data.channel = EventChannel::open(info.Env(), info[0].As<Napi::Function>());

    // Hooks run last in, first out: registered after the thread-safe function's own, this one finds it working. It is not an
    // asynchronous one, which has nothing to wait for here and is freed twice by Deno.
    napi_add_env_cleanup_hook(info.Env(), [](void * data) { static_cast<AddonData *>(data)->shut_down(); }, &data);

    // process.exit() and an uncaught exception run no cleanup hook of the main thread, but they emit this. An exit handler
    // of C comes too late: what the engine made after its registration, in function-local statics, is destroyed by then.
    Napi::Object process = info.Env().Global().Get("process").As<Napi::Object>();
    process.Get("once").As<Napi::Function>().Call(
        process,
        { Napi::String::New(info.Env(), "exit"),
          Napi::Function::New(info.Env(), [](const Napi::CallbackInfo & info) { data_of(info.Env()).shut_down(); }) });
    return info.Env().Undefined();
}

Napi::Value engine_open(const Napi::CallbackInfo & info) {
    const std::u8string directory = utf8_of(info[0]);
    const std::string backend = info[1].IsString() ? info[1].ToString().Utf8Value() : "";
    return PoolTask<const Engine *>::run(
        info.Env(), "z1 engineOpen",
        [directory, backend] {
            const Engine & engine = Engine::open(directory, backend);
            process_exit::arm();
            return &engine;
        },
        [](Napi::Env env, const Engine *& engine) { return to_js(env, *engine); });
}

Napi::Value engine_directory(const Napi::CallbackInfo & info) {
    const Engine * engine = Engine::opened();
    return engine ? Napi::Value(Napi::String::New(info.Env(), to_utf8(engine->directory))) : info.Env().Null();
}

} // namespace z1
