#include "engine/context/thread-count.h"

#include <algorithm>
#include <cmath>

namespace z1 {

namespace {

/// Seconds between readings: ten ticks of what the system counts idle time in.
constexpr double interval = 0.1;

} // namespace

ThreadCount::ThreadCount(int32_t most, double now, Read read)
    : most(most), read(std::move(read)), n_threads(most), read_at(now) {
    if (most > 1) {
        last = this->read();
    }
}

int32_t ThreadCount::next(double now) {
    const double seconds = now - read_at;
    if (!last || seconds < interval) {
        return n_threads;
    }
    const std::optional<CoreTimes> times = read();
    if (!times) {
        return n_threads;
    }
    // ggml's workers take as long as the context's thread does. What other threads of the process take is not ours to have.
    const double own = std::min(times->process - last->process, n_threads * (times->thread - last->thread));
    const double available = (times->idle - last->idle + own) / seconds;
    const int32_t asked = std::clamp(static_cast<int32_t>(std::lround(available)), 1, most);
    last = times;
    read_at = now;
    n_asked = asked == n_threads ? 0 : n_asked + 1;
    if (n_asked >= 2) {
        n_threads = asked;
        n_asked = 0;
    }
    return n_threads;
}

} // namespace z1
