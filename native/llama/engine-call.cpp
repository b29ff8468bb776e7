#include "llama/engine-call.h"

namespace z1 {

namespace {

thread_local EngineCall * current = nullptr;

// "llama_model_load: error loading model: x\n" → "error loading model: x"
std::string tidy(std::string line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) {
        line.pop_back();
    }
    const size_t colon = line.find(": ");
    if (colon != std::string::npos && line.find(' ') == colon + 1) {
        line.erase(0, colon + 2);
    }
    return line;
}

} // namespace

EngineCall::EngineCall() : outer(current) {
    current = this;
}

EngineCall::~EngineCall() {
    current = outer;
}

std::string EngineCall::reason() const {
    return tidy(error.empty() ? warning : error);
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
}

void EngineCall::on_assert(const char * message) {
    if (current) {
        throw EngineAssert(message);
    }
}

} // namespace z1
