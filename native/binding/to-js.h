// The engine's structures to JavaScript values.
#pragma once

#include "engine/model/model.h"
#include "engine/request/events.h"
#include "llama/engine.h"

#include <napi.h>

#include <vector>

namespace z1 {

Napi::Value to_js(Napi::Env env, const Engine & engine);
/// What the model says of itself.
Napi::Value to_js(Napi::Env env, const Model & model);
Napi::Value to_js(Napi::Env env, const std::vector<llama_token> & tokens);

/// Calls JavaScript with an event. A text goes in arguments and not in an object: there is one for nearly every token, and
/// setting properties by name takes most of what that costs.
void emit_event(const Napi::Function & on_event, const Event & event);

} // namespace z1
