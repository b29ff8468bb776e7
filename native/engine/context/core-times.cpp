#include "engine/context/core-times.h"

#include <cstdio>
#include <ctime>

#if defined(_WIN32)
#    define WIN32_LEAN_AND_MEAN
#    define NOMINMAX
#    include <windows.h>
#elif defined(__APPLE__)
#    include <mach/mach.h>
#    include <unistd.h>
#else
#    include <unistd.h>
#endif

namespace z1 {

namespace {

#if defined(_WIN32)

double seconds(const FILETIME & time) { // of 100 ns each
    return ((static_cast<unsigned long long>(time.dwHighDateTime) << 32) | time.dwLowDateTime) * 1e-7;
}

#else

double seconds(clockid_t clock) {
    timespec time {};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + time.tv_nsec * 1e-9;
}

#    if defined(__APPLE__)

std::optional<double> idle_seconds() {
    host_cpu_load_info_data_t load;
    mach_msg_type_number_t count = HOST_CPU_LOAD_INFO_COUNT;
    const mach_port_t host = mach_host_self();
    const kern_return_t status =
        host_statistics(host, HOST_CPU_LOAD_INFO, reinterpret_cast<host_info_t>(&load), &count);
    mach_port_deallocate(mach_task_self(), host);
    if (status != KERN_SUCCESS) {
        return {};
    }
    return static_cast<double>(load.cpu_ticks[CPU_STATE_IDLE]) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

#    else

std::optional<double> idle_seconds() {
    std::FILE * file = std::fopen("/proc/stat", "re");
    if (!file) {
        return {};
    }
    unsigned long long idle = 0;
    unsigned long long waiting = 0; // for a disk: the core is free
    const int n_read = std::fscanf(file, "cpu %*u %*u %*u %llu %llu", &idle, &waiting);
    std::fclose(file);
    if (n_read != 2) {
        return {};
    }
    return static_cast<double>(idle + waiting) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

#    endif
#endif

} // namespace

std::optional<CoreTimes> core_times() {
#if defined(_WIN32)
    FILETIME idle, ignored, kernel, user, thread_kernel, thread_user, other_ignored;
    if (!GetSystemTimes(&idle, nullptr, nullptr) ||
        !GetProcessTimes(GetCurrentProcess(), &ignored, &other_ignored, &kernel, &user) ||
        !GetThreadTimes(GetCurrentThread(), &ignored, &other_ignored, &thread_kernel, &thread_user)) {
        return {};
    }
    return CoreTimes { seconds(idle), seconds(kernel) + seconds(user), seconds(thread_kernel) + seconds(thread_user) };
#else
    const std::optional<double> idle = idle_seconds();
    if (!idle) {
        return {};
    }
    return CoreTimes { *idle, seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_THREAD_CPUTIME_ID) };
#endif
}

} // namespace z1
