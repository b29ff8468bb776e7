// How many threads a context decodes with. ggml's threads wait for each other at every operation of a graph, spinning: one of them that has
// to share its core with another program keeps all of them waiting, and fewer threads are faster then. Context thread only.
#pragma once

#include "engine/context/core-times.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace z1 {

/// Seconds of a clock that never goes back.
inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class ThreadCount {
public:
    using Read = std::function<std::optional<CoreTimes>()>;

    ThreadCount(int32_t most, double now, Read read = core_times);

    /// For the next llama_decode. Changes when two readings in a row, a tenth of a second apart or more, ask for it.
    int32_t next(double now);

private:
    const int32_t most;
    const Read read;
    int32_t n_threads;
    int n_asked = 0;               // how many readings in a row have asked for another number
    std::optional<CoreTimes> last; // nothing: the number stays
    double read_at = 0;
};

} // namespace z1
