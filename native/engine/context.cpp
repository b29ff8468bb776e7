#include "engine/context.h"

#include "error.h"
#include "llama/engine-call.h"

#include <algorithm>

namespace z1 {

namespace {

// Prompt tokens in a step in which another generation waits for its next token. On a CPU a full batch of prompt tokens
// takes as long as dozens of single ones: streams would stutter.
constexpr size_t shared_prompt_chunk = 128;

} // namespace

Context::Context(std::shared_ptr<Model> model, const ContextParams & params, std::shared_ptr<EventSink> sink,
                 OnReady on_ready, OnClosed on_closed)
    : model_(std::move(model)), api(model_->api()), params_(params), sink(std::move(sink)), on_ready(std::move(on_ready)),
      on_closed(std::move(on_closed)), thread_pool(api), ctx(nullptr, api.llama_free),
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
                                                      " tokens does not fit a context of " + std::to_string(params_.n_ctx));
    }
    const uint32_t id = request.id;
    std::lock_guard lock(mutex);
    if (closing) {
        throw Error(ErrorCode::DISPOSED, "The model was disposed");
    }
    inbox.push_back({ Command::start, id, std::move(request), Generation::Clock::now() });
    letter_came.notify_one();
}

void Context::command(Command command, uint32_t id) {
    std::lock_guard lock(mutex);
    inbox.push_back({ command, id, {}, Generation::Clock::now() });
    letter_came.notify_one();
}

void Context::abort(uint32_t id) {
    command(Command::abort, id);
    std::lock_guard lock(mutex);
    const auto found = std::find(decoding.begin(), decoding.end(), id);
    if (found != decoding.end()) {
        decoding.erase(found);
        --survivors;
    }
}

void Context::close() {
    std::lock_guard lock(mutex);
    closing = true;
    letter_came.notify_one();
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
        tell();
    }

    for (const auto & generation : generations) {
        generation->fail(ErrorCode::DISPOSED, "The model was disposed");
    }
    tell();
    if (broken.empty()) {
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
    params.n_outputs_max = params_.n_seq_max; // one row of logits for each request, not for each token of a batch
    params.n_threads = params_.n_threads;
    params.n_threads_batch = params_.n_threads_batch;
    // One pool of cells: a step's tokens go through the model together. A single sequence has that anyway, and with the
    // flag set llama_batch_allocr::init compares all pairs of 256 sequences in each decode.
    params.kv_unified = params_.n_seq_max > 1;
    params.no_perf = true;
    params.abort_callback = [](void * self) {
        const Context * context = static_cast<Context *>(self);
        return context->closing.load(std::memory_order_relaxed) || context->survivors.load(std::memory_order_relaxed) == 0;
    };
    params.abort_callback_data = this;

    ctx.reset(api.llama_init_from_model(model_->get(), params));
    if (!ctx) {
        const std::string reason = call.reason();
        throw Error(call.ran_out_of_memory() ? ErrorCode::OUT_OF_MEMORY : ErrorCode::MODEL_INVALID,
                    "Cannot make a context of " + std::to_string(params_.n_seq_max) + " × " + std::to_string(params_.n_ctx) +
                        " tokens: " + (reason.empty() ? "unknown reason" : reason));
    }
    params_.n_ubatch = api.llama_n_ubatch(ctx.get());
    thread_pool.attach(ctx.get(), std::max(params_.n_threads, params_.n_threads_batch));
    for (uint32_t id = 0; id < params_.n_seq_max; ++id) {
        free_sequences.emplace_back(api, api.llama_get_memory(ctx.get()), static_cast<llama_seq_id>(id));
    }
}

