// A llama_context and the one thread that touches it. The thread runs every generation of the context, batched together,
// one llama_decode after the other; the rest of the program puts commands in its inbox and gets events from it.
#pragma once

#include "engine/events.h"
#include "engine/generation.h"
#include "engine/model.h"
#include "engine/process-exit.h"
#include "engine/request.h"
#include "engine/sequence.h"
#include "engine/thread-pool.h"
#include "llama/engine-call.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace z1 {

struct ContextParams {
    uint32_t n_ctx = 0;     // tokens of one request, prompt included
    uint32_t n_seq_max = 1; // requests that run at once
    uint32_t n_ubatch = 512;
    int32_t n_threads = 1;
    int32_t n_threads_batch = 1;
};

class Context {
public:
    /// Runs on the context's thread, once: the error is null when the llama_context exists.
    using OnReady = std::function<void(std::exception_ptr)>;
    /// Runs on the context's thread as the last thing it does, after everything is freed.
    using OnClosed = std::function<void()>;

    Context(std::shared_ptr<Model> model, const ContextParams & params, std::shared_ptr<EventSink> sink, OnReady on_ready,
            OnClosed on_closed);

    /// Closes and joins.
    ~Context();

    const ContextParams & params() const { return params_; }

    /// The following may be called from any thread and return at once; the answer comes as an event.

    /// Throws DISPOSED after close(), CONTEXT_TOO_SMALL when the prompt leaves no room for a token.
    void start(Request request);

    void end_thinking(uint32_t id) { command(Command::end_thinking, id); }
    void stop(uint32_t id) { command(Command::stop, id); }

    /// Ends with ErrorCode::ABORTED. When no other generation takes part in the llama_decode that runs now, that call is
    /// ended too (CPU only, llama.h ggml_abort_callback).
    void abort(uint32_t id);

    /// The thread ends after the current step; running generations end with ErrorCode::DISPOSED.
    void close();

    /// Waits for the thread. Not from the thread itself.
    void join();

private:
    enum class Command { start, end_thinking, stop, abort };

    struct Letter {
        Command command;
        uint32_t id;
        Request request;
        Generation::Clock::time_point arrival;
    };

    // One generation's part of a batch: n tokens from batch index `first` on.
    struct Share {
        Generation * generation;
        int32_t first;
        size_t n;
        bool samples;
    };

    using Generations = std::list<std::unique_ptr<Generation>>;

    void command(Command command, uint32_t id);
    void run();
    void make_llama_context();
    bool read_inbox();
    void obey(Letter & letter);
    void admit();
    Sequence & best_sequence(const Generation & generation);
    void step();
    void plan();
    void add(Generation & generation, std::span<const llama_token> tokens);
    void decode(const EngineCall & call);
    void decode_failed(int32_t status, const std::string & reason);
    void tell();

    std::shared_ptr<Model> model_;
    const Api & api;
    ContextParams params_;
    std::shared_ptr<EventSink> sink;
    OnReady on_ready;
    OnClosed on_closed;

    // Shared between threads, under `mutex` but for the atomics.
    std::mutex mutex;
    std::condition_variable letter_came;
    std::deque<Letter> inbox;
    std::vector<uint32_t> decoding; // ids in the llama_decode that runs now
    std::atomic<size_t> survivors { 1 }; // of `decoding`, those not aborted
    std::atomic<bool> closing { false };

    // The thread's own. The llama_context uses the pool until it is freed.
    ThreadPool thread_pool;
    std::unique_ptr<llama_context, decltype(&::llama_free)> ctx;
    std::string broken; // why no llama_decode may be called any more; empty while all is well
    std::list<Sequence> free_sequences;
    std::list<Sequence> used_sequences;
    Generations generations; // in order of arrival; those without a sequence wait for one
    std::vector<Share> shares;
    std::vector<llama_token> batch_tokens;
    std::vector<llama_pos> batch_pos;
    std::vector<int32_t> batch_n_seq_id;
    std::vector<llama_seq_id> batch_seq_id;
    std::vector<llama_seq_id *> batch_seq_id_ptrs;
    std::vector<int8_t> batch_logits;

    std::mutex join_mutex;
    process_exit::Registration registration;
    std::thread thread;
};

} // namespace z1
