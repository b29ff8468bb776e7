// What one environment (the main thread or a worker) owns of native things, and how it lets go of them. JavaScript thread.
#pragma once

#include "binding/channel.h"
#include "binding/handles.h"
#include "binding/native-task.h"

#include <napi.h>

#include <map>
#include <memory>
#include <set>

namespace z1 {

struct AddonData {
    std::shared_ptr<EventChannel> channel;
    std::map<uint32_t, std::weak_ptr<NativeTask>> tasks; // owned by their work on the pool
    std::set<std::shared_ptr<OpenContext>> contexts;     // until their threads have been joined

    /// Threads first, then the channel they post to. Twice when 'exit' comes before the cleanup hook.
    void shut_down();
};

AddonData & data_of(Napi::Env env);

/// Throws when channelOpen has not been called.
const std::shared_ptr<EventChannel> & channel_of(Napi::Env env);

} // namespace z1
