#include "llama/engine-call.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

namespace z1 {

namespace {

thread_local EngineCall * current = nullptr;

// "llama_model_load: error loading model: x\n" → "error loading model: x". What x quotes from a file may be of any length,
// and of several lines: it is cut, between two characters, and controls are written as JavaScript writes them.
std::string tidy(std::string_view line) {
    constexpr size_t most = 300;
    while (!line.empty() && (line.back() == ' ' || line.back() == '\n' || line.back() == '\r')) {
        line.remove_suffix(1);
    }
    const size_t colon = line.find(": ");
    if (colon != line.npos && line.find(' ') == colon + 1) {
        line.remove_prefix(colon + 2);
    }
    size_t end = std::min(line.size(), most);
    while (end < line.size() && end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) {
        end--;
    }
    std::string shown;
    for (const char byte : line.substr(0, end)) {
        const auto value = static_cast<unsigned char>(byte);
        if (value >= ' ' && value != 0x7F) {
            shown += byte;
        } else if (byte == '\n') {
            shown += "\\n";
        } else {
            char escape[7];
            snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(value));
            shown += escape;
        }
    }
    return end < line.size() ? shown + "…" : shown;
}

} // namespace

EngineCall::EngineCall(std::function<void(const char * text)> on_info) : on_info(std::move(on_info)), outer(current) {
    current = this;
}

EngineCall::~EngineCall() {
    current = outer;
}

std::string EngineCall::reason() const {
    return tidy(error.empty() ? warning : error);
}

bool EngineCall::ran_out_of_memory() const {
    // All of it: what is quoted before the sign may be longer than what is shown.
    const std::string & text = error.empty() ? warning : error;
    for (const char * sign : { "unable to allocate", "failed to allocate", "insufficient memory",
                               "Cannot allocate memory", "bad_alloc", "out of memory", "cudaMalloc failed" }) {
        if (text.find(sign) != std::string::npos) {
            return true;
        }
    }
    return false;
}

void EngineCall::log_sink(ggml_log_level level, const char * text, void *) {
    if (!current) {
        return;
    }
    const bool continues = level == GGML_LOG_LEVEL_CONT;
    if (!continues) {
        current->level = level;
        // The first error is the cause, those after it report the failure; of warnings the last is the nearest.
        current->keeps_line = level == GGML_LOG_LEVEL_ERROR ? current->error.empty() : level == GGML_LOG_LEVEL_WARN;
    }
    // llama-mmap.cpp, llama_mlock
    for (const char * sign : { "failed to mlock", "failed to VirtualLock", "mlock not supported" }) {
        current->could_not_lock = current->could_not_lock || std::strstr(text, sign) != nullptr;
    }
    if (current->keeps_line) {
        std::string & line = current->level == GGML_LOG_LEVEL_ERROR ? current->error : current->warning;
        if (!continues) {
            line.clear();
        }
        line += text;
    }
    if (level == GGML_LOG_LEVEL_INFO && current->on_info) {
        current->on_info(text);
    }
}

void EngineCall::on_assert(const char * message) {
    if (current) {
        // "/where/it/was/built/ops.cpp:12: GGML_ASSERT(x) failed" → "ops.cpp:12: GGML_ASSERT(x) failed"
        const std::string_view text = message;
        const size_t folder = text.substr(0, text.find(": ")).find_last_of("/\\");
        throw EngineAssert(std::string(folder == text.npos ? text : text.substr(folder + 1)));
    }
}

} // namespace z1
