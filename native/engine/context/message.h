// What other threads ask of a context's thread.
#pragma once

#include "engine/context/packed-state.h"
#include "engine/request/request.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
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

/// What the last request left, as bytes. The error is null when they are there.
struct SaveStateMessage {
    using Reply = std::function<void(std::exception_ptr, std::shared_ptr<StateBytes>)>;
    Reply reply;
};

/// Bytes as they were saved. The error is null when a sequence holds what they say.
struct LoadStateMessage {
    using Reply = std::function<void(std::exception_ptr)>;
    std::shared_ptr<const StateBytes> bytes;
    Reply reply;
};

using Message = std::variant<StartMessage, RefusedMessage, EndThinkingMessage, StopMessage, AbortMessage,
                             SaveStateMessage, LoadStateMessage>;

} // namespace z1
