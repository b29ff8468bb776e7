// Which tokens of a vocabulary can complete a think tag, whatever tokens began it.
#pragma once

#include "llama/api.h"

#include <string>
#include <vector>

namespace z1 {

class Pieces;

/// The tokens of one vocabulary that can complete one tag. Built once per model and tag.
struct TagIndex {
    std::string tag;

    /// completing[n]: tokens whose piece begins with what is missing when the first n bytes of the tag stand at the end
    /// of the text; completing[0]: tokens whose piece holds the whole tag.
    std::vector<std::vector<llama_token>> completing;

    TagIndex(std::string tag, const Pieces & pieces);

    /// Without the tokens that end with the tag: those that are left complete it and go on.
    TagIndex beyond(const Pieces & pieces) const;
};

} // namespace z1
