#include "engine/model/gguf-reader.h"

#include "error.h"
#include "llama/engine-call.h"

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace z1 {

namespace {

// llama.cpp's parser compares each key and each tensor's name with all before it (gguf.cpp): of these, some seconds at most.
// Models have a hundred keys, and a few thousand tensors.
constexpr uint64_t max_keys = 10'000;
constexpr uint64_t max_tensors = 30'000;

[[noreturn]] void fail(const std::string & path, const std::string & reason) {
    throw Error(ErrorCode::MODEL_INVALID, path + " is not a usable GGUF model: " + reason);
}

// What is not there, or no GGUF file of these versions, is left to the parser, which says so.
void check_counts(const std::string & path) {
    const std::filesystem::path file(std::u8string(path.begin(), path.end()));
    std::error_code unknown;
    const auto type = std::filesystem::status(file, unknown).type();
    if (type == std::filesystem::file_type::not_found) {
        return;
    }
    if (type != std::filesystem::file_type::regular) {
        fail(path, "it is not a file"); // opening a pipe would wait for its writer
    }
    struct {
        char magic[4];
        uint32_t version;
        uint64_t n_tensors;
        uint64_t n_keys;
    } start {};
    static_assert(sizeof(start) == 24);
    std::ifstream stream(file, std::ios::binary);
    stream.read(reinterpret_cast<char *>(&start), sizeof(start));
    if (!stream || std::memcmp(start.magic, "GGUF", 4) != 0 || start.version < 2 || start.version > 3) {
        return;
    }
    const auto check = [&](uint64_t count, uint64_t most, const char * things) {
        if (count > most) {
            fail(path, "it states " + std::to_string(count) + " " + things + ", expected " + std::to_string(most) +
                           " at most");
        }
    };
    check(start.n_keys, max_keys, "metadata keys");
    check(start.n_tensors, max_tensors, "tensors");
}

gguf_context * parse(const Api & api, const std::string & path) {
    check_counts(path);
    EngineCall call;
    gguf_context * gguf = api.gguf_init_from_file(path.c_str(), { true, nullptr });
    if (gguf == nullptr) {
        const std::string reason = call.reason();
        fail(path, reason.empty() ? "its header cannot be read" : reason);
    }
    return gguf;
}

} // namespace

GgufReader::GgufReader(const Api & api, const std::string & path)
    : api(api), path(path), gguf(parse(api, path), api.gguf_free) {}

void GgufReader::invalid(const std::string & reason) const {
    fail(path, reason);
}

std::optional<std::string> GgufReader::string(const std::string & key) const {
    const int64_t id = find(key, GGUF_TYPE_STRING);
    return id < 0 ? std::nullopt : std::optional<std::string>(api.gguf_get_val_str(get(), id));
}

std::optional<uint32_t> GgufReader::u32(const std::string & key) const {
    const int64_t id = find(key, GGUF_TYPE_UINT32);
    return id < 0 ? std::nullopt : std::optional<uint32_t>(api.gguf_get_val_u32(get(), id));
}

std::optional<float> GgufReader::f32(const std::string & key) const {
    const int64_t id = find(key, GGUF_TYPE_FLOAT32);
    return id < 0 ? std::nullopt : std::optional<float>(api.gguf_get_val_f32(get(), id));
}

std::optional<double> GgufReader::number(const std::string & key) const {
    const int64_t id = api.gguf_find_key(get(), key.c_str());
    if (id < 0) {
        return std::nullopt;
    }
    switch (api.gguf_get_kv_type(get(), id)) {
        case GGUF_TYPE_INT32:   return api.gguf_get_val_i32(get(), id);
        case GGUF_TYPE_UINT32:  return api.gguf_get_val_u32(get(), id);
        case GGUF_TYPE_INT64:   return static_cast<double>(api.gguf_get_val_i64(get(), id));
        case GGUF_TYPE_UINT64:  return static_cast<double>(api.gguf_get_val_u64(get(), id));
        case GGUF_TYPE_FLOAT32: return api.gguf_get_val_f32(get(), id);
        case GGUF_TYPE_FLOAT64: return api.gguf_get_val_f64(get(), id);
        default:                return std::nullopt;
    }
}

std::optional<bool> GgufReader::boolean(const std::string & key) const {
    const int64_t id = find(key, GGUF_TYPE_BOOL);
    return id < 0 ? std::nullopt : std::optional<bool>(api.gguf_get_val_bool(get(), id));
}

std::span<const int32_t> GgufReader::integers(const std::string & key) const {
    const int64_t id = find(key, GGUF_TYPE_ARRAY);
    if (id < 0 || api.gguf_get_arr_type(get(), id) != GGUF_TYPE_INT32) {
        return {};
    }
    return { static_cast<const int32_t *>(api.gguf_get_arr_data(get(), id)), api.gguf_get_arr_n(get(), id) };
}

std::vector<GgufTensor> GgufReader::tensors() const {
    std::vector<GgufTensor> tensors(api.gguf_get_n_tensors(get()));
    for (size_t i = 0; i < tensors.size(); ++i) {
        const auto id = static_cast<int64_t>(i);
        tensors[i] = { api.gguf_get_tensor_name(get(), id), api.gguf_get_tensor_type(get(), id),
                       api.gguf_get_tensor_ne(get(), id), api.gguf_get_tensor_size(get(), id) };
    }
    return tensors;
}

std::vector<std::string> GgufReader::other_parts() const {
    const uint32_t count = u16("split.count");
    const auto suffix = [&](uint32_t no) {
        char text[32];
        std::snprintf(text, sizeof(text), "-%05u-of-%05u.gguf", no, count); // llama.cpp, llama_split_path
        return std::string(text);
    };
    std::vector<std::string> parts;
    if (count < 2 || u16("split.no") != 0 || !path.ends_with(suffix(1))) {
        return parts;
    }
    const std::string prefix = path.substr(0, path.size() - suffix(1).size());
    for (uint32_t no = 2; no <= count; ++no) {
        parts.push_back(prefix + suffix(no));
    }
    return parts;
}

// Reading a value as another type is an assertion (gguf.h).
int64_t GgufReader::find(const std::string & key, gguf_type type) const {
    const int64_t id = api.gguf_find_key(get(), key.c_str());
    return id >= 0 && api.gguf_get_kv_type(get(), id) == type ? id : -1;
}

uint32_t GgufReader::u16(const std::string & key) const {
    const int64_t id = find(key, GGUF_TYPE_UINT16);
    return id < 0 ? 0 : api.gguf_get_val_u16(get(), id);
}

} // namespace z1
