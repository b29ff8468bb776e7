// Every function that JavaScript can call, listed in Init at the end and typed in lib/native/binding.ts. This room converts and
// forwards; it never decodes or samples.
#include "binding/channel.h"
#include "binding/convert.h"
#include "binding/pool-job.h"
#include "engine/context/context.h"
#include "engine/model/model.h"
#include "engine/process-exit.h"
#include "engine/model/quantize.h"
#include "engine/request/text.h"
#include "error.h"
#include "llama/engine.h"
#include "llama/library.h"
#include "z1-versions.h"

#include <napi.h>

#include <functional>
#include <map>
#include <set>
#include <variant>

namespace z1 {

namespace {

struct OpenModel {
    std::shared_ptr<Model> model; // null once closed
};

struct OpenContext {
    std::unique_ptr<Context> context; // null once its thread has ended
    std::vector<Napi::Promise::Deferred> closing;
};

struct Load {
    std::atomic<bool> cancelled { false };
    Napi::FunctionReference on_progress;
};

/// What one environment (the main thread or a worker) owns.
struct AddonData {
    std::shared_ptr<EventChannel> channel;
    std::map<uint32_t, std::weak_ptr<Load>> loads; // owned by their jobs
    std::set<std::shared_ptr<OpenContext>> contexts; // until their threads have been joined

    // Threads first, then the channel they post to. Twice when 'exit' comes before the cleanup hook.
    void shut_down() {
        for (const auto & [id, owned] : loads) {
            if (const auto load = owned.lock()) {
                load->cancelled = true;
            }
        }
        for (const auto & open : contexts) {
            open->context->close();
        }
        for (const auto & open : contexts) {
            open->context.reset();
        }
        contexts.clear();
        if (channel) {
            channel->close();
        }
    }
};

AddonData & data_of(Napi::Env env) {
    return *env.GetInstanceData<AddonData>();
}

const std::shared_ptr<EventChannel> & channel_of(Napi::Env env) {
    AddonData & data = data_of(env);
    if (!data.channel) {
        throw Napi::Error::New(env, "channelOpen has not been called");
    }
    return data.channel;
}

// Handles are externals with a tag, so that a wrong one is a TypeError.
template <class T>
struct Handle;
template <>
struct Handle<OpenModel> {
    static constexpr napi_type_tag tag = { 0x7a316d6f64656c00, 0x9d1c7e0f5b3a4862 };
    static constexpr const char * expected = "Expected a model handle";
};
template <>
struct Handle<OpenContext> {
    static constexpr napi_type_tag tag = { 0x7a31636f6e746578, 0x41f6c3b2a8d97e05 };
    static constexpr const char * expected = "Expected a context handle";
};

template <class T>
Napi::Value wrap(Napi::Env env, const std::shared_ptr<T> & open, void (*collected)(T &)) {
    auto handle = Napi::External<std::shared_ptr<T>>::New(
        env, new std::shared_ptr<T>(open), [collected](Napi::Env, std::shared_ptr<T> * held) {
            collected(**held);
            delete held;
        });
    handle.TypeTag(&Handle<T>::tag);
    return handle;
}

template <class T>
std::shared_ptr<T> unwrap(const Napi::Value & value) {
    if (!value.IsExternal() || !value.As<Napi::External<std::shared_ptr<T>>>().CheckTypeTag(&Handle<T>::tag)) {
        throw Napi::TypeError::New(value.Env(), Handle<T>::expected);
    }
    return *value.As<Napi::External<std::shared_ptr<T>>>().Data();
}

std::shared_ptr<Model> model_of(const Napi::Value & value) {
    const auto open = unwrap<OpenModel>(value);
    if (!open->model) {
        throw Error(ErrorCode::DISPOSED, "The model was disposed");
    }
    return open->model;
}

Context & context_of(const Napi::Value & value) {
    const auto open = unwrap<OpenContext>(value);
    if (!open->context) {
        throw Error(ErrorCode::DISPOSED, "The model was disposed");
    }
    return *open->context;
}

std::u8string utf8_of(const Napi::Value & value) {
    const std::string bytes = value.ToString();
    return std::u8string(bytes.begin(), bytes.end());
}

Napi::Object object_of(const Napi::Value & value) {
    if (!value.IsObject()) {
        throw Napi::TypeError::New(value.Env(), "Expected an object");
    }
    return value.As<Napi::Object>();
}

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

