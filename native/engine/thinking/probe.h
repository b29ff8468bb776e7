// A stated answer is tried out, and what the model would answer where it says `Wait`: beside the thinking, the hint is fed
// and the model answers; if it is sure of that, the thinking ends (after DEER, arXiv 2504.15895).
#pragma once

#include "engine/thinking/policy.h"
#include "engine/thinking/sentence.h"
#include "engine/thinking/stated.h"

namespace z1 {

class ProbePolicy : public Policy {
public:
    /// Tokens of a probe's answer, at most.
    static constexpr int32_t max_tokens = 16;

    /// `least`: probability. `stated` is told of each token first, and outlives the policy.
    ProbePolicy(double least, const StatedAnswer & stated) : least(least), stated(stated) {}

    void accept(llama_token, std::string_view piece) override {
        due_ = false;
        const bool probed = stood;
        if (ends_sentence(piece) || stated.closes_box(piece)) {
            stood = stated.stands();
            due_ = stood && !probed; // a line feed after a statement states nothing new
        }
        if (stated.says_wait(piece)) {
            stood = false;
            due_ = !probed;
        }
    }

    /// Whether there is something to probe that was not probed yet.
    bool due() const { return due_; }

    /// The least probability of the tokens of a probe's answer.
    void tell(double probability) { sure = probability >= least; }

    std::optional<Ending> ending() const override {
        return sure ? std::optional(Ending { Ended::early, true }) : std::nullopt;
    }

private:
    double least;
    const StatedAnswer & stated;
    bool stood = false;
    bool due_ = false;
    bool sure = false;
};

} // namespace z1
