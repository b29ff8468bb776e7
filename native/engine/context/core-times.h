// What the machine's cores have been doing, as far as the system tells.
#pragma once

#include <optional>

namespace z1 {

/// Seconds. Differences of two of them have a meaning.
struct CoreTimes {
    double idle;    // of all cores together
    double process; // of all threads of this process
    double thread;  // of the thread that asks
};

/// Nothing where the system does not tell. A reading takes some microseconds; what is idle is counted in ticks of about 10 ms.
std::optional<CoreTimes> core_times();

} // namespace z1
