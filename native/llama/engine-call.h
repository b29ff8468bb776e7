// What surrounds every call into llama.cpp that may fail: its log lines are kept as the reason, and its assertions
// become exceptions instead of ending the process.
#pragma once

#include <llama.h>

#include <functional>
#include <stdexcept>
#include <string>

namespace z1 {

/// A GGML_ASSERT that failed on a thread where an EngineCall lives.
struct EngineAssert : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// While one lives, on its own thread: warnings and errors that llama.cpp logs are collected, and a failed assertion
/// throws EngineAssert. llama.cpp's own catch blocks turn that into a NULL result while it loads a model or makes a
/// context. Assertions on ggml's worker threads still end the process.
class EngineCall {
public:
    /// `on_info` gets what llama.cpp logs of its progress. What it throws passes through llama.cpp, as an assertion's
    /// exception does.
    explicit EngineCall(std::function<void(const char * text)> on_info = nullptr);
    ~EngineCall();
    EngineCall(const EngineCall &) = delete;
    EngineCall & operator=(const EngineCall &) = delete;

    /// The first error line, or the last warning when there was no error, without the function name that llama.cpp
    /// puts before it; empty if nothing was logged.
    std::string reason() const;

    /// Whether the reason is memory that could not be had. llama.cpp tells its failures apart only in its log lines.
    bool ran_out_of_memory() const;

    /// Whether llama.cpp warned that it could not lock memory, after which it goes on without.
    bool lock_failed() const { return could_not_lock; }

    /// For llama_log_set: the process-wide sink. Lines logged outside of an EngineCall are dropped.
    static void log_sink(ggml_log_level level, const char * text, void * user_data);

    /// For ggml_set_abort_callback. Returns (and so lets ggml abort) when no EngineCall lives on the thread.
    static void on_assert(const char * message);

private:
    std::function<void(const char * text)> on_info;
    std::string error;
    std::string warning;
    ggml_log_level level = GGML_LOG_LEVEL_NONE; // of the line that is being logged
    bool keeps_line = false;
    bool could_not_lock = false;
    EngineCall * outer;
};

} // namespace z1
