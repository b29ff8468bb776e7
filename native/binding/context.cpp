// A context and its generations.
#include "engine/context/context.h"
#include "binding/addon-data.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "binding/from-js.h"

namespace z1 {

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
            result.Set("batchSize", open->context->params().n_ubatch);
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

} // namespace z1
