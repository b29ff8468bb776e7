// When the thinking ends: the interface of the policies that say so. A policy sees the tokens that are sampled and nothing
// else: no generation, no batch, no context, no lock. A generation asks its policies in order, and the first that has an
// answer is right; so a policy costs the token loop two calls, and must not do more in them than a few comparisons.
#pragma once

#include "engine/request/events.h"
#include "llama/api.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace z1 {

/// How the thinking ends here.
struct Ending {
    Ended how;
    bool hint_follows; // else the model has ended its thinking in the text itself, and goes on with its answer
};

class Policy {
public:
    virtual ~Policy() = default;

    /// A token was sampled while the model thinks; `piece`: its bytes.
    virtual void accept(llama_token token, std::string_view piece) = 0;

    /// Whether the thinking ends after what was accepted so far. Asked before the first token, after each and before each
    /// step; changes nothing.
    virtual std::optional<Ending> ending() const = 0;
};

/// Several policies in order of precedence.
class PolicyList {
public:
    void add(std::unique_ptr<Policy> policy) { policies.push_back(std::move(policy)); }

    void accept(llama_token token, std::string_view piece) {
        for (const auto & policy : policies) {
            policy->accept(token, piece);
        }
    }

    /// Of the first policy that has one.
    std::optional<Ending> ending() const {
        for (const auto & policy : policies) {
            if (const auto ending = policy->ending()) {
                return ending;
            }
        }
        return {};
    }

private:
    std::vector<std::unique_ptr<Policy>> policies;
};

} // namespace z1
