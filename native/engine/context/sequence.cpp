#include "engine/context/sequence.h"

#include "error.h"

#include <algorithm>

namespace z1 {

namespace {

// A shorter prefix is decoded again. Reusing it would save next to nothing, and the arithmetic depends on how tokens are
// grouped into decodes: prompts that share only a BOS or a few template tokens then give the same result as in an empty
// context.
constexpr size_t min_reuse = 16;

} // namespace

size_t Sequence::reusable(const std::vector<llama_token> & prompt) const {
    const size_t most = std::min(tokens.size(), prompt.size() - 1);
    const size_t common = std::mismatch(tokens.begin(), tokens.begin() + most, prompt.begin()).first - tokens.begin();
    return common < min_reuse ? 0 : common;
}

size_t Sequence::sync(const std::vector<llama_token> & prompt, bool reuse) {
    truncate(reuse ? reusable(prompt) : 0);
    return tokens.size();
}

bool Sequence::holds(const std::vector<llama_token> & prompt, uint32_t of) const {
    return of != 0 && group == of && tokens.size() >= prompt.size() &&
           std::equal(prompt.begin(), prompt.end(), tokens.begin());
}

void Sequence::share(const Sequence & other) {
    clear(); // llama_memory_seq_cp adds to what is there
    api.llama_memory_seq_cp(memory, other.id, id, -1, -1);
    tokens = other.tokens;
}

void Sequence::copy(const Sequence & other, llama_context * ctx, std::vector<uint8_t> & buffer) {
    clear();
    buffer.resize(api.llama_state_seq_get_size(ctx, other.id));
    const size_t size = api.llama_state_seq_get_data(ctx, buffer.data(), buffer.size(), other.id);
    if (size == 0 || api.llama_state_seq_set_data(ctx, buffer.data(), size, id) == 0) {
        throw Error(ErrorCode::DECODE_FAILED,
                    "llama.cpp could not copy a sequence to a branch: kvCache 'shared' needs no copy");
    }
    tokens = other.tokens;
}

bool Sequence::repair() {
    if (api.llama_memory_seq_rm(memory, id, size(), -1)) {
        return true;
    }
    clear();
    return false;
}

void Sequence::truncate(size_t n) {
    if (n == tokens.size()) {
        return;
    }
    // Recurrent memory cannot give up a part of a sequence (llama.h, llama_memory_seq_rm).
    if (n == 0 || !api.llama_memory_seq_rm(memory, id, static_cast<llama_pos>(n), -1)) {
        clear();
        return;
    }
    tokens.resize(n);
}

void Sequence::clear() {
    api.llama_memory_seq_rm(memory, id, -1, -1);
    tokens.clear();
}

} // namespace z1
