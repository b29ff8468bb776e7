#include "binding/addon-data.h"

namespace z1 {

void AddonData::shut_down() {
    for (const auto & [id, owned] : tasks) {
        if (const auto task = owned.lock()) {
            task->cancelled = true;
        }
    }
    for (const auto & open : contexts) {
        open->context->close();
    }
    for (const auto & open : contexts) {
        open->context.reset();
    }
    contexts.clear();
    if (channel) {
        channel->close();
    }
}

AddonData & data_of(Napi::Env env) {
    return *env.GetInstanceData<AddonData>();
}

const std::shared_ptr<EventChannel> & channel_of(Napi::Env env) {
    AddonData & data = data_of(env);
    if (!data.channel) {
        throw Napi::Error::New(env, "channelOpen has not been called");
    }
    return data.channel;
}

} // namespace z1
