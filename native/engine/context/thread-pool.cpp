#include "engine/context/thread-pool.h"

namespace z1 {

void ThreadPool::attach(llama_context * ctx, int32_t n_threads) {
    ggml_backend_dev_t cpu = api.ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (!cpu || n_threads < 2) {
        return;
    }
    // The pool's functions live in the CPU backend's own library (ggml-cpu.cpp, ggml_backend_cpu_get_proc_address).
    ggml_backend_reg_t reg = api.ggml_backend_dev_backend_reg(cpu);
    const auto new_pool = reinterpret_cast<decltype(&::ggml_threadpool_new)>(
        api.ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_new"));
    free_pool = reinterpret_cast<decltype(&::ggml_threadpool_free)>(
        api.ggml_backend_reg_get_proc_address(reg, "ggml_threadpool_free"));
    if (!new_pool || !free_pool) {
        return;
    }
    ggml_threadpool_params params = api.ggml_threadpool_params_default(n_threads);
    pool = new_pool(&params);
    api.llama_attach_threadpool(ctx, pool, pool);
}

void ThreadPool::free() {
    if (pool) {
        free_pool(pool);
        pool = nullptr;
    }
}

} // namespace z1
