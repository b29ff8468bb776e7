#include "engine/thinking/close-tag.h"

#include <algorithm>

namespace z1 {

void CloseTagPolicy::accept(llama_token, std::string_view piece) {
    tail += piece;
    completed = completed || tail.find(tag) != std::string::npos;
    tail.erase(0, tail.size() - std::min(tail.size(), tag.size() - 1));
}

std::optional<Ending> CloseTagPolicy::ending() const {
    return completed ? std::optional(Ending { Ended::self, false }) : std::nullopt;
}

} // namespace z1
