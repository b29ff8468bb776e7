// The functions that addon.cpp exports, by the file that has them.
#pragma once

#include <napi.h>

namespace z1 {

using Export = Napi::Value (*)(const Napi::CallbackInfo &);

// engine.cpp
Napi::Value addon_info(const Napi::CallbackInfo & info);
Napi::Value channel_open(const Napi::CallbackInfo & info);
Napi::Value engine_open(const Napi::CallbackInfo & info);
Napi::Value engine_directory(const Napi::CallbackInfo & info);

// native-task.cpp
Napi::Value task_cancel(const Napi::CallbackInfo & info);

// model.cpp
Napi::Value model_load(const Napi::CallbackInfo & info);
Napi::Value model_close(const Napi::CallbackInfo & info);
Napi::Value model_quantize(const Napi::CallbackInfo & info);
Napi::Value model_tokenize(const Napi::CallbackInfo & info);
Napi::Value model_detokenize(const Napi::CallbackInfo & info);
Napi::Value model_matches(const Napi::CallbackInfo & info);

// context.cpp
Napi::Value context_create(const Napi::CallbackInfo & info);
Napi::Value context_close(const Napi::CallbackInfo & info);
Napi::Value generation_start(const Napi::CallbackInfo & info);
Napi::Value generation_end_thinking(const Napi::CallbackInfo & info);
Napi::Value generation_stop(const Napi::CallbackInfo & info);
Napi::Value generation_abort(const Napi::CallbackInfo & info);

// state.cpp
Napi::Value state_create(const Napi::CallbackInfo & info);
Napi::Value state_read(const Napi::CallbackInfo & info);
Napi::Value state_append(const Napi::CallbackInfo & info);
Napi::Value context_save_state(const Napi::CallbackInfo & info);
Napi::Value context_load_state(const Napi::CallbackInfo & info);

} // namespace z1
