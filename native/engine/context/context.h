// A llama_context and the one thread that touches it. The thread runs every generation of the context, batched together,
// one llama_decode after the other; the rest of the program puts messages in its inbox and gets events from it.
#pragma once

#include "engine/context/batch.h"
#include "engine/context/message.h"
#include "engine/context/scheduler.h"
#include "engine/context/sequence-pool.h"
#include "engine/context/thread-count.h"
#include "engine/context/thread-pool.h"
#include "engine/context/turns.h"
#include "engine/model/model.h"
#include "engine/process-exit.h"
#include "engine/request/events.h"
#include "engine/request/generation.h"
#include "engine/request/request.h"
#include "llama/engine-call.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace z1 {

struct ContextParams {
    uint32_t n_ctx = 0;      // tokens of one request, prompt included
    uint32_t n_seq_max = 1;  // requests that run at once
    uint32_t n_ubatch = 512; // tokens of one step; a hint alone may be longer
    int32_t n_threads = 1;
    int32_t n_threads_batch = 1;
    // To what is measured: fewer threads where others take the cores, and turns where they are faster. Both change the last bits of
    // logits, and with them now and then a token.
    bool adapts = false;
    uint32_t n_branches = 0;   // sequences for branches of requests
    bool shares_cells = false; // all sequences use one pool of cells (kv_unified); else each has its own
    enum ggml_type type_k = GGML_TYPE_F16;
    enum ggml_type type_v = GGML_TYPE_F16;
    enum llama_flash_attn_type flash_attn_type = LLAMA_FLASH_ATTN_TYPE_AUTO;
    size_t cache_ram = 0; // bytes for prompts that sequences held, and for checkpoints
};

class Context {
public:
    /// Runs on the context's thread, once: the error is null when the llama_context exists.
    using OnReady = std::function<void(std::exception_ptr)>;
    /// Runs on the context's thread as the last thing it does, after everything is freed.
    using OnClosed = std::function<void()>;

    Context(std::shared_ptr<Model> model, const ContextParams & params, std::shared_ptr<EventSink> sink,
            OnReady on_ready, OnClosed on_closed);

    /// Closes and joins.
    ~Context();

    const ContextParams & params() const { return params_; }

    /// The following may be called from any thread and return at once; the answer comes as an event.

    /// Throws DISPOSED after close(), CONTEXT_TOO_SMALL when the prompt leaves no room for a token, or there are no
    /// sequences for its branches.
    void start(Request request);

    void end_thinking(uint32_t id) { send(EndThinkingMessage { id }); }
    void stop(uint32_t id) { send(StopMessage { id }); }

    /// Ends with ErrorCode::ABORTED. When no other generation takes part in the llama_decode that runs now, that call is
    /// ended too (CPU only, llama.h ggml_abort_callback).
    void abort(uint32_t id);

    /// The replies come on the context's thread. Both throw DISPOSED after close().

    /// What the request that began last has decoded, prompt and response. STATE_EMPTY when there is none, MODEL_UNSUPPORTED.
    void save_state(SaveStateMessage::Reply reply);

    /// Makes it what a sequence holds, as soon as one is free. STATE_INVALID, CONTEXT_TOO_SMALL.
    void load_state(std::shared_ptr<const StateBytes> bytes, LoadStateMessage::Reply reply);

    /// The thread ends after the current step; running generations end with ErrorCode::DISPOSED.
    void close();

    /// Waits for the thread. Not from the thread itself.
    void join();

private:
    void send(Message message);
    void run();
    bool turn();
    static void insist(const std::function<void()> & action) noexcept;
    static void end(Generation & generation, ErrorCode code, const char * message) noexcept;
    uint32_t n_sequences() const { return params_.n_seq_max + params_.n_branches; }
    void out_of_memory() noexcept;
    void break_down(const char * reason) noexcept;
    void make_llama_context();
    bool read_inbox();
    void handle(StartMessage & message);
    void join_group(Generation & generation);
    void handle(RefusedMessage & message);
    void handle(EndThinkingMessage & message);
    void handle(StopMessage & message);
    void handle(AbortMessage & message);
    void handle(SaveStateMessage & message);
    void handle(LoadStateMessage & message);
    void load_states();
    StateShape state_shape() const;
    void refuse(uint32_t id, ErrorCode code, const char * message);
    static void refuse(Message & message, const std::exception_ptr & error) noexcept;
    void send_checked(Message message);
    Generation * find(uint32_t id);
    Generation * next_in_line();
    void admit();
    template <typename Action>
    static void attempt(Generation & generation, const Action & action);
    void step(const EngineCall & call);
    void place_branches();
    void plan();
    void set_threads();
    void decode(const EngineCall & call);
    void save_prompt(Generation & generation, int32_t output);
    void forget_decoding();
    void decode_failed(int32_t status, const std::string & reason);
    void settle_branches();
    void leave(Generation & generation);
    void publish();

    std::shared_ptr<Model> model_;
    const Api & api;
    ContextParams params_;
    std::shared_ptr<EventSink> sink;
    OnReady on_ready;
    OnClosed on_closed;

    // Shared between threads, under `mutex` but for the atomics.
    std::mutex mutex;
    std::condition_variable inbox_changed;
    std::deque<Message> inbox;
    std::vector<uint32_t> decoding;          // ids in the llama_decode that runs now
    std::atomic<size_t> n_not_aborted { 1 }; // of `decoding`
    std::atomic<bool> closing { false };

    // The thread's own. The llama_context uses the pool until it is freed.
    ThreadPool thread_pool;
    std::optional<ThreadCount> thread_count; // where it adapts
    int32_t n_threads = 1;                   // of the step that is made
    Turns turns;
    std::unique_ptr<llama_context, decltype(&::llama_free)> ctx;
    std::string fatal_error;      // why no llama_decode may be called any more; empty while all is well
    std::deque<Message> messages; // taken from the inbox and not handled yet
    bool closes = false;          // no message comes after them
    std::vector<Event> unposted;  // of generations that are gone, and of those that never were
    std::optional<SequencePool> sequences;
    // In order of turns, branches among them; those without a sequence wait for one.
    std::list<std::unique_ptr<Generation>> generations;
    // States that wait for a free sequence.
    struct LoadingState {
        SavedSequence saved;
        LoadStateMessage::Reply reply;
    };
    std::list<LoadingState> loading;

    // Of the step that is made. The entries of `plan_` are parts of `demands`, which are those of `running`.
    std::vector<Generation *> running;
    std::vector<Demand> demands;
    Plan plan_;
    bool may_take_turns = false; // nothing but sampled tokens is due
    Batch batch;

    std::mutex join_mutex;
    process_exit::Registration registration;
    std::thread thread;
};

} // namespace z1
