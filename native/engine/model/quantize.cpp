#include "engine/model/quantize.h"

#include "engine/model/gguf-header.h"
#include "error.h"
#include "llama/engine-call.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <system_error>

namespace z1 {

namespace {

struct Cancelled : std::runtime_error {
    Cancelled() : std::runtime_error("cancelled") {}
};

// llama.cpp's buffers for rows: those of a whole embedding matrix are larger than the model's other needs together.
constexpr size_t max_buf_size = 512u << 20;

std::filesystem::path path_of(const std::string & utf8) {
    return std::filesystem::path(std::u8string(utf8.begin(), utf8.end()));
}

[[noreturn]] void fail_to_write(const std::string & path) {
    throw std::runtime_error("Cannot write " + path + ": not all of it reached the disk, which may be full");
}

// llama.cpp may not see that the disk is full: its stream throws for failbit, a failed write sets badbit (llama-quant.cpp,
// new_ofstream).
void check_complete(const Api & api, const std::string & path) {
    const std::unique_ptr<gguf_context, decltype(&::gguf_free)> gguf(
        api.gguf_init_from_file(path.c_str(), { .no_alloc = true, .ctx = nullptr }), api.gguf_free);
    uint64_t end = 0;
    for (int64_t i = 0; gguf && i < api.gguf_get_n_tensors(gguf.get()); ++i) {
        const uint64_t offset = api.gguf_get_data_offset(gguf.get()) + api.gguf_get_tensor_offset(gguf.get(), i);
        end = std::max(end, offset + api.gguf_get_tensor_size(gguf.get(), i));
    }
    std::error_code unknown;
    const uintmax_t size = std::filesystem::file_size(path_of(path), unknown);
    if (end == 0 || unknown || size < end) {
        fail_to_write(path);
    }
}

[[noreturn]] void fail(const QuantizeParams & params, const std::string & reason) {
    const auto says = [&](const char * text) { return reason.find(text) != std::string::npos; };
    if (says("iostream")) {
        fail_to_write(params.output);
    }
    const ErrorCode code = says("bad_alloc")                       ? ErrorCode::OUT_OF_MEMORY
                         : says("requantizing") || says("imatrix") ? ErrorCode::MODEL_UNSUPPORTED
                                                                   : ErrorCode::MODEL_INVALID;
    throw Error(code, "Cannot quantize " + params.input + ": " + (reason.empty() ? "unknown reason" : reason));
}

} // namespace

void quantize(const Engine & engine, const QuantizeParams & params, const std::function<bool(float)> & progress) {
    const Api & api = engine.api;
    GgufHeader::read(api, params.input); // llama.cpp asserts on some of what this refuses

    bool cancelled = false;
    EngineCall call([&](const char * text) {
        // "[  12/ 339] blk.0.attn_k.weight …", before each tensor (llama-quant.cpp, llama_model_quantize_impl)
        int index = 0;
        int count = 0;
        if (std::sscanf(text, "[%d/%d]", &index, &count) == 2 && count > 0) {
            cancelled = cancelled || !progress(static_cast<float>(index - 1) / static_cast<float>(count));
            if (cancelled) {
                throw Cancelled();
            }
        }
    });
    llama_model_quantize_params quantize_params = api.llama_model_quantize_default_params();
    quantize_params.ftype = params.ftype;
    quantize_params.nthread = params.n_threads;
    quantize_params.max_buf_size = max_buf_size;
    const uint32_t status = api.llama_model_quantize(params.input.c_str(), params.output.c_str(), &quantize_params);
    if (cancelled) {
        throw Error(ErrorCode::ABORTED, "The quantization was cancelled");
    }
    if (status != 0) {
        fail(params, call.reason());
    }
    check_complete(api, params.output);
}

} // namespace z1
