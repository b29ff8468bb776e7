// Keeps think tags out of the generated text, whatever tokens would spell them.
#pragma once

#include "engine/model/tag-index.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace z1 {

/// The tags of one generation, watched over its sampled tokens. In a vocabulary where `<think>` is one token that token
/// is banned; where it is `<`, `th`, `ink`, `>` only the token that would complete it is, so the others stay usable.
class TagBan {
public:
    /// Sets the logits of every token that would complete a tag to -inf. `logits`: one row of the vocabulary's size.
    void apply(float * logits) const;

    /// Bans a tag from here on.
    void add(std::shared_ptr<const TagIndex> tag);

    /// A tag that was added is not banned any more.
    void lift(const std::string & tag);

    void accept(std::string_view piece);

private:
    std::vector<std::shared_ptr<const TagIndex>> tags;
    size_t longest = 0;
    std::string tail; // the last bytes generated, shorter than the longest tag
};

} // namespace z1
