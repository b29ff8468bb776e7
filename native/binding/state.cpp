// A state on its way between a context and a file: bytes that are here, and come and go in pieces, so that no call takes
// long and no memory of ours becomes JavaScript's.
#include "binding/addon-data.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "engine/context/context.h"

#include <algorithm>
#include <span>
#include <utility>

namespace z1 {

namespace {

Napi::Value wrap_state(Napi::Env env, std::shared_ptr<StateBytes> bytes) {
    const auto open = std::make_shared<OpenState>(OpenState { std::move(bytes) });
    return wrap<OpenState>(env, open, [](OpenState &) {});
}

std::span<uint8_t> buffer_of(const Napi::Value & value) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
        throw Napi::TypeError::New(value.Env(), "Expected a Uint8Array");
    }
    auto buffer = value.As<Napi::Uint8Array>();
    return { buffer.Data(), buffer.ByteLength() };
}

} // namespace

Napi::Value state_create(const Napi::CallbackInfo & info) {
    return wrap_state(info.Env(), std::make_shared<StateBytes>());
}

Napi::Value state_read(const Napi::CallbackInfo & info) {
    const StateBytes & bytes = *unwrap<OpenState>(info[0])->bytes;
    const double offset = info[1].ToNumber().DoubleValue();
    const std::span<uint8_t> buffer = buffer_of(info[2]);
    if (!(offset >= 0 && offset + static_cast<double>(buffer.size()) <= static_cast<double>(bytes.size()))) {
        throw Napi::RangeError::New(info.Env(), "Expected a part of the state");
    }
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), buffer.size(), buffer.begin());
    return info.Env().Undefined();
}

Napi::Value state_append(const Napi::CallbackInfo & info) {
    StateBytes & bytes = *unwrap<OpenState>(info[0])->bytes;
    const std::span<uint8_t> buffer = buffer_of(info[1]);
    bytes.insert(bytes.end(), buffer.begin(), buffer.end());
    return info.Env().Undefined();
}

Napi::Value context_save_state(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    const std::shared_ptr<EventChannel> channel = channel_of(env);
    const auto deferred = Napi::Promise::Deferred::New(env);
    context_of(info[0]).save_state([channel, deferred](std::exception_ptr failed, std::shared_ptr<StateBytes> bytes) {
        channel->post([channel, deferred, failed, bytes](Napi::Env env) {
            channel->release(env);
            if (failed) {
                deferred.Reject(to_js_error(env, failed).Value());
                return;
            }
            Napi::Object result = Napi::Object::New(env);
            result.Set("state", wrap_state(env, bytes));
            result.Set("size", static_cast<double>(bytes->size()));
            deferred.Resolve(result);
        });
    });
    channel->hold(env);
    return deferred.Promise();
}

Napi::Value context_load_state(const Napi::CallbackInfo & info) {
    const Napi::Env env = info.Env();
    const std::shared_ptr<EventChannel> channel = channel_of(env);
    const auto deferred = Napi::Promise::Deferred::New(env);
    // The handle gives its bytes away: nothing writes to them while the context reads.
    const auto open = unwrap<OpenState>(info[1]);
    const auto bytes = std::exchange(open->bytes, std::make_shared<StateBytes>());
    context_of(info[0]).load_state(bytes, [channel, deferred](std::exception_ptr failed) {
        channel->post([channel, deferred, failed](Napi::Env env) {
            channel->release(env);
            if (failed) {
                deferred.Reject(to_js_error(env, failed).Value());
            } else {
                deferred.Resolve(env.Undefined());
            }
        });
    });
    channel->hold(env);
    return deferred.Promise();
}

} // namespace z1