// Waits for a letter when nothing runs. False when the thread shall end.
bool Context::read_inbox() {
    std::deque<Letter> letters;
    bool closes; // read with the letters: none comes after it
    {
        std::unique_lock lock(mutex);
        letter_came.wait(lock, [&] { return closing || !inbox.empty() || !generations.empty(); });
        letters.swap(inbox);
        closes = closing;
    }
    if (closes) {
        // Requests that never ran end like those that did.
        for (Letter & letter : letters) {
            if (letter.command == Command::start) {
                sink->post({ { letter.id, ErrorEvent { ErrorCode::DISPOSED, "The model was disposed" } } });
            }
        }
        return false;
    }
    for (Letter & letter : letters) {
        obey(letter);
    }
    return true;
}

void Context::obey(Letter & letter) {
    if (letter.command == Command::start) {
        try {
            if (!broken.empty()) {
                throw Error(ErrorCode::DECODE_FAILED, broken);
            }
            generations.push_back(std::make_unique<Generation>(*model_, std::move(letter.request),
                                                               static_cast<int32_t>(params_.n_ctx), letter.arrival));
        } catch (const std::exception & reason) {
            sink->post({ { letter.id, ErrorEvent { ErrorCode::DECODE_FAILED, reason.what() } } });
        }
        return;
    }
    const auto found = std::find_if(generations.begin(), generations.end(),
                                    [&](const auto & generation) { return generation->id() == letter.id; });
    if (found == generations.end()) {
        return; // it ended meanwhile
    }
    switch (letter.command) {
        case Command::end_thinking: (*found)->end_thinking(); break;
        case Command::stop:         (*found)->stop(); break;
        case Command::abort:        (*found)->fail(ErrorCode::ABORTED, "The generation was aborted"); break;
        case Command::start:        break;
    }
}

void Context::admit() {
    for (const auto & generation : generations) {
        if (free_sequences.empty()) {
            return;
        }
        if (!generation->started() && !generation->done()) {
            Sequence & sequence = best_sequence(*generation);
            const auto position = std::find_if(free_sequences.begin(), free_sequences.end(),
                                               [&](const Sequence & one) { return &one == &sequence; });
            used_sequences.splice(used_sequences.end(), free_sequences, position);
            generation->start(sequence);
        }
    }
}

// The one that holds most of the prompt; of those that hold nothing of it, the one that holds least at all, so that a
// long conversation is not thrown out for a short question.
Sequence & Context::best_sequence(const Generation & generation) {
    return *std::max_element(free_sequences.begin(), free_sequences.end(), [&](const Sequence & a, const Sequence & b) {
        const size_t in_a = generation.caches_prompt() ? a.reusable(generation.prompt()) : 0;
        const size_t in_b = generation.caches_prompt() ? b.reusable(generation.prompt()) : 0;
        return in_a != in_b ? in_a < in_b : a.size() > b.size();
    });
}

void Context::step() {
    EngineCall call;
    try {
        plan();
        if (!shares.empty()) {
            decode(call);
        }
    } catch (const std::exception & reason) {
        // An assertion half-way through a decode: nothing that the llama_context holds can be trusted any more.
        broken = std::string("llama.cpp failed, and the model must be loaded again: ") + reason.what();
        for (const auto & generation : generations) {
            generation->fail(ErrorCode::DECODE_FAILED, broken);
        }
    }
}

// Next tokens and hints first, then prompts: at most n_ubatch tokens, so that a step is one pass through the model; a
// hint alone may be longer.
void Context::plan() {
    shares.clear();
    batch_tokens.clear();
    batch_pos.clear();
    batch_seq_id.clear();
    batch_logits.clear();

    bool streaming = false;
    bool starved = false;
    bool reading = false; // a prompt is read in this step, and room for a token of it is left
    for (const auto & generation : generations) {
        if (!generation->started() || generation->done()) {
            continue;
        }
        const size_t n_taken = batch_tokens.size() + reading;
        if (generation->reads_prompt()) {
            if (n_taken < params_.n_ubatch) {
                reading = true;
            } else if (!reading) {
                starved = true;
            }
            continue;
        }
        streaming = true;
        const std::span<const llama_token> tokens = generation->next(0);
        if (generation->done()) {
            continue;
        }
        if (n_taken == 0 || n_taken + tokens.size() <= params_.n_ubatch) {
            add(*generation, tokens);
        } else {
            starved = true;
        }
    }

    const size_t most = streaming ? std::min<size_t>(params_.n_ubatch, shared_prompt_chunk) : params_.n_ubatch;
    size_t budget = std::min(most, params_.n_ubatch - std::min<size_t>(params_.n_ubatch, batch_tokens.size()));
    for (const auto & generation : generations) {
        if (budget == 0) {
            break;
        }
        if (generation->started() && !generation->done() && generation->reads_prompt()) {
            const std::span<const llama_token> tokens = generation->next(budget);
            add(*generation, tokens);
            budget -= tokens.size();
        }
    }

    if (starved) {
        // More wait than a step has room for: who was served now comes last the next time.
        for (const Share & share : shares) {
            const auto served = std::find_if(generations.begin(), generations.end(),
                                             [&](const auto & one) { return one.get() == share.generation; });
            generations.splice(generations.end(), generations, served);
        }
    }
}

