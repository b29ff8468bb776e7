#include "engine/context/prompt-cache.h"

#include <algorithm>

namespace z1 {

void PromptCache::keep(Sequence & sequence, size_t n) {
    if (!sequence.loses_prompt(n)) {
        return;
    }
    sequence.prepare_save();
    if (!memory.saved.make_room(sequence.state_size())) {
        return;
    }
    std::list<SavedSequence> saved;
    saved.push_back(sequence.save());
    if (!saved.front().state) {
        return;
    }
    memory.saved.add(saved.front().state);
    const std::vector<llama_token> & tokens = saved.front().tokens;
    std::erase_if(entries, [&](const SavedSequence & one) {
        // What was given up, and what the new one begins with.
        return !one.state->is_there() ||
               (one.tokens.size() <= tokens.size() && std::equal(one.tokens.begin(), one.tokens.end(), tokens.begin()));
    });
    entries.splice(entries.end(), saved);
}

std::list<SavedSequence> PromptCache::take(const std::vector<llama_token> & prompt, bool draws, size_t n) {
    std::erase_if(entries, [](const SavedSequence & one) { return !one.state->is_there(); });
    auto best = entries.end();
    for (auto at = entries.begin(); at != entries.end(); ++at) {
        const size_t reused = Sequence::reusable(*at, memory, prompt, draws);
        if (reused > n) {
            best = at;
            n = reused;
        }
    }
    std::list<SavedSequence> taken;
    if (best != entries.end()) {
        taken.splice(taken.end(), entries, best);
    }
    return taken;
}

} // namespace z1
