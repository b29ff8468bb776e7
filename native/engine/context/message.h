// What other threads ask of a context's thread.
#pragma once

#include "engine/request/request.h"

#include <chrono>
#include <cstdint>
#include <variant>

namespace z1 {

struct StartMessage {
    Request request;
    std::chrono::steady_clock::time_point arrival;
};

/// In the place of a request for which there was no memory.
struct RefusedMessage {
    uint32_t id; // of a generation, as below
};

struct EndThinkingMessage {
    uint32_t id;
};

struct StopMessage {
    uint32_t id;
};

struct AbortMessage {
    uint32_t id;
};

using Message = std::variant<StartMessage, RefusedMessage, EndThinkingMessage, StopMessage, AbortMessage>;

} // namespace z1
