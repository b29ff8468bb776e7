// The errors that cross from native code to JavaScript: one code each, one sentence each.
// lib/base/errors.ts documents every code; `npm run check` compares the two lists.
#pragma once

#include <stdexcept>
#include <string>

namespace z1 {

#define Z1_ERROR_CODES(X) \
    X(ABORTED)            \
    X(ADAPTER_INVALID)    \
    X(CONTEXT_TOO_SMALL)  \
    X(DECODE_FAILED)      \
    X(DISPOSED)           \
    X(ENGINE_CONFLICT)    \
    X(ENGINE_MISMATCH)    \
    X(ENGINE_NOT_FOUND)   \
    X(GRAMMAR_INVALID)    \
    X(MODEL_INVALID)      \
    X(MODEL_UNSUPPORTED)  \
    X(OUT_OF_MEMORY)      \
    X(STATE_EMPTY)        \
    X(STATE_INVALID)      \
    X(STATE_MISMATCH)     \
    X(THREAD_FAILED)

enum class ErrorCode {
#define X(code) code,
    Z1_ERROR_CODES(X)
#undef X
};

/// The code's name as JavaScript sees it, e.g. `DECODE_FAILED`.
inline const char * to_string(ErrorCode code) {
    switch (code) {
#define X(name) \
    case ErrorCode::name: return #name;
        Z1_ERROR_CODES(X)
#undef X
    }
    return "DECODE_FAILED";
}

struct Error : std::runtime_error {
    ErrorCode code;

    Error(ErrorCode code, const std::string & message) : std::runtime_error(message), code(code) {}
};

} // namespace z1
