// What native code throws, as JavaScript sees it.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>

namespace z1 {

/// An Error with the `code` of a z1::Error; other exceptions keep only their message.
Napi::Error to_js_error(Napi::Env env, const std::exception_ptr & thrown);

/// Runs a call into JavaScript that came from no JavaScript. What it throws becomes an uncaughtException; when the
/// environment is going away, nothing.
void guarded_call(Napi::Env env, const std::function<void()> & call);

} // namespace z1
