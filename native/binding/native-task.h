// Work on the pool that can be cancelled, and may report its progress: a load, a quantization, tokenizing.
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

/// The task that JavaScript calls `id`. Keep it in its PoolTask, which is destroyed on the JavaScript thread as the task's
/// function must be.
std::shared_ptr<NativeTask> begin_task(Napi::Env env, uint32_t id, const Napi::Value & on_progress);

/// For the pool thread: reports 0…1, once a per cent, since a large model reports thousands of times. False when the task
/// was cancelled. `task` outlives it.
std::function<bool(float)> progress_of(Napi::Env env, uint32_t id, const NativeTask & task);

/// For the pool thread: whether the task was cancelled. `task` outlives it.
std::function<bool()> cancelled_of(const NativeTask & task);

} // namespace z1
