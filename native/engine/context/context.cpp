#include "engine/context/context.h"

#include "error.h"

#include <algorithm>

namespace z1 {

Context::Context(std::shared_ptr<Model> model, const ContextParams & params, std::shared_ptr<EventSink> sink,
                 OnReady on_ready, OnClosed on_closed)
    : model_(std::move(model)), api(model_->api()), params_(params), sink(std::move(sink)),
      on_ready(std::move(on_ready)), on_closed(std::move(on_closed)), thread_pool(api), ctx(nullptr, api.llama_free),
      registration(process_exit::Registration::Order::context,
                   [this] {
                       close();
                       join();
                   }),
      thread([this] { run(); }) {}

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
    std::lock_guard lock(mutex);
    if (closing) {
        throw Error(ErrorCode::DISPOSED, "The model was disposed");
    }
    inbox.push_back(StartMessage { std::move(request), Generation::Clock::now() });
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
    const auto found = std::find(decoding.begin(), decoding.end(), id);
    if (found != decoding.end()) {
        decoding.erase(found);
        --n_not_aborted;
    }
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
    } catch (...) {
        failed = std::current_exception();
        closing = true;
    }
    on_ready(failed);

    while (read_inbox()) {
        admit();
        step();
        publish();
    }

    for (const auto & generation : generations) {
        generation->fail(ErrorCode::DISPOSED, "The model was disposed");
    }
    publish();
    if (fatal_error.empty()) {
        ctx.reset();
        thread_pool.free();
    } else {
        // ggml's workers wait for ever for a thread that left by an exception, and may still read weights: joining them
        // would never return. What they use is left to the process.
        (void) ctx.release();
        thread_pool.abandon();
        (void) new std::shared_ptr<Model>(model_);
    }
    model_.reset();
    on_closed();
}

void Context::make_llama_context() {
    EngineCall call;
    llama_context_params params = api.llama_context_default_params();
    params.n_ctx = params_.n_ctx * params_.n_seq_max;
    params.n_batch = params.n_ctx; // a hint goes into one llama_decode, however long it is
    params.n_ubatch = params_.n_ubatch;
    params.n_seq_max = params_.n_seq_max;
    params.n_outputs_max = static_cast<uint32_t>(max_outputs(params_.n_seq_max));
    params.n_threads = params_.n_threads;
    params.n_threads_batch = params_.n_threads_batch;
    // One pool of cells: a step's tokens go through the model together. A single sequence has that anyway, and with the
    // flag set llama_batch_allocr::init compares all pairs of 256 sequences in each decode.
    params.kv_unified = params_.n_seq_max > 1;
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
        throw Error(call.ran_out_of_memory() ? ErrorCode::OUT_OF_MEMORY : ErrorCode::MODEL_INVALID,
                    "Cannot make a context of " + std::to_string(params_.n_seq_max) + " × " +
                        std::to_string(params_.n_ctx) + " tokens: " + (reason.empty() ? "unknown reason" : reason));
    }
    params_.n_ubatch = api.llama_n_ubatch(ctx.get());
    thread_pool.attach(ctx.get(), std::max(params_.n_threads, params_.n_threads_batch));
    sequences.emplace(api, api.llama_get_memory(ctx.get()), params_.n_seq_max, params.kv_unified);
}

// Waits for a message when nothing runs. False when the thread shall end.
bool Context::read_inbox() {
    std::deque<Message> messages;
    bool closes; // read with the messages: none comes after it
    {
        std::unique_lock lock(mutex);
        inbox_changed.wait(lock, [&] { return closing || !inbox.empty() || !generations.empty(); });
        messages.swap(inbox);
        closes = closing;
    }
    if (closes) {
        // Requests that never ran end like those that did.
        for (const Message & message : messages) {
            if (const auto * start = std::get_if<StartMessage>(&message)) {
                sink->post({ { start->request.id, ErrorEvent { ErrorCode::DISPOSED, "The model was disposed" } } });
            }
        }
        return false;
    }
    for (Message & message : messages) {
        std::visit([this](auto & one) { handle(one); }, message);
    }
    return true;
}

void Context::handle(StartMessage & message) {
    const uint32_t id = message.request.id;
    try {
        if (!fatal_error.empty()) {
            throw Error(ErrorCode::DECODE_FAILED, fatal_error);
        }
        generations.push_back(std::make_unique<Generation>(*model_, std::move(message.request),
                                                           static_cast<int32_t>(params_.n_ctx), message.arrival));
    } catch (const std::exception & reason) {
        sink->post({ { id, ErrorEvent { ErrorCode::DECODE_FAILED, reason.what() } } });
    }
}

void Context::handle(EndThinkingMessage & message) {
    if (Generation * generation = find(message.id)) {
        generation->end_thinking();
    }
}

void Context::handle(StopMessage & message) {
    if (Generation * generation = find(message.id)) {
        generation->stop();
    }
}

