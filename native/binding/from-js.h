// JavaScript values to the engine's structures. Values were checked in TypeScript; a wrong one here is a TypeError or a
// RangeError, never a crash.
#pragma once

#include "engine/context/context.h"
#include "engine/model/model.h"
#include "engine/model/quantize.h"
#include "engine/request/request.h"

#include <napi.h>

#include <vector>

namespace z1 {

Napi::Object object_of(const Napi::Value & value);
ModelParams model_params_of(const Napi::Object & object);
QuantizeParams quantize_params_of(const Napi::Object & object);
ContextParams context_params_of(const Napi::Object & object);
Request request_of(const Napi::Object & object);
std::vector<Segment> segments_of(const Napi::Array & array);
std::vector<llama_token> tokens_of(const Napi::Value & value);

} // namespace z1
