// The window closes where a line ends, if one does shortly before its last token: for people who read the reasoning.
#pragma once

#include "engine/thinking/policy.h"
#include "engine/thinking/sentence.h"
#include "engine/thinking/window.h"

namespace z1 {

class LandingPolicy : public Policy {
public:
    /// `window` outlives the policy.
    explicit LandingPolicy(const Window & window) : window(window) {}

    void accept(llama_token, std::string_view piece) override { at_line_end = ends_line(piece); }

    /// In the last tenth of the window.
    std::optional<Ending> ending() const override {
        const bool near = window.sampled() > 0 && window.sampled() >= window.size() - window.size() / 10;
        return at_line_end && near ? std::optional(Ending { Ended::window, true }) : std::nullopt;
    }

private:
    const Window & window;
    bool at_line_end = false;
};

} // namespace z1
