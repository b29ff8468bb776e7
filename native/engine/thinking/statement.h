// The first answer that is stated ends the thinking: what follows would check it, or say it again.
#pragma once

#include "engine/thinking/policy.h"
#include "engine/thinking/stated.h"

namespace z1 {

class StatementPolicy : public Policy {
public:
    /// `stated` is told of each token first, and outlives the policy.
    explicit StatementPolicy(const StatedAnswer & stated) : stated(stated) {}

    void accept(llama_token, std::string_view piece) override { settled = stated.settles(piece); }

    std::optional<Ending> ending() const override {
        return settled ? std::optional(Ending { Ended::stated, true }) : std::nullopt;
    }

private:
    const StatedAnswer & stated;
    bool settled = false;
};

} // namespace z1
