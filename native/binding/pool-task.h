// Work for libuv's pool with a promise for its result. For loading, tokenizing and opening the engine; never for the token
// loop, which would starve fs and dns of the pool's four threads.
#pragma once

#include "binding/errors.h"
#include "engine/process-exit.h"

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

namespace z1 {

template <class Result>
class PoolTask {
public:
    using Work = std::function<Result()>;
    using Convert = std::function<Napi::Value(Napi::Env, Result &)>;

    /// `work` runs on the pool, `convert` on the JavaScript thread; what either throws rejects the promise.
    static Napi::Promise run(Napi::Env env, const char * name, Work work, Convert convert) {
        auto task = std::unique_ptr<PoolTask>(new PoolTask(env, std::move(work), std::move(convert)));
        const Napi::Promise promise = task->deferred.Promise();
        if (napi_create_async_work(env, nullptr, Napi::String::New(env, name), execute, complete, task.get(),
                                   &task->handle) != napi_ok ||
            napi_queue_async_work(env, task->handle) != napi_ok) {
            throw Napi::Error::New(env);
        }
        task.release(); // until `complete`
        return promise;
    }

private:
    PoolTask(Napi::Env env, Work work, Convert convert)
        : deferred(Napi::Promise::Deferred::New(env)), work(std::move(work)), convert(std::move(convert)) {}

    static void execute(napi_env, void * data) {
        auto * task = static_cast<PoolTask *>(data);
        try {
            process_exit::EngineInUse in_use;
            task->result = task->work();
        } catch (...) {
            task->thrown = std::current_exception();
        }
    }

    static void complete(napi_env env, napi_status status, void * data) {
        const std::unique_ptr<PoolTask> task(static_cast<PoolTask *>(data));
        napi_delete_async_work(env, task->handle);
        if (status != napi_ok) {
            return; // the environment is going away
        }
        task->work = nullptr; // who waits for the promise takes what the work held for gone
        guarded_call(env, [&] { task->settle(env); });
    }

    void settle(Napi::Env env) {
        if (!thrown) {
            try {
                deferred.Resolve(convert(env, *result));
                return;
            } catch (...) {
                thrown = std::current_exception();
            }
        }
        deferred.Reject(to_js_error(env, thrown).Value());
    }

    Napi::Promise::Deferred deferred;
    Work work;
    Convert convert;
    napi_async_work handle = nullptr;
    std::optional<Result> result;
    std::exception_ptr thrown;
};

} // namespace z1
