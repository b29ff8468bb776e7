// The model would nearly end by itself: at the end of a sentence, or of a stated answer, the end token is almost as likely
// as the likeliest one (ThinkBrake, arXiv 2510.00546).
#pragma once

#include "engine/thinking/policy.h"
#include "engine/thinking/sentence.h"
#include "engine/thinking/stated.h"

namespace z1 {

class MarginPolicy : public Policy {
public:
    /// `most`: nats. `stated` is told of each token first, and outlives the policy.
    MarginPolicy(float most, const StatedAnswer & stated) : most(most), stated(stated) {}

    void accept(llama_token, std::string_view piece) override {
        due_ = ends_sentence(piece) || stated.closes_box(piece);
        near = false;
    }

    /// Whether to look at the next token before it is drawn.
    bool due() const { return due_; }

    /// Of the next token: by how much the log-probability of the likeliest exceeds that of the likeliest end token.
    void look(float margin) { near = margin <= most; }

    std::optional<Ending> ending() const override {
        return near ? std::optional(Ending { Ended::early, true }) : std::nullopt;
    }

private:
    float most;
    const StatedAnswer & stated;
    bool due_ = false;
    bool near = false;
};

} // namespace z1
