// LoRA adapters: what has to be true of a file before llama.cpp gets it, and those that a model was loaded with.
#pragma once

#include "llama/api.h"

#include <string>
#include <vector>

namespace z1 {

struct AdapterParams {
    std::string path;
    float scale; // 0: it is loaded and checked, and not applied
};

/// As llama_set_adapters_lora takes them. They are freed with their model.
struct Adapters {
    std::vector<llama_adapter_lora *> handles;
    std::vector<float> scales;
};

/// Throws ADAPTER_INVALID for a file that is no LoRA adapter, or one that does not fit the model in `model_path`: what
/// llama.cpp does not check, an assertion on a worker thread would end the process for.
void check_adapter(const Api & api, const std::string & path, const std::string & architecture,
                   const std::string & model_path);

/// Throws ADAPTER_INVALID with llama.cpp's reason, or OUT_OF_MEMORY.
Adapters load_adapters(const Api & api, llama_model * model, const std::vector<AdapterParams> & params);

} // namespace z1
