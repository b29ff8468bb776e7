#include "engine/context/context.h"

#include "engine/condition.h"
#include "error.h"

#include <algorithm>

namespace z1 {

namespace {

template <class Function>
std::thread start_thread(Function function) {
    try {
        return std::thread(std::move(function));
    } catch (const std::system_error & error) {
        throw Error(ErrorCode::THREAD_FAILED, std::string("A thread could not be started: ") + error.what());
    }
}

} // namespace

Context::Context(std::shared_ptr<Model> model, const ContextParams & params, std::shared_ptr<EventSink> sink,
                 OnReady on_ready, OnClosed on_closed)
    : model_(std::move(model)), api(model_->api()), params_(params), sink(std::move(sink)),
      on_ready(std::move(on_ready)), on_closed(std::move(on_closed)), thread_pool(api), ctx(nullptr, api.llama_free),
      registration(process_exit::Registration::Order::context,
                   [this] {
                       close();
                       join();
                   }),
      thread(start_thread([this] { run(); })) {}

Context::~Context() {
    close();
    join();
}

void Context::start(Request request) {
    if (request.prompt.empty() || request.prompt.size() >= params_.n_ctx) {
        throw Error(ErrorCode::CONTEXT_TOO_SMALL, "A prompt of " + std::to_string(request.prompt.size()) +
                                                      " tokens does not fit a context of " +
                                                      std::to_string(params_.n_ctx));
    }
    if ((!request.cuts.empty() || request.early_probe) && !request.hint.empty() && params_.n_branches == 0) {
        throw Error(ErrorCode::CONTEXT_TOO_SMALL, "A request with cuts or probes needs a sequence for its branches");
    }
    if (request.speculation && (model_->metadata().recurrent || model_->metadata().hybrid)) {
        throw Error(ErrorCode::MODEL_UNSUPPORTED, "A recurrent state cannot take back a draft");
    }
    send_checked(StartMessage { std::move(request), Generation::Clock::now() });
}

// A message that is answered.
void Context::send_checked(Message message) {
    std::lock_guard lock(mutex);
    if (closing) {
        throw Error(ErrorCode::DISPOSED, "The model was disposed");
    }
    inbox.push_back(std::move(message));
    inbox_changed.notify_one();
}

void Context::send(Message message) {
    std::lock_guard lock(mutex);
    inbox.push_back(std::move(message));
    inbox_changed.notify_one();
}

void Context::abort(uint32_t id) {
    send(AbortMessage { id });
    std::lock_guard lock(mutex);
    n_not_aborted -= std::erase(decoding, id); // with its branches
}

void Context::close() {
    std::lock_guard lock(mutex);
    closing = true;
    inbox_changed.notify_one();
}

void Context::join() {
    std::lock_guard lock(join_mutex);
    if (thread.joinable()) {
        thread.join();
    }
}

void Context::run() {
    std::exception_ptr failed;
    try {
        make_llama_context();
    } catch (const EngineAssert & reason) {
        // ggml asserts that its workers start (ggml-cpu.c, ggml_threadpool_new_impl), and little else before a decode.
        failed = std::make_exception_ptr(
            Error(ErrorCode::THREAD_FAILED, std::string("llama.cpp could not start its threads: ") + reason.what()));
        closing = true;
    } catch (...) {
        failed = std::current_exception();
        closing = true;
    }
    insist([&] { on_ready(failed); });

    while (turn()) {}

    for (const auto & generation : generations) {
        end(*generation, ErrorCode::DISPOSED, "The model was disposed");
    }
    const auto disposed = std::make_exception_ptr(Error(ErrorCode::DISPOSED, "The model was disposed"));
    for (const LoadingState & one : loading) {
        insist([&] { one.reply(disposed); });
    }
    insist([&] { publish(); });
    if (fatal_error.empty()) {
        ctx.reset();
        thread_pool.free();
    } else {
        // ggml's workers wait for ever for a thread that left by an exception, and may still read weights: joining them
        // would never return. What they use is left to the process.
        (void) ctx.release();
        thread_pool.abandon();
        insist([&] { (void) new std::shared_ptr<Model>(model_); });
    }
    model_.reset();
    insist([&] { on_closed(); });
}

// One turn of the thread; false when it shall end. Nothing that is thrown in it ends the process.
bool Context::turn() {
    EngineCall call;
    try {
        if (!read_inbox()) {
            return false;
        }
        admit();
        step(call);
    } catch (const std::bad_alloc &) {
        out_of_memory();
    } catch (const std::exception & reason) {
        // An assertion half-way through a decode: nothing that the llama_context holds can be trusted any more.
        break_down(reason.what());
    }
    insist([&] { publish(); });
    return true;
}

// Does what the rest of the program waits for, when memory comes back if there is none now.
void Context::insist(const std::function<void()> & action) noexcept {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        try {
            action();
            return;
        } catch (...) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
}

void Context::end(Generation & generation, ErrorCode code, const char * message) noexcept {
    try {
        generation.head().fail(code, message);
    } catch (...) {
        generation.head().abandon(code);
    }
}

// Which of the generations the memory was for is not known. What was decoded of one, and not noted, is removed.
void Context::out_of_memory() noexcept {
    forget_decoding();
    for (const auto & generation : generations) {
        generation->abandon(ErrorCode::OUT_OF_MEMORY);
        if (generation->started()) {
            generation->target().repair();
        }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void Context::break_down(const char * reason) noexcept {
    try {
        fatal_error = std::string("llama.cpp failed, and the model must be loaded again: ") + reason;
    } catch (...) {
        fatal_error = "engine failed"; // short enough to need no memory
    }
    for (const auto & generation : generations) {
        end(*generation, ErrorCode::DECODE_FAILED, fatal_error.c_str());
    }
}

void Context::make_llama_context() {
    EngineCall call;
    llama_context_params params = api.llama_context_default_params();
    params.n_ctx = params_.n_ctx * n_sequences();
    params.n_batch = params.n_ctx; // a hint goes into one llama_decode, however long it is
    params.n_ubatch = params_.n_ubatch;
    params.n_seq_max = n_sequences();
    params.n_outputs_max = static_cast<uint32_t>(max_outputs(n_sequences()));
    params.n_threads = params_.n_threads;
    params.n_threads_batch = params_.n_threads_batch;
    // A single sequence shares with nobody, and with the flag set llama_batch_allocr::init compares all pairs of 256
    // sequences in each decode.
    params.kv_unified = params_.shares_cells && n_sequences() > 1;
    params.type_k = params_.type_k;
    params.type_v = params_.type_v;
    params.flash_attn_type = params_.flash_attn_type;
    params.no_perf = true;
    params.abort_callback = [](void * self) {
        const Context * context = static_cast<Context *>(self);
        return context->closing.load(std::memory_order_relaxed) ||
               context->n_not_aborted.load(std::memory_order_relaxed) == 0;
    };
    params.abort_callback_data = this;

    ctx.reset(api.llama_init_from_model(model_->get(), params));
    if (!ctx) {
        const std::string reason = call.reason();
        // Of types of the cache llama.cpp refuses some for some architectures (llama-context.cpp, llama_init_from_model).
        const bool is_cache = reason.find("cache") != std::string::npos;
        throw Error(call.ran_out_of_memory() ? ErrorCode::OUT_OF_MEMORY
                    : is_cache               ? ErrorCode::MODEL_UNSUPPORTED
                                             : ErrorCode::MODEL_INVALID,
                    "Cannot make a context of " + std::to_string(n_sequences()) + " × " +
                        std::to_string(params_.n_ctx) + " tokens: " + (reason.empty() ? "unknown reason" : reason));
    }
    if (!model_->adapters().handles.empty()) {
        Adapters adapters = model_->adapters(); // the arrays are not taken as const
        api.llama_set_adapters_lora(ctx.get(), adapters.handles.data(), adapters.handles.size(),
                                    adapters.scales.data());
    }
    params_.n_ubatch = api.llama_n_ubatch(ctx.get());
    n_threads = std::max(params_.n_threads, params_.n_threads_batch);
    thread_pool.attach(ctx.get(), n_threads);
    if (params_.adapts) {
        thread_count.emplace(n_threads, now());
    }
    const bool recurrent = model_->metadata().recurrent;
    sequences.emplace(api, ctx.get(),
                      SequencePool::Shape { params_.n_seq_max, params_.n_branches, params.kv_unified || recurrent,
                                            !params.kv_unified || recurrent, !recurrent && !model_->metadata().hybrid,
                                            api.llama_model_n_swa(model_->get()), params_.cache_ram });
}

// Waits for a message when nothing runs. False when the thread shall end. What is thrown in it loses no message: the one
// that was being handled and those after it are still in `messages`.
bool Context::read_inbox() {
    if (messages.empty()) {
        std::unique_lock lock(mutex);
        const auto has_work = [&] {
            return closing || !inbox.empty() || !generations.empty() || !unposted.empty() || !loading.empty();
        };
        wait_on(inbox_changed, lock, has_work);
        messages.swap(inbox);
        closes = closing; // read with the messages: none comes after it
    }
    for (; !messages.empty(); messages.pop_front()) {
        Message & message = messages.front();
        const auto * start = std::get_if<StartMessage>(&message);
        if (closes && start) {
            // Requests that never ran end like those that did.
            refuse(start->request.id, ErrorCode::DISPOSED, "The model was disposed");
        } else if (closes) {
            refuse(message, std::make_exception_ptr(Error(ErrorCode::DISPOSED, "The model was disposed")));
        } else {
            std::visit([&](auto & one) { handle(one); }, message);
        }
    }
    return !closes;
}

void Context::handle(StartMessage & message) {
    const uint32_t id = message.request.id;
    try {
        if (!fatal_error.empty()) {
            throw Error(ErrorCode::DECODE_FAILED, fatal_error);
        }
        generations.push_back(std::make_unique<Generation>(*model_, std::move(message.request),
                                                           static_cast<int32_t>(params_.n_ctx), message.arrival));
        join_group(*generations.back());
    } catch (const std::bad_alloc &) {
        messages.front() = RefusedMessage { id };
        throw;
    } catch (const Error & error) {
        refuse(id, error.code, error.what());
    } catch (const std::exception & reason) {
        refuse(id, ErrorCode::DECODE_FAILED, reason.what());
    }
}

// Those of its group that are still here have the same prompt.
void Context::join_group(Generation & generation) {
    if (generation.group() == 0) {
        return;
    }
    for (const auto & other : generations) {
        if (other.get() != &generation && other->shared_prompt() && other->group() == generation.group() &&
            other->prompt() == generation.prompt()) {
            generation.share(other->shared_prompt());
            return;
        }
    }
    generation.share(std::make_shared<SharedPrompt>());
}

void Context::handle(RefusedMessage & message) {
    refuse(message.id, ErrorCode::OUT_OF_MEMORY, "Out of memory");
}

// The end of a request that never became a generation.
void Context::refuse(uint32_t id, ErrorCode code, const char * message) {
    std::string text = message; // before an event is there that would be without one
    Event & event = unposted.emplace_back(Event { id, {} });
    event.what = ErrorEvent { code, std::move(text) };
}

void Context::handle(EndThinkingMessage & message) {
    if (Generation * generation = find(message.id)) {
        generation->end_thinking();
    }
}

void Context::handle(StopMessage & message) {
    for (const auto & generation : generations) {
        if (generation->id() == message.id) {
            generation->stop(); // each branch, too
        }
    }
}

void Context::handle(AbortMessage & message) {
    if (Generation * generation = find(message.id)) {
        generation->fail(ErrorCode::ABORTED, "The generation was aborted");
    }
}

// The generation that was asked for, no branch. Null when it has ended meanwhile.
Generation * Context::find(uint32_t id) {
    const auto found = std::find_if(generations.begin(), generations.end(),
                                    [&](const auto & one) { return one->id() == id && !one->trunk(); });
    return found == generations.end() ? nullptr : found->get();
}

} // namespace z1
