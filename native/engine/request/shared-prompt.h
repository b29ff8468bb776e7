// A prompt that several requests have in common: one of them decodes it, the others go on from a copy. Context thread only.
#pragma once

#include <vector>

namespace z1 {

struct SharedPrompt {
    bool decoded = false;      // by one of them, to its end
    std::vector<float> logits; // after its last token, before any is banned; empty where nothing was to be drawn there
};

} // namespace z1
