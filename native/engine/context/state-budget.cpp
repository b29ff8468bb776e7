#include "engine/context/state-budget.h"

#include <algorithm>

namespace z1 {

bool StateBudget::make_room(size_t size_) {
    if (size_ > limit) {
        return false;
    }
    std::erase_if(states, [](const auto & one) { return one.expired(); });
    size_t used = size();
    for (const auto & one : states) {
        if (used + size_ <= limit) {
            break;
        }
        const std::shared_ptr<SavedState> oldest = one.lock();
        used -= oldest->size();
        oldest->bytes = {};
        oldest->logits = {};
    }
    return true;
}

void StateBudget::renew(const std::shared_ptr<SavedState> & state) {
    const auto at = std::find_if(states.begin(), states.end(), [&](const auto & one) { return one.lock() == state; });
    if (at != states.end()) {
        std::rotate(at, at + 1, states.end());
    }
}

size_t StateBudget::size() const {
    size_t size = 0;
    for (const auto & one : states) {
        const std::shared_ptr<SavedState> state = one.lock();
        size += state ? state->size() : 0;
    }
    return size;
}

} // namespace z1
