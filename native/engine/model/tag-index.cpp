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

} // namespace z1
