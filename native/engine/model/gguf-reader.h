// A GGUF file as llama.cpp's own parser reads it, without the tensors' data; a model that was split is several of them.
#pragma once

#include "llama/api.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace z1 {

/// Valid as long as its reader.
struct GgufTensor {
    std::string_view name;
    enum ggml_type type;
    const int64_t * ne; // GGML_MAX_DIMS of them
    uint64_t size;

    bool holds(const char * part) const { return name.find(part) != std::string_view::npos; }
};

class GgufReader {
public:
    /// Throws MODEL_INVALID for what cannot be parsed, and for what would take the parser long.
    GgufReader(const Api & api, const std::string & path);

    [[noreturn]] void invalid(const std::string & reason) const;

    bool has(const std::string & key) const { return api.gguf_find_key(get(), key.c_str()) >= 0; }
    std::optional<std::string> string(const std::string & key) const;
    std::optional<uint32_t> u32(const std::string & key) const;
    std::optional<float> f32(const std::string & key) const;
    /// Of whatever type of 32 or 64 bits it is.
    std::optional<double> number(const std::string & key) const;
    std::optional<bool> boolean(const std::string & key) const;
    std::span<const int32_t> integers(const std::string & key) const;

    std::vector<GgufTensor> tensors() const;

    /// Of a model that was split and of which this is the first file: the others, in order. They are named as llama.cpp
    /// names them, or it refuses the model.
    std::vector<std::string> other_parts() const;

private:
    gguf_context * get() const { return gguf.get(); }
    int64_t find(const std::string & key, gguf_type type) const;
    uint32_t u16(const std::string & key) const;

    const Api & api;
    std::string path;
    std::unique_ptr<gguf_context, decltype(&::gguf_free)> gguf;
};

} // namespace z1
