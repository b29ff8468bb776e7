// The one way from other threads into an environment's JavaScript: events and finished work, delivered in order of posting.
#pragma once

#include "engine/request/events.h"

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace z1 {

class EventChannel : public EventSink {
public:
    /// A piece of work for the JavaScript thread. Dropped when the environment is gone first.
    using Task = std::function<void(Napi::Env)>;

    /// `on_event` is called as `emit_event` says. Posting does not wait for JavaScript: while a call is on its way,
    /// later events are appended to it, and text joins the text that is already waiting.
    static std::shared_ptr<EventChannel> open(Napi::Env env, Napi::Function on_event);

    void post(std::vector<Event> & events) override;
    void post(Task task);

    /// JavaScript thread only: the process stays alive while more was held than released.
    void hold(Napi::Env env);
    void release(Napi::Env env);

    /// JavaScript thread only, from the cleanup hook: after it nothing is sent. Node itself destroys the thread-safe
    /// function later in the teardown.
    void close();

private:
    EventChannel() = default;

    void append(Event & event);
    void schedule();
    void deliver(Napi::Env env, Napi::Function on_event);

    std::mutex mutex;
    bool alive = true;
    bool scheduled = false;
    std::vector<Event> events;
    std::vector<Task> tasks;

    napi_threadsafe_function function = nullptr;
    size_t held = 0;
};

} // namespace z1
