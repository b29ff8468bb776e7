#include "engine/context/sequence.h"

#include "error.h"

#include <algorithm>

namespace z1 {

namespace {

// A shorter prefix is decoded again. Reusing it would save next to nothing, and the arithmetic depends on how tokens are
// grouped into decodes: prompts that share only a BOS or a few template tokens then give the same result as in an empty
// context.
constexpr size_t min_reuse = 16;

using Tokens = std::vector<llama_token>;
using Checkpoints = std::vector<std::shared_ptr<SavedState>>;

// `can_shorten_to(n)`: whether the first n tokens can be kept without a checkpoint.
template <class Test>
size_t most_reusable(const Tokens & tokens, const Checkpoints & checkpoints, const Tokens & prompt, bool draws,
                     Test can_shorten_to) {
    const size_t most = std::min(tokens.size(), prompt.size());
    const size_t common = std::mismatch(tokens.begin(), tokens.begin() + most, prompt.begin()).first - tokens.begin();
    const size_t without_last = std::min(common, prompt.size() - 1);
    size_t n = can_shorten_to(without_last) ? without_last : 0;
    for (const auto & one : checkpoints) {
        const bool suffices = one->n_tokens < prompt.size() || !draws || !one->logits.empty();
        if (one->is_there() && one->n_tokens <= common && suffices) {
            n = std::max(n, one->n_tokens);
        }
    }
    return n < min_reuse ? 0 : n;
}

} // namespace

size_t Sequence::reusable(const Tokens & prompt, bool draws) const {
    return most_reusable(tokens, checkpoints, prompt, draws, [&](size_t n) { return can_shorten_to(n); });
}

size_t Sequence::reusable(const SavedSequence & saved, const Memory & memory, const Tokens & prompt, bool draws) {
    return most_reusable(saved.tokens, saved.checkpoints, prompt, draws, [&](size_t n) {
        // What layers with a window no longer attend over is not saved (llama-kv-cache.cpp, state_write).
        const bool whole = memory.n_swa == 0 || saved.tokens.size() <= static_cast<size_t>(memory.n_swa);
        return n == saved.tokens.size() || (memory.shortens && whole);
    });
}

size_t Sequence::sync(const Tokens & prompt, bool reuse, bool draws) {
    truncate(reuse ? reusable(prompt, draws) : 0);
    return tokens.size();
}

bool Sequence::holds(const Tokens & prompt, uint32_t of) const {
    return of != 0 && group == of && tokens.size() >= prompt.size() &&
           std::equal(prompt.begin(), prompt.end(), tokens.begin()) &&
           (can_shorten_to(prompt.size()) || std::any_of(checkpoints.begin(), checkpoints.end(), [&](const auto & one) {
                return one->n_tokens == prompt.size() && one->is_there();
            }));
}

// Without a checkpoint.
bool Sequence::can_shorten_to(size_t n) const {
    if (n == tokens.size() || n == 0) {
        return true;
    }
    if (!memory.shortens) {
        return false;
    }
    // A copy has, in layers with a window, no more than its last token attends over; so have cells that others took.
    return memory.n_swa == 0 || memory.api.llama_memory_seq_pos_min(memory.get(), id) <=
                                    std::max(0, static_cast<llama_pos>(n) - memory.n_swa);
}

bool Sequence::go_back_to(const SavedState & checkpoint) {
    const llama_pos n = static_cast<llama_pos>(checkpoint.n_tokens);
    if (memory.api.llama_state_seq_set_data_ext(memory.ctx, checkpoint.bytes.data(), checkpoint.bytes.size(), id,
                                                LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY) == 0 ||
        !memory.api.llama_memory_seq_rm(memory.get(), id, n, -1)) {
        return false;
    }
    tokens.resize(checkpoint.n_tokens);
    return true;
}

void Sequence::truncate(size_t n) {
    if (n == tokens.size()) {
        return;
    }
    if (n == 0) {
        clear();
        return;
    }
    std::erase_if(checkpoints, [&](const auto & one) { return one->n_tokens > n || !one->is_there(); });
    if (can_shorten_to(n)) {
        // Memory that is not known to refuse may still do so (llama.h, llama_memory_seq_rm).
        if (memory.api.llama_memory_seq_rm(memory.get(), id, static_cast<llama_pos>(n), -1)) {
            tokens.resize(n);
            return;
        }
    } else if (!checkpoints.empty() && checkpoints.back()->n_tokens == n && go_back_to(*checkpoints.back())) {
        memory.saved.renew(checkpoints.back());
        return;
    }
    clear();
}

void Sequence::checkpoint(std::span<const float> logits) {
    if (memory.shortens) {
        return;
    }
    const size_t size = memory.api.llama_state_seq_get_size_ext(memory.ctx, id, LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY);
    if (size == 0 || !memory.saved.make_room(size + logits.size_bytes())) {
        return;
    }
    auto state = std::make_shared<SavedState>();
    state->n_tokens = tokens.size();
    state->bytes.resize(size);
    state->logits.assign(logits.begin(), logits.end());
    if (memory.api.llama_state_seq_get_data_ext(memory.ctx, state->bytes.data(), size, id,
                                                LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY) != size) {
        return;
    }
    std::erase_if(checkpoints, [&](const auto & one) { return one->n_tokens == tokens.size() || !one->is_there(); });
    memory.saved.add(state);
    checkpoints.push_back(std::move(state));
}

std::span<const float> Sequence::logits() const {
    const bool here = !checkpoints.empty() && checkpoints.back()->n_tokens == tokens.size();
    return here ? std::span<const float>(checkpoints.back()->logits) : std::span<const float>();
}

void Sequence::share(const Sequence & other) {
    clear(); // llama_memory_seq_cp adds to what is there
    memory.api.llama_memory_seq_cp(memory.get(), other.id, id, -1, -1);
    tokens = other.tokens;
    checkpoints = other.checkpoints;
}

void Sequence::copy(const Sequence & other, std::vector<uint8_t> & buffer) {
    clear();
    buffer.resize(memory.api.llama_state_seq_get_size_ext(memory.ctx, other.id, LLAMA_STATE_SEQ_FLAGS_NONE));
    const size_t size = memory.api.llama_state_seq_get_data_ext(memory.ctx, buffer.data(), buffer.size(), other.id,
                                                                LLAMA_STATE_SEQ_FLAGS_NONE);
    if (size == 0 ||
        memory.api.llama_state_seq_set_data_ext(memory.ctx, buffer.data(), size, id, LLAMA_STATE_SEQ_FLAGS_NONE) == 0) {
        throw Error(ErrorCode::DECODE_FAILED,
                    "llama.cpp could not copy a sequence to a branch: kvCache 'shared' needs no copy");
    }
    tokens = other.tokens;
    checkpoints = other.checkpoints;
}

bool Sequence::loses_prompt(size_t n) const {
    const size_t worth = std::min(n_prompt, tokens.size());
    return worth >= min_reuse && n + min_reuse <= worth;
}

void Sequence::prepare_save() {
    // Where layers have a window a copy can be gone on from at its end alone: that is where a later prompt needs it.
    if (memory.shortens && memory.n_swa > 0 && n_prompt > 1 && n_prompt <= tokens.size()) {
        truncate(n_prompt - 1);
    }
}

size_t Sequence::state_size() const {
    return memory.api.llama_state_seq_get_size_ext(memory.ctx, id, LLAMA_STATE_SEQ_FLAGS_NONE);
}

SavedSequence Sequence::save() const {
    SavedSequence saved { tokens, std::make_shared<SavedState>(), checkpoints, n_prompt };
    const size_t size = state_size();
    saved.state->n_tokens = tokens.size();
    saved.state->bytes.resize(size);
    if (size == 0 || tokens.empty() ||
        memory.api.llama_state_seq_get_data_ext(memory.ctx, saved.state->bytes.data(), size, id,
                                                LLAMA_STATE_SEQ_FLAGS_NONE) != size) {
        saved.state = nullptr;
    }
    return saved;
}

bool Sequence::load(const SavedSequence & saved) {
    clear();
    Tokens held = saved.tokens; // memory, before anything is there that it would be missing for
    Checkpoints checkpoints_held = saved.checkpoints;
    const std::vector<uint8_t> & bytes = saved.state->bytes;
    if (memory.api.llama_state_seq_set_data_ext(memory.ctx, bytes.data(), bytes.size(), id,
                                                LLAMA_STATE_SEQ_FLAGS_NONE) != bytes.size()) {
        clear();
        return false;
    }
    if (memory.api.llama_memory_seq_pos_max(memory.get(), id) != static_cast<llama_pos>(held.size()) - 1) {
        clear(); // of other positions than the tokens
        return false;
    }
    tokens.swap(held);
    checkpoints.swap(checkpoints_held);
    n_prompt = saved.n_prompt;
    group = 0;
    return true;
}

bool Sequence::repair() {
    if (memory.api.llama_memory_seq_rm(memory.get(), id, size(), -1)) {
        return true;
    }
    std::erase_if(checkpoints, [](const auto & one) { return !one->is_there(); });
    if (checkpoints.empty() || !go_back_to(*checkpoints.back())) {
        clear();
    }
    return false;
}

void Sequence::clear() {
    memory.api.llama_memory_seq_rm(memory.get(), id, -1, -1);
    tokens.clear();
    checkpoints.clear();
}

} // namespace z1
