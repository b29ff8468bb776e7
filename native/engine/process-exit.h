// What has to end before the process does. Environments end their contexts themselves; but process.exit() and an uncaught
// exception run no cleanup hook of Node, so an exit handler frees the models (on Metal, a buffer that is alive at exit is a
// failed assertion), after waiting for work on the pool and for the contexts of an exit() that no environment heard of.
#pragma once

#include <functional>

namespace z1::process_exit {

/// Registers the handler; call once the engine is open, so that it runs before the engine's own. Idempotent.
void arm();

/// Whether the process is ending: nothing new may start, nothing need be reported.
bool begun();

/// A thing that must end; `end` is called at most once, in the order contexts, then models. Keep it until it has ended.
class Registration {
public:
    enum class Order { context, model };

    Registration(Order order, std::function<void()> end);
    ~Registration();
    Registration(const Registration &) = delete;
    Registration & operator=(const Registration &) = delete;

private:
    friend void run();
    Order order;
    std::function<void()> end;
};

/// A stretch of work on a pool thread that calls into the engine: the process does not end inside it. Throws
/// z1::Error DISPOSED when the process is ending already.
class EngineInUse {
public:
    EngineInUse();
    ~EngineInUse();
    EngineInUse(const EngineInUse &) = delete;
    EngineInUse & operator=(const EngineInUse &) = delete;
};

} // namespace z1::process_exit
