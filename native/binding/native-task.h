// Work on the pool that reports its progress and can be cancelled: a load, a quantization.
#pragma once

#include <napi.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace z1 {

struct NativeTask {
    std::atomic<bool> cancelled { false };
    Napi::FunctionReference on_progress;
};

/// The task that JavaScript calls `id`. Keep it in the `convert` of its PoolTask, which is destroyed on the JavaScript
/// thread as the task's function must be.
std::shared_ptr<NativeTask> begin_task(Napi::Env env, uint32_t id, const Napi::Value & on_progress);

/// For the pool thread: reports 0…1, once a per cent, since a large model reports thousands of times. False when the task
/// was cancelled. `task` outlives it.
std::function<bool(float)> progress_of(Napi::Env env, uint32_t id, const NativeTask & task);

} // namespace z1