    // Hooks run last in, first out: registered after the thread-safe function's own, this one finds it working.
    napi_add_async_cleanup_hook(
        info.Env(),
        [](napi_async_cleanup_hook_handle handle, void * data) {
            static_cast<AddonData *>(data)->shut_down();
            napi_remove_async_cleanup_hook(handle);
        },
        &data, nullptr);

    // process.exit() and an uncaught exception run no cleanup hook of the main thread, but they emit this. An exit handler
    // of C comes too late: what the engine made after its registration, in function-local statics, is destroyed by then.
    Napi::Object process = info.Env().Global().Get("process").As<Napi::Object>();
    process.Get("once").As<Napi::Function>().Call(
        process, { Napi::String::New(info.Env(), "exit"),
                   Napi::Function::New(info.Env(), [](const Napi::CallbackInfo & info) { data_of(info.Env()).shut_down(); }) });
    return info.Env().Undefined();
}

Napi::Value engine_open(const Napi::CallbackInfo & info) {
    const std::u8string directory = utf8_of(info[0]);
    const std::string backend = info[1].IsString() ? info[1].ToString().Utf8Value() : "";
    return PoolJob<const Engine *>::run(
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

// A load or a quantisation. Kept by its job's `convert`, which is destroyed on the JavaScript thread as its function must be.
std::shared_ptr<Load> begin_load(Napi::Env env, uint32_t id, const Napi::Value & on_progress) {
    AddonData & data = data_of(env);
    const auto load = std::make_shared<Load>();
    if (on_progress.IsFunction()) {
        load->on_progress = Napi::Persistent(on_progress.As<Napi::Function>());
    }
    std::erase_if(data.loads, [](const auto & entry) { return entry.second.expired(); });
    data.loads[id] = load;
    return load;
}

// Tells the load's function once a per cent: a large model reports thousands of times. False when the load was cancelled.
std::function<bool(float)> progress_of(Napi::Env env, uint32_t id, const Load & load) {
    const bool reports = !load.on_progress.IsEmpty();
    return [channel = channel_of(env), id, reports, &cancelled = load.cancelled, told = -1](float progress) mutable {
        const int now = static_cast<int>(progress * 100);
        if (reports && now > told) {
            told = now;
            channel->post([id, progress](Napi::Env env) {
                const auto load = data_of(env).loads[id].lock();
                if (load && !load->on_progress.IsEmpty()) {
                    load->on_progress.Call({ Napi::Number::New(env, progress) });
                }
            });
        }
        return !cancelled && !process_exit::begun();
    };
}

const Engine & opened_engine() {
    const Engine * engine = Engine::opened();
    if (!engine) {
        throw Error(ErrorCode::ENGINE_NOT_FOUND, "No engine is open");
    }
    return *engine;
}

Napi::Value model_load(const Napi::CallbackInfo & info) {
    const uint32_t id = info[0].ToNumber();
    const ModelParams params = model_params_of(object_of(info[1]));
    const auto load = begin_load(info.Env(), id, info[2]);
    const auto work = [params, progress = progress_of(info.Env(), id, *load)] {
        return Model::load(opened_engine(), params, progress);
    };
    const auto convert = [load](Napi::Env env, std::shared_ptr<Model> & model) {
        Napi::Object result = Napi::Object::New(env);
        const auto open = std::make_shared<OpenModel>(OpenModel { model });
        result.Set("model", wrap<OpenModel>(env, open, [](OpenModel &) {}));
        result.Set("facts", to_js(env, model->facts(), model->pieces()));
        return result;
    };
    return PoolJob<std::shared_ptr<Model>>::run(info.Env(), "z1 modelLoad", work, convert);
}

Napi::Value model_quantize(const Napi::CallbackInfo & info) {
    const uint32_t id = info[0].ToNumber();
    const QuantizeParams params = quantize_params_of(object_of(info[1]));
    const auto load = begin_load(info.Env(), id, info[2]);
    const auto work = [params, progress = progress_of(info.Env(), id, *load)] {
        quantize(opened_engine(), params, progress);
        return std::monostate {};
    };
    const auto convert = [load](Napi::Env env, std::monostate &) { return env.Undefined(); };
    return PoolJob<std::monostate>::run(info.Env(), "z1 modelQuantize", work, convert);
}

Napi::Value load_cancel(const Napi::CallbackInfo & info) {
    if (const auto load = data_of(info.Env()).loads[info[0].ToNumber()].lock()) {
        load->cancelled = true;
    }
    return info.Env().Undefined();
}

// The memory goes when the last context of the model has ended.
Napi::Value model_close(const Napi::CallbackInfo & info) {
    unwrap<OpenModel>(info[0])->model.reset();
    return info.Env().Undefined();
}

Napi::Value model_tokenize(const Napi::CallbackInfo & info) {
    const auto model = model_of(info[0]);
    if (!info[1].IsArray()) {
        throw Napi::TypeError::New(info.Env(), "Expected an array of segments");
    }
    const auto segments = segments_of(info[1].As<Napi::Array>());
    return PoolJob<std::vector<llama_token>>::run(
        info.Env(), "z1 modelTokenize", [model, segments] { return model->tokenize(segments); },
        [](Napi::Env env, std::vector<llama_token> & tokens) { return to_js(env, tokens); });
}

Napi::Value model_detokenize(const Napi::CallbackInfo & info) {
    const auto model = model_of(info[0]);
    const auto tokens = tokens_of(info[1]);
    const bool special = info[2].ToBoolean();
    return PoolJob<std::string>::run(
        info.Env(), "z1 modelDetokenize",
        [model, tokens, special] { return to_well_formed(model->detokenize(tokens, special)); },
        [](Napi::Env env, std::string & text) { return Napi::String::New(env, text); });
}

Napi::Value context_create(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    const auto model = model_of(info[0]);
    const ContextParams params = context_params_of(object_of(info[1]));
    const std::shared_ptr<EventChannel> channel = channel_of(env);
    const auto deferred = Napi::Promise::Deferred::New(env);
    const auto open = std::make_shared<OpenContext>();
    const std::weak_ptr<OpenContext> weak = open;

    const auto on_ready = [channel, deferred, weak](std::exception_ptr failed) {
        channel->post([channel, deferred, weak, failed](Napi::Env env) {
            channel->release(env);
            const auto open = weak.lock();
            if (failed || !open || !open->context) {
                deferred.Reject(to_js_error(env, failed).Value());
                return;
            }
            Napi::Object result = Napi::Object::New(env);
            result.Set("context", wrap<OpenContext>(env, open, [](OpenContext & collected) {
                           if (collected.context) {
                               collected.context->close();
                           }
                       }));
            result.Set("facts", to_js(env, open->context->params()));
            deferred.Resolve(result);
        });
    };
    const auto on_closed = [channel, weak] {
        channel->post([channel, weak](Napi::Env env) {
            const auto open = weak.lock();
            if (!open) {
                return;
            }
            open->context.reset(); // joins a thread that has nothing left to do
            data_of(env).contexts.erase(open);
            if (!open->closing.empty()) {
                channel->release(env);
            }
            for (const Napi::Promise::Deferred & waiting : open->closing) {
                waiting.Resolve(env.Undefined());
            }
        });
    };

    open->context = std::make_unique<Context>(model, params, channel, on_ready, on_closed);
    data_of(env).contexts.insert(open);
    channel->hold(env);
    return deferred.Promise();
}

Napi::Value context_close(const Napi::CallbackInfo & info) {
    const auto open = unwrap<OpenContext>(info[0]);
    const auto deferred = Napi::Promise::Deferred::New(info.Env());
    if (!open->context) {
        deferred.Resolve(info.Env().Undefined());
        return deferred.Promise();
    }
    if (open->closing.empty()) {
        channel_of(info.Env())->hold(info.Env());
    }
    open->closing.push_back(deferred);
    open->context->close();
    return deferred.Promise();
}

Napi::Value generation_start(const Napi::CallbackInfo & info) {
    context_of(info[0]).start(request_of(object_of(info[1])));
    channel_of(info.Env())->hold(info.Env()); // until its last event is delivered
    return info.Env().Undefined();
}

Napi::Value generation_end_thinking(const Napi::CallbackInfo & info) {
    context_of(info[0]).end_thinking(info[1].ToNumber());
    return info.Env().Undefined();
}

Napi::Value generation_stop(const Napi::CallbackInfo & info) {
    context_of(info[0]).stop(info[1].ToNumber());
    return info.Env().Undefined();
}

Napi::Value generation_abort(const Napi::CallbackInfo & info) {
    context_of(info[0]).abort(info[1].ToNumber());
    return info.Env().Undefined();
}

using Export = Napi::Value (*)(const Napi::CallbackInfo &);

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
        { "loadCancel", guard<load_cancel> },
        { "modelClose", guard<model_close> },
        { "modelQuantize", guard<model_quantize> },
        { "modelTokenize", guard<model_tokenize> },
        { "modelDetokenize", guard<model_detokenize> },
        { "contextCreate", guard<context_create> },
        { "contextClose", guard<context_close> },
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