void Context::handle(AbortMessage & message) {
    if (Generation * generation = find(message.id)) {
        generation->fail(ErrorCode::ABORTED, "The generation was aborted");
    }
}

// Null when it has ended meanwhile.
Generation * Context::find(uint32_t id) {
    const auto found =
        std::find_if(generations.begin(), generations.end(), [&](const auto & one) { return one->id() == id; });
    return found == generations.end() ? nullptr : found->get();
}

void Context::admit() {
    for (const auto & generation : generations) {
        if (generation->started() || generation->done()) {
            continue;
        }
        Sequence * sequence = sequences->best_for(generation->prompt(), generation->caches_prompt());
        if (!sequence) {
            return;
        }
        sequences->take(*sequence);
        generation->start(*sequence);
    }
}

void Context::step() {
    EngineCall call;
    try {
        plan();
        if (!plan_.entries.empty()) {
            decode(call);
        }
    } catch (const std::exception & reason) {
        // An assertion half-way through a decode: nothing that the llama_context holds can be trusted any more.
        fatal_error = std::string("llama.cpp failed, and the model must be loaded again: ") + reason.what();
        for (const auto & generation : generations) {
            generation->fail(ErrorCode::DECODE_FAILED, fatal_error);
        }
    }
}

// Asks every generation what it has to decode, and makes the step's batch of it.
void Context::plan() {
    running.clear();
    demands.clear();
    for (const auto & generation : generations) {
        if (generation->started() && !generation->done()) {
            generation->begin_step();
        }
        if (generation->started() && !generation->done()) {
            running.push_back(generation.get());
            demands.push_back(
                { generation->reads_prompt(), generation->next_tokens().size(), generation->n_outputs() });
        }
    }
    plan_step(demands, params_.n_ubatch, plan_);

    batch.clear();
    for (const BatchEntry & entry : plan_.entries) {
        const Generation & generation = *running[entry.generation];
        const Sequence & sequence = generation.target();
        batch.add(generation.next_tokens().first(entry.n_tokens), sequence.size(), sequence.seq_ids(), entry.n_outputs);
    }

    if (plan_.starved) {
        // More wait than a step has room for: who was served now comes last the next time.
        for (const BatchEntry & entry : plan_.entries) {
            const auto served = std::find_if(generations.begin(), generations.end(),
                                             [&](const auto & one) { return one.get() == running[entry.generation]; });
            generations.splice(generations.end(), generations, served);
        }
    }
}

void Context::decode(const EngineCall & call) {
    {
        std::lock_guard lock(mutex);
        decoding.clear();
        for (const BatchEntry & entry : plan_.entries) {
            decoding.push_back(running[entry.generation]->id());
        }
        n_not_aborted = decoding.size();
    }
    const int32_t status = api.llama_decode(ctx.get(), batch.get());
    {
        std::lock_guard lock(mutex);
        decoding.clear();
        n_not_aborted = 1;
    }

    if (status != 0) {
        decode_failed(status, call.reason());
        return;
    }
    for (const BatchEntry & entry : plan_.entries) {
        running[entry.generation]->decoded(entry.n_tokens);
    }
    int32_t end = 0; // batch index after the entry's last token
    for (const BatchEntry & entry : plan_.entries) {
        end += static_cast<int32_t>(entry.n_tokens);
        if (entry.n_outputs > 0) {
            try {
                running[entry.generation]->sample(ctx.get(), end - 1);
            } catch (const Error & error) {
                running[entry.generation]->fail(error.code, error.what());
            }
        }
    }
}

// The only reader of llama_decode's other results (llama.h, llama_decode).
void Context::decode_failed(int32_t status, const std::string & reason) {
    for (const BatchEntry & entry : plan_.entries) {
        Generation & generation = *running[entry.generation];
        generation.target().repair();
        if (status == 1) {
            generation.fail(ErrorCode::DECODE_FAILED, "The KV cache has no room for the batch");
        } else if (status != 2) {
            generation.fail(ErrorCode::DECODE_FAILED,
                            "llama_decode returned " + std::to_string(status) + (reason.empty() ? "" : ": " + reason));
        }
        // 2: every generation in it was aborted, or the context is closing. Their messages are still in the inbox.
    }
}

// Hands the step's events to the sink, all at once, and lets go of the generations that ended.
void Context::publish() {
    std::vector<Event> events;
    for (auto at = generations.begin(); at != generations.end();) {
        Generation & generation = **at;
        for (Event & event : generation.take_events()) {
            events.push_back(std::move(event));
        }
        if (!generation.done()) {
            ++at;
            continue;
        }
        if (generation.started()) {
            sequences->give_back(generation.target());
        }
        at = generations.erase(at);
    }
    if (!events.empty()) {
        sink->post(std::move(events));
    }
}

} // namespace z1
