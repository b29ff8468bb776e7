// What a sequence holds, as bytes that outlive the context, and back.
#include "engine/context/context.h"

#include "error.h"

namespace z1 {

namespace {

// Of what is thrown where it is called.
std::exception_ptr as_error() {
    try {
        throw;
    } catch (const Error &) {
        return std::current_exception();
    } catch (const std::bad_alloc &) {
        return std::make_exception_ptr(Error(ErrorCode::OUT_OF_MEMORY, "Out of memory"));
    } catch (const std::exception & reason) {
        return std::make_exception_ptr(Error(ErrorCode::DECODE_FAILED, reason.what()));
    }
}

} // namespace

void Context::save_state(SaveStateMessage::Reply reply) {
    send_checked(SaveStateMessage { std::move(reply) });
}

void Context::load_state(std::shared_ptr<const StateBytes> bytes, LoadStateMessage::Reply reply) {
    send_checked(LoadStateMessage { std::move(bytes), std::move(reply) });
}

// Of those that are answered.
void Context::refuse(Message & message, const std::exception_ptr & error) noexcept {
    if (auto * save = std::get_if<SaveStateMessage>(&message)) {
        insist([&] { save->reply(error, nullptr); });
    } else if (auto * load = std::get_if<LoadStateMessage>(&message)) {
        insist([&] { load->reply(error); });
    }
}

StateShape Context::state_shape() const {
    const ModelMetadata & metadata = model_->metadata();
    const bool shares = params_.shares_cells || n_sequences() == 1;
    const enum llama_rope_type rope = api.llama_model_rope_type(model_->get());
    const bool has_ext =
        rope == LLAMA_ROPE_TYPE_MROPE || rope == LLAMA_ROPE_TYPE_IMROPE; // llama_kv_cache::has_cell_ext
    return { metadata.recurrent,         metadata.hybrid, sequences->of().n_swa,
             shares ? 1 : n_sequences(), params_.n_ctx,   static_cast<uint32_t>(metadata.n_vocab),
             has_ext ? size_t(12) : 0 };
}

void Context::handle(SaveStateMessage & message) {
    std::shared_ptr<StateBytes> bytes;
    std::exception_ptr error;
    try {
        if (!fatal_error.empty()) {
            throw Error(ErrorCode::DECODE_FAILED, fatal_error);
        }
        const SavedSequence saved = sequences->save();
        if (!saved.state) {
            throw Error(ErrorCode::STATE_EMPTY, "No prompt has been decoded that could be saved");
        }
        bytes = std::make_shared<StateBytes>(pack_state(saved, state_shape()));
    } catch (...) {
        error = as_error();
    }
    insist([&] { message.reply(error, bytes); });
}

void Context::handle(LoadStateMessage & message) {
    try {
        if (!fatal_error.empty()) {
            throw Error(ErrorCode::DECODE_FAILED, fatal_error);
        }
        loading.push_back({ unpack_state(*message.bytes, state_shape()), message.reply });
    } catch (...) {
        const std::exception_ptr error = as_error();
        insist([&] { message.reply(error); });
    }
}

// As far as there are free sequences.
void Context::load_states() {
    while (!loading.empty()) {
        std::exception_ptr error;
        try {
            if (!fatal_error.empty()) {
                throw Error(ErrorCode::DECODE_FAILED, fatal_error);
            }
            if (!sequences->load(loading.front().saved)) {
                return;
            }
        } catch (...) {
            error = as_error();
        }
        insist([&] { loading.front().reply(error); });
        loading.pop_front();
    }
}

} // namespace z1
