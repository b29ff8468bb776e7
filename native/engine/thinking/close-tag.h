// Delimited thinking: the model ends its thinking itself by the closing tag, however that is cut into tokens.
#pragma once

#include "engine/thinking/policy.h"

#include <string>

namespace z1 {

class CloseTagPolicy : public Policy {
public:
    /// `tag` is not empty.
    explicit CloseTagPolicy(std::string tag) : tag(std::move(tag)) {}

    void accept(llama_token token, std::string_view piece) override;
    std::optional<Ending> ending() const override;

private:
    std::string tag;
    std::string tail; // the last bytes, shorter than the tag
    bool completed = false;
};

} // namespace z1
