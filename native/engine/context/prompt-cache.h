// What sequences held before another prompt took their place, in memory of ours. Context thread only.
#pragma once

#include "engine/context/sequence.h"

#include <list>
#include <vector>

namespace z1 {

class PromptCache {
public:
    explicit PromptCache(const Memory & memory) : memory(memory) {}

    /// What the sequence holds, if a prompt that keeps n of its tokens would lose a prompt with it.
    void keep(Sequence & sequence, size_t n);

    /// What holds most of the prompt, and more than n of its tokens; it is in the cache no more. Nothing when there is none.
    std::list<SavedSequence> take(const std::vector<llama_token> & prompt, bool draws, size_t n);

private:
    const Memory & memory;
    std::list<SavedSequence> entries; // oldest first
};

} // namespace z1
