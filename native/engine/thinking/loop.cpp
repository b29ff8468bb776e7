#include "engine/thinking/loop.h"

#include <algorithm>

namespace z1 {

int32_t LoopDetector::push(llama_token token) {
    const int32_t longest = static_cast<int32_t>(std::min<int64_t>(max_period, n_tokens));
    for (int32_t period = 1; period <= longest; ++period) {
        n_equal[period] = recent[(n_tokens - period) % max_period] == token ? n_equal[period] + 1 : 0;
    }
    recent[n_tokens % max_period] = token;
    ++n_tokens;

    for (int32_t period = min_period; period <= longest; ++period) {
        if (spans(period, period * n_repeats) && unit_of(period * n_repeats) == 0) {
            return period;
        }
    }
    return unit_of(max_period * n_repeats);
}

// The period below the shortest that counts which the last `length` tokens have; 0 if they have none.
int32_t LoopDetector::unit_of(int32_t length) const {
    for (int32_t unit = 1; unit < min_period; ++unit) {
        if (spans(unit, length)) {
            return unit;
        }
    }
    return 0;
}

} // namespace z1
