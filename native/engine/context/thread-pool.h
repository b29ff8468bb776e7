// ggml's worker threads, kept for the life of a context. Without a pool of its own a llama_context starts and joins new
// threads in every llama_decode (ggml-cpu.c, ggml_graph_compute), which costs small models more than the arithmetic.
#pragma once

#include "llama/api.h"

namespace z1 {

class ThreadPool {
public:
    explicit ThreadPool(const Api & api) : api(api) {}
    ~ThreadPool() { free(); }
    ThreadPool(const ThreadPool &) = delete;
    ThreadPool & operator=(const ThreadPool &) = delete;

    /// Makes the pool and gives it to the context. Where the CPU backend offers none, the context stays as it is.
    void attach(llama_context * ctx, int32_t n_threads);

    /// After the context was freed.
    void free();

    /// Leaves the pool and its threads to the process.
    void abandon() { pool = nullptr; }

private:
    const Api & api;
    ggml_threadpool_t pool = nullptr;
    decltype(&::ggml_threadpool_free) free_pool = nullptr;
};

} // namespace z1
