// The caller's wish that the thinking end now.
#pragma once

#include "engine/thinking/policy.h"

namespace z1 {

class CallerPolicy : public Policy {
public:
    /// The thinking ends before the next token is decoded. Context thread only: between two steps.
    void end_thinking() { asked = true; }

    void accept(llama_token, std::string_view) override {}

    std::optional<Ending> ending() const override {
        return asked ? std::optional(Ending { Ended::request, true }) : std::nullopt;
    }

private:
    bool asked = false;
};

} // namespace z1
