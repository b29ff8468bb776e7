// Keeps think tags out of the generated text, whatever tokens would spell them.
#pragma once

#include "llama/api.h"

#include <memory>
#include <string>
#include <string_view>
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
};

/// The tags of one generation, watched over its sampled tokens. In a vocabulary where `<think>` is one token that token
/// is banned; where it is `<`, `th`, `ink`, `>` only the token that would complete it is, so the others stay usable.
class TagBan {
public:
    explicit TagBan(std::vector<std::shared_ptr<const TagIndex>> tags = {});

    /// Sets the logits of every token that would complete a tag to -inf. `logits`: one row of the vocabulary's size.
    void apply(float * logits) const;

    /// Bans one more tag from here on.
    void add(std::shared_ptr<const TagIndex> tag);

    void accept(std::string_view piece);

private:
    std::vector<std::shared_ptr<const TagIndex>> tags;
    size_t longest = 0;
    std::string tail; // the last bytes generated, shorter than the longest tag
};

} // namespace z1