void Context::add(Generation & generation, std::span<const llama_token> tokens) {
    const bool samples = generation.samples_after(tokens.size());
    shares.push_back({ &generation, static_cast<int32_t>(batch_tokens.size()), tokens.size(), samples });
    llama_pos pos = generation.target().size();
    for (const llama_token token : tokens) {
        batch_tokens.push_back(token);
        batch_pos.push_back(pos++);
        batch_seq_id.push_back(generation.target().seq_id());
        batch_logits.push_back(0);
    }
    batch_logits.back() = samples;
}

void Context::decode(const EngineCall & call) {
    const size_t n_tokens = batch_tokens.size();
    batch_n_seq_id.assign(n_tokens, 1);
    batch_seq_id_ptrs.resize(n_tokens);
    for (size_t i = 0; i < n_tokens; ++i) {
        batch_seq_id_ptrs[i] = &batch_seq_id[i];
    }
    const llama_batch batch = { static_cast<int32_t>(n_tokens), batch_tokens.data(),      nullptr,
                                batch_pos.data(),               batch_n_seq_id.data(),    batch_seq_id_ptrs.data(),
                                batch_logits.data() };
    {
        std::lock_guard lock(mutex);
        decoding.clear();
        for (const Share & share : shares) {
            decoding.push_back(share.generation->id());
        }
        survivors = decoding.size();
    }
    const int32_t status = api.llama_decode(ctx.get(), batch);
    {
        std::lock_guard lock(mutex);
        decoding.clear();
        survivors = 1;
    }

    if (status != 0) {
        decode_failed(status, call.reason());
        return;
    }
    for (const Share & share : shares) {
        share.generation->decoded(share.n);
    }
    for (const Share & share : shares) {
        if (share.samples) {
            try {
                share.generation->sample(ctx.get(), share.first + static_cast<int32_t>(share.n) - 1);
            } catch (const Error & error) {
                share.generation->fail(error.code, error.what());
            }
        }
    }
}

// The only reader of llama_decode's other results (llama.h, llama_decode).
void Context::decode_failed(int32_t status, const std::string & reason) {
    for (const Share & share : shares) {
        share.generation->target().repair();
        if (status == 1) {
            share.generation->fail(ErrorCode::DECODE_FAILED, "The KV cache has no room for the batch");
        } else if (status != 2) {
            share.generation->fail(ErrorCode::DECODE_FAILED,
                                   "llama_decode returned " + std::to_string(status) + (reason.empty() ? "" : ": " + reason));
        }
        // 2: every generation in it was aborted, or the context is closing. Their letters are still in the inbox.
    }
}

// Hands the step's events over and lets go of the generations that ended.
void Context::tell() {
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
            const auto used = std::find_if(used_sequences.begin(), used_sequences.end(),
                                           [&](const Sequence & one) { return &one == &generation.target(); });
            free_sequences.splice(free_sequences.end(), used_sequences, used);
        }
        at = generations.erase(at);
    }
    if (!events.empty()) {
        sink->post(std::move(events));
    }
}

} // namespace z1
