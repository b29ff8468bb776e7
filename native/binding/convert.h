// JavaScript values to the engine's structures and back. Values were checked in TypeScript; a wrong one here is a TypeError,
// never a crash.
#pragma once

#include "engine/context/context.h"
#include "engine/request/events.h"
#include "engine/model/model.h"
#include "engine/model/quantize.h"
#include "engine/request/request.h"
#include "llama/engine.h"

#include <napi.h>

#include <exception>
#include <functional>
#include <vector>

namespace z1 {

ModelParams model_params_of(const Napi::Object & object);
QuantizeParams quantize_params_of(const Napi::Object & object);
ContextParams context_params_of(const Napi::Object & object);
Request request_of(const Napi::Object & object);
std::vector<Segment> segments_of(const Napi::Array & array);
std::vector<llama_token> tokens_of(const Napi::Value & value);

Napi::Value to_js(Napi::Env env, const Engine & engine);
Napi::Value to_js(Napi::Env env, const ModelFacts & facts, const Pieces & pieces);
Napi::Value to_js(Napi::Env env, const ContextParams & params);
Napi::Value to_js(Napi::Env env, const std::vector<llama_token> & tokens);

/// An Error with the `code` of a z1::Error; other exceptions keep only their message.
Napi::Error to_js_error(Napi::Env env, const std::exception_ptr & thrown);

/// Tells JavaScript of an event. Of a text in arguments and not in an object: there is one for nearly every token, and
/// setting properties by name takes most of what that costs.
void tell(const Napi::Function & on_event, const Event & event);

/// Runs a call into JavaScript that came from no JavaScript. What it throws becomes an uncaughtException; when the
/// environment is going away, nothing.
void guarded_call(Napi::Env env, const std::function<void()> & call);

} // namespace z1
