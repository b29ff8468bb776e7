#include "binding/native-task.h"

#include "binding/addon-data.h"
#include "binding/exports.h"
#include "engine/process-exit.h"

namespace z1 {

namespace {

// Null when it has ended, or never was.
std::shared_ptr<NativeTask> find_task(Napi::Env env, uint32_t id) {
    const auto & tasks = data_of(env).tasks;
    const auto found = tasks.find(id);
    return found == tasks.end() ? nullptr : found->second.lock();
}

} // namespace

std::shared_ptr<NativeTask> begin_task(Napi::Env env, uint32_t id, const Napi::Value & on_progress) {
    AddonData & data = data_of(env);
    const auto task = std::make_shared<NativeTask>();
    if (on_progress.IsFunction()) {
        task->on_progress = Napi::Persistent(on_progress.As<Napi::Function>());
    }
    std::erase_if(data.tasks, [](const auto & entry) { return entry.second.expired(); });
    data.tasks[id] = task;
    return task;
}

std::function<bool(float)> progress_of(Napi::Env env, uint32_t id, const NativeTask & task) {
    const bool reports = !task.on_progress.IsEmpty();
    return [channel = channel_of(env), id, reports, cancelled = cancelled_of(task),
            last_reported = -1](float progress) mutable {
        const int now = static_cast<int>(progress * 100);
        if (reports && now > last_reported) {
            last_reported = now;
            channel->post([id, progress](Napi::Env env) {
                const auto task = find_task(env, id);
                if (task && !task->on_progress.IsEmpty()) {
                    task->on_progress.Call({ Napi::Number::New(env, progress) });
                }
            });
        }
        return !cancelled();
    };
}

std::function<bool()> cancelled_of(const NativeTask & task) {
    return [&cancelled = task.cancelled] { return cancelled || process_exit::begun(); };
}

Napi::Value task_cancel(const Napi::CallbackInfo & info) {
    if (const auto task = find_task(info.Env(), info[0].ToNumber())) {
        task->cancelled = true;
    }
    return info.Env().Undefined();
}

} // namespace z1
