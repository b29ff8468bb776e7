#include "binding/channel.h"

#include "binding/errors.h"
#include "binding/to-js.h"
#include "engine/process-exit.h"

#include <algorithm>

namespace z1 {

namespace {

// False when there is no memory for it; then nothing has changed.
bool join(TextEvent & waiting, const TextEvent & more) {
    const size_t n_tokens = waiting.tokens.size();
    const size_t n_logprobs = waiting.logprobs.size();
    try {
        waiting.tokens.insert(waiting.tokens.end(), more.tokens.begin(), more.tokens.end());
        waiting.logprobs.insert(waiting.logprobs.end(), more.logprobs.begin(), more.logprobs.end());
        waiting.text += more.text;
        return true;
    } catch (const std::bad_alloc &) {
        waiting.tokens.resize(n_tokens);
        waiting.logprobs.erase(waiting.logprobs.begin() + static_cast<std::ptrdiff_t>(n_logprobs),
                               waiting.logprobs.end());
        return false;
    }
}

} // namespace

std::shared_ptr<EventChannel> EventChannel::open(Napi::Env env, Napi::Function on_event) {
    std::shared_ptr<EventChannel> channel(new EventChannel);
    // Node calls and finalizes the function after the environment's other data may be gone: it keeps its own reference.
    auto * self = new std::shared_ptr<EventChannel>(channel);

    const auto finalize = [](napi_env, void * data, void *) {
        delete static_cast<std::shared_ptr<EventChannel> *>(data);
    };
    const auto call = [](napi_env env, napi_value on_event, void * context, void *) {
        if (env) {
            (*static_cast<std::shared_ptr<EventChannel> *>(context))->deliver(env, Napi::Function(env, on_event));
        }
    };
    const napi_status status =
        napi_create_threadsafe_function(env, on_event, nullptr, Napi::String::New(env, "z1 events"), 0, 1, self,
                                        finalize, self, call, &channel->function);
    if (status != napi_ok) {
        delete self;
        throw Napi::Error::New(env);
    }
    napi_unref_threadsafe_function(env, channel->function);
    return channel;
}

void EventChannel::post(std::vector<Event> & more) {
    std::lock_guard lock(mutex);
    const size_t needed = events.size() + more.size();
    if (needed > events.capacity()) {
        events.reserve(std::max(needed, 2 * events.capacity())); // before any is taken
    }
    for (Event & event : more) {
        append(event);
    }
    more.clear();
    schedule();
}

void EventChannel::post(Task task) {
    std::lock_guard lock(mutex);
    tasks.push_back(std::move(task));
    schedule();
}

// There is room for one more event.
void EventChannel::append(Event & event) {
    if (const auto * text = std::get_if<TextEvent>(&event.what)) {
        const auto last =
            std::find_if(events.rbegin(), events.rend(), [&](const Event & one) { return one.id == event.id; });
        auto * waiting = last == events.rend() ? nullptr : std::get_if<TextEvent>(&last->what);
        if (waiting && waiting->part == text->part && join(*waiting, *text)) {
            return;
        }
    }
    events.push_back(std::move(event));
}

void EventChannel::schedule() {
    if (alive && !scheduled && !process_exit::begun()) {
        scheduled = napi_call_threadsafe_function(function, nullptr, napi_tsfn_nonblocking) == napi_ok;
    }
}

void EventChannel::deliver(Napi::Env env, Napi::Function on_event) {
    std::vector<Event> events_now;
    std::vector<Task> tasks_now;
    {
        std::lock_guard lock(mutex);
        scheduled = false;
        events_now.swap(events);
        tasks_now.swap(tasks);
    }
    for (const Event & event : events_now) {
        guarded_call(env, [&] { emit_event(on_event, event); });
        if (event.ends_generation()) {
            release(env);
        }
    }
    for (const Task & task : tasks_now) {
        guarded_call(env, [&] { task(env); });
    }
}

void EventChannel::hold(Napi::Env env) {
    if (held++ == 0) {
        napi_ref_threadsafe_function(env, function);
    }
}

void EventChannel::release(Napi::Env env) {
    if (--held == 0) {
        napi_unref_threadsafe_function(env, function);
    }
}

void EventChannel::close() {
    std::lock_guard lock(mutex);
    alive = false;
}

} // namespace z1
