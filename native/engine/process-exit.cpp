#include "engine/process-exit.h"

#include "engine/condition.h"
#include "error.h"
#include "llama/library.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace z1::process_exit {

namespace {

struct State {
    std::mutex mutex;
    std::condition_variable no_longer_in_use;
    std::vector<Registration *> registrations;
    int n_in_use = 0;
    std::atomic<bool> begun { false };
};

// Never destroyed: threads may touch it while static destructors run.
State & state() {
    static State * state = new State;
    return *state;
}

} // namespace

// Registrations may end themselves on other threads meanwhile, so each is taken out of the list before its turn.
void run() {
    State & s = state();
    std::unique_lock lock(s.mutex);
    s.begun = true;
    const auto end_all = [&](Registration::Order order) {
        for (;;) {
            const auto next = std::find_if(s.registrations.begin(), s.registrations.end(),
                                           [&](const Registration * one) { return one->order == order; });
            if (next == s.registrations.end()) {
                return;
            }
            const std::function<void()> end = (*next)->end;
            s.registrations.erase(next);
            lock.unlock();
            end();
            lock.lock();
        }
    };
    end_all(Registration::Order::context);
    wait_on(s.no_longer_in_use, lock, [&] { return s.n_in_use == 0; });
    end_all(Registration::Order::model);
}

void arm() {
    static const bool armed = [] {
        Library::pin(reinterpret_cast<const void *>(&run));
        std::atexit(run);
        return true;
    }();
    (void) armed;
}

bool begun() {
    return state().begun;
}

Registration::Registration(Order order, std::function<void()> end) : order(order), end(std::move(end)) {
    std::lock_guard lock(state().mutex);
    state().registrations.push_back(this);
}

Registration::~Registration() {
    std::lock_guard lock(state().mutex);
    std::erase(state().registrations, this);
}

EngineInUse::EngineInUse() {
    std::lock_guard lock(state().mutex);
    if (state().begun) {
        throw Error(ErrorCode::DISPOSED, "The process is ending");
    }
    ++state().n_in_use;
}

EngineInUse::~EngineInUse() {
    std::lock_guard lock(state().mutex);
    --state().n_in_use;
    state().no_longer_in_use.notify_all();
}

} // namespace z1::process_exit
