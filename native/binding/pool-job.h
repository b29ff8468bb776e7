// Work for libuv's pool with a promise for its result. For loading, tokenising and opening the engine; never for the token
// loop, which would starve fs and dns of the pool's four threads.
#pragma once

#include "binding/convert.h"
#include "engine/process-exit.h"

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

namespace z1 {

template <class Result>
class PoolJob {
public:
    using Work = std::function<Result()>;
    using Convert = std::function<Napi::Value(Napi::Env, Result &)>;

    /// `work` runs on the pool, `convert` on the JavaScript thread; what either throws rejects the promise.
    static Napi::Promise run(Napi::Env env, const char * name, Work work, Convert convert) {
        auto job = std::unique_ptr<PoolJob>(new PoolJob(env, std::move(work), std::move(convert)));
        const Napi::Promise promise = job->deferred.Promise();
        if (napi_create_async_work(env, nullptr, Napi::String::New(env, name), execute, complete, job.get(), &job->handle) != napi_ok ||
            napi_queue_async_work(env, job->handle) != napi_ok) {
            throw Napi::Error::New(env);
        }
        job.release(); // until `complete`
        return promise;
    }

private:
    PoolJob(Napi::Env env, Work work, Convert convert)
        : deferred(Napi::Promise::Deferred::New(env)), work(std::move(work)), convert(std::move(convert)) {}

    static void execute(napi_env, void * data) {
        auto * job = static_cast<PoolJob *>(data);
        try {
            process_exit::Job running;
            job->result = job->work();
        } catch (...) {
            job->thrown = std::current_exception();
        }
    }

    static void complete(napi_env env, napi_status status, void * data) {
        const std::unique_ptr<PoolJob> job(static_cast<PoolJob *>(data));
        napi_delete_async_work(env, job->handle);
        if (status != napi_ok) {
            return; // the environment is going away
        }
        guarded_call(env, [&] { job->settle(env); });
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
