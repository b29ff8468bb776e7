// What JavaScript holds of a model and of a context: externals with a tag, so that a wrong one is a TypeError.
#pragma once

#include "engine/context/context.h"
#include "engine/model/model.h"

#include <napi.h>

#include <memory>
#include <vector>

namespace z1 {

struct OpenModel {
    std::shared_ptr<Model> model; // null once closed
};

struct OpenContext {
    std::unique_ptr<Context> context; // null once its thread has ended
    std::vector<Napi::Promise::Deferred> closing;
};

/// A state on its way between a context and a file.
struct OpenState {
    std::shared_ptr<StateBytes> bytes;
};

template <class T>
struct Handle;
template <>
struct Handle<OpenState> {
    static constexpr napi_type_tag tag = { 0x7a31737461746500, 0x6b0e94d2c7f1a358 };
    static constexpr const char * expected = "Expected a state handle";
};
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
    const auto finalize = [collected](Napi::Env, std::shared_ptr<T> * held) {
        collected(**held);
        delete held;
    };
    auto handle = Napi::External<std::shared_ptr<T>>::New(env, new std::shared_ptr<T>(open), finalize);
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

/// Throw DISPOSED when it was closed.
std::shared_ptr<Model> model_of(const Napi::Value & value);
Context & context_of(const Napi::Value & value);

} // namespace z1
