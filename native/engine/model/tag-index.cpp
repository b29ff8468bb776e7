#include "engine/model/tag-index.h"

#include "engine/model/pieces.h"

#include <string_view>

namespace z1 {

TagIndex::TagIndex(std::string tag_, const Pieces & pieces) : tag(std::move(tag_)), completing(tag.size()) {
    // Every request bans two dozen tags, so that each is looked for in vocabularies of 150,000 tokens: most of those are
    // told apart by their length and their first byte.
    const std::string_view text = tag;
    for (llama_token token = 0; token < pieces.size(); ++token) {
        const std::string_view piece = pieces[token];
        if (piece.size() >= text.size() && piece.find(text) != std::string_view::npos) {
            completing[0].push_back(token);
        }
        for (size_t n = piece.empty() ? std::string_view::npos : text.find(piece.front(), 1);
             n != std::string_view::npos; n = text.find(piece.front(), n + 1)) {
            if (piece.starts_with(text.substr(n))) {
                completing[n].push_back(token);
            }
        }
    }
}

TagIndex TagIndex::beyond(const Pieces & pieces) const {
    TagIndex result = *this;
    for (size_t n = 0; n < result.completing.size(); ++n) {
        std::erase_if(result.completing[n], [&](llama_token token) {
            const std::string_view rest = std::string_view(tag).substr(n);
            return n == 0 ? pieces[token].ends_with(rest) : pieces[token] == rest;
        });
    }
    return result;
}

} // namespace z1
