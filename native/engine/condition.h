// Waiting for a condition without a symbol that older systems lack: since GCC 12, std::condition_variable::wait() is
// GLIBCXX_3.4.30, which the libstdc++ of RHEL 9 and Amazon Linux 2023 has not. wait_for() is compiled in.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace z1 {

/// Until `is_met` returns true, called under the lock.
template <typename Predicate>
void wait_on(std::condition_variable & condition, std::unique_lock<std::mutex> & lock, Predicate is_met) {
    // The limit is only there to choose the function: who waits longer wakes once a day, looks, and waits on.
    while (!condition.wait_for(lock, std::chrono::hours(24), is_met)) {}
}

} // namespace z1
