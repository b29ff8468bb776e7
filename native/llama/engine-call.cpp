#include "llama/engine-call.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace z1 {

namespace {

thread_local EngineCall * current = nullptr;

// "llama_model_load: error loading model: x\n" → "error loading model: x". What x quotes from a file may be of any length,
// and of several lines.
std::string tidy(std::string line) {
    constexpr size_t most = 300;
    if (line.size() > most) {
        line.resize(most);
        line += "…";
    }
    std::replace_if(line.begin(), line.end(), [](unsigned char byte) { return byte < ' ' || byte == 0x7F; }, ' ');
    while (!line.empty() && line.back() == ' ') {
        line.pop_back();
    }
    const size_t colon = line.find(": ");
    if (colon != std::string::npos && line.find(' ') == colon + 1) {
        line.erase(0, colon + 2);
    }
    return line;
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
    const std::string text = reason();
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
