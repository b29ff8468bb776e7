// What a vocabulary lets be said of a text before it is tokenized: how few tokens it can be, and where it can be cut without
// a change of its tokens. Where nothing can be proven, nothing is said.
#pragma once

#include "engine/model/pieces.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace z1 {

class TextBounds {
public:
    /// Nothing is known.
    TextBounds() = default;
    TextBounds(const Api & api, const llama_model * model, const Pieces & pieces);

    /// Most bytes of text that one token stands for; 0: no bound is known.
    size_t longest_token() const { return longest_token_; }

    /// Where the part of a text that begins at `from` ends: at the first cut that is known after `least` bytes, else at the
    /// text's end. With `parse_special` control tokens are recognized in it.
    size_t end_of_part(std::string_view text, size_t from, size_t least, bool parse_special) const;

private:
    struct SpecialText {
        std::string text;
        bool control; // recognized only with parse_special
    };

    bool cuts_at(char before, char after) const;
    size_t after_special(std::string_view text, size_t from, size_t begin, size_t end, bool parse_special) const;
    bool stands_alone(std::string_view text, size_t begin, size_t end) const;

    size_t longest_token_ = 0;
    bool cut_at_space = false;
    bool cut_at_newline = false;
    std::vector<SpecialText> specials; // after which a text can be cut
};

} // namespace z1
