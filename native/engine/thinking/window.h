// The shifted thinking window as a llama_sampler: it counts what is sampled and closes at its size. It changes no
// logits, so it composes with any chain and lets the whole chain run on the GPU.
#pragma once

#include "engine/thinking/policy.h"
#include "llama/api.h"

#include <cstdint>

namespace z1 {

class Window {
public:
    /// A size that is never reached.
    static constexpr int64_t infinite = INT64_MAX;

    /// The sampler that a chain takes over and frees with itself, and the window in it.
    static llama_sampler * create(const Api & api, int64_t size, Window ** window);

    /// The window in a sampler that create() made, or in a clone of one.
    static Window * of(const llama_sampler * sampler) { return static_cast<Window *>(sampler->ctx); }

    /// Counting starts: llama_sampler_accept cannot tell a sampled token from a prompt's or a hint's, which a chain
    /// must be given too for its penalties.
    void arm() { armed = true; }

    void disarm() { armed = false; }

    /// Tokens of thinking after which it closes.
    int64_t size() const { return size_; }

    /// Tokens sampled while armed.
    int64_t sampled() const { return n_sampled; }

    bool closed() const { return n_sampled >= size_; }

private:
    friend struct WindowSampler;

    Window(const Api & api, int64_t size) : api(api), size_(size) {}

    const Api & api;
    int64_t size_;
    int64_t n_sampled = 0;
    bool armed = false;
};

/// The thinking ends when the window closes. The chain that samples keeps the count.
class WindowPolicy : public Policy {
public:
    /// `window` outlives the policy.
    explicit WindowPolicy(const Window & window) : window(window) {}

    void accept(llama_token, std::string_view) override {}

    std::optional<Ending> ending() const override {
        return window.closed() ? std::optional(Ending { Ended::window, true }) : std::nullopt;
    }

private:
    const Window & window;
};

} // namespace z1
