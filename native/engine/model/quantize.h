// Another type for the tensors of a GGUF file. Needs no model and no context; runs on a pool thread.
#pragma once

#include "llama/engine.h"

#include <functional>
#include <string>

namespace z1 {

struct QuantizeParams {
    std::string input;
    std::string output; // overwritten
    enum llama_ftype ftype;
    int32_t n_threads;
};

/// `progress` gets 0…1 before each tensor; false ends it. Throws MODEL_INVALID or MODEL_UNSUPPORTED with llama.cpp's reason,
/// OUT_OF_MEMORY, ABORTED when `progress` said so, std::runtime_error when the output cannot be written. The output is whole
/// only if nothing was thrown.
void quantize(const Engine & engine, const QuantizeParams & params, const std::function<bool(float)> & progress);

} // namespace z1
