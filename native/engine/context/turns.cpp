#include "engine/context/turns.h"

#include <algorithm>

namespace z1 {

namespace {

/// Steps of each kind until they are compared.
constexpr size_t n_tried = 3;

/// Seconds. Steps that are shorter are those of small models, or of a device that decodes on after llama_decode has returned:
/// nothing is to be gained there.
constexpr double too_short = 1e-3;

/// Turns have to be faster by this factor: streams that are decoded together come at an even pace.
constexpr double margin = 1.05;

/// Steps after which both are tried again: contexts grow, and other programs come and go.
constexpr size_t n_until_tried_again = 1024;

} // namespace

void Turns::Steps::add(double seconds) {
    least = n == 0 ? seconds : std::min(least, seconds);
    ++n;
}

bool Turns::is_measured(const Measured & one) {
    return one.together.n >= n_tried && (one.together.least < too_short || one.alone.n >= n_tried);
}

size_t Turns::at_once(size_t n_streams) const {
    if (n_streams < 2 || n_streams > most_streams) {
        return n_streams;
    }
    const Measured & one = measured[n_streams];
    if (one.together.n < n_tried || one.together.least < too_short) {
        return n_streams;
    }
    const double in_turns = static_cast<double>(n_streams) * one.alone.least;
    return one.alone.n < n_tried || margin * in_turns < one.together.least ? 1 : n_streams;
}

void Turns::took(size_t n_taken, size_t n_streams, double seconds) {
    if (n_streams < 2 || n_streams > most_streams) {
        return;
    }
    Measured & one = measured[n_streams];
    if (!is_measured(one)) {
        (n_taken == 1 ? one.alone : one.together).add(seconds);
    } else if (++one.n_since == n_until_tried_again) {
        one = {};
    }
}

} // namespace z1
