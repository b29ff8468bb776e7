#include "engine/draft/speculation.h"

#include <algorithm>

namespace z1 {

namespace {

// Bounds of the work for one draft, whatever the text: places that are looked at, and tokens that are compared before each.
constexpr size_t n_places = 16;
constexpr size_t most_alike = 32;

// A power of two: places are found by the upper bits of a product.
constexpr int bucket_bits = 13;

size_t bucket_of(std::span<const llama_token> key) {
    uint64_t hash = 0;
    for (const llama_token token : key) {
        hash = (hash ^ static_cast<uint32_t>(token)) * 0x9E3779B97F4A7C15; // Fibonacci hashing
    }
    return hash >> (64 - bucket_bits);
}

// A draft that is right this often is worth its time for ever; more would only let later mistakes cost more at once.
constexpr double most_balance = 16;

// Earned by every step without a draft: what mistakes may cost.
constexpr double allowance = 1.0 / 64;

} // namespace

PromptLookup::PromptLookup() : newest(size_t { 1 } << bucket_bits, -1), earlier(1, -1) {}

void PromptLookup::push(llama_token token) {
    text.push_back(token);
    const int32_t place = static_cast<int32_t>(text.size());
    int32_t before = -1;
    if (text.size() >= n_key) {
        int32_t & last = newest[bucket_of(std::span(text).last(n_key))];
        before = last;
        last = place;
    }
    earlier.push_back(before);
}

void PromptLookup::propose(size_t n, std::vector<llama_token> & draft) const {
    const size_t size = text.size();
    const auto n_alike = [&](size_t place) {
        size_t alike = 0;
        while (alike < std::min(place, most_alike) && text[place - 1 - alike] == text[size - 1 - alike]) {
            ++alike;
        }
        return alike;
    };
    size_t best = 0;
    size_t most = n_key - 1; // what has the same hash may be other tokens
    int32_t place = earlier.back();
    for (size_t i = 0; i < n_places && place >= 0; ++i, place = earlier[place]) {
        const size_t alike = n_alike(static_cast<size_t>(place));
        if (alike > most) {
            best = static_cast<size_t>(place);
            most = alike;
        }
    }
    if (most < n_key) {
        return;
    }
    const size_t first = draft.size();
    for (size_t i = 0; i < n; ++i) {
        const size_t from = best + i;
        draft.push_back(from < size ? text[from] : draft[first + from - size]);
    }
}

// On one thread of a CPU each further token of a step takes about two thirds of the time of the first (0.6 to 0.7, by the
// decodes and ratios of bench/speculation.mjs). Beside other streams a token is worth less time, because all of them give one in a step; and where sequences share no
// cells, a sequence with more tokens than the others takes another pass through the model (docs/architecture.md, upstream
// quirks), which costs half a draft's token more.
double DraftBudget::cost(size_t n) const {
    if (n == 0) {
        return 0;
    }
    const double streams = static_cast<double>(n_streams);
    return (static_cast<double>(n) + (n_streams > 1 ? 0.5 : 0)) * (2 * streams) / (2 * streams + 1);
}

size_t DraftBudget::next(size_t most, size_t n_streams_) {
    n_streams = n_streams_;
    balance = std::min(balance + allowance, most_balance);
    while (most > 0 && cost(most) > balance) {
        --most;
    }
    // None where even a draft that is all right would not pay.
    return cost(most) < static_cast<double>(most) ? most : 0;
}

void DraftBudget::earn() {
    balance = std::min(balance + 1, most_balance);
}

void Speculation::propose(size_t most, size_t n_streams) {
    draft_.clear();
    lookup.propose(budget.next(most, n_streams), draft_);
}

void Speculation::decoded() {
    budget.pay(draft_.size());
    n_drafted_ += draft_.size();
}

void Speculation::accepted() {
    budget.earn();
    ++n_accepted_;
}

} // namespace z1
