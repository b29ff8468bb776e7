#include "engine/model/tag-index.h"

#include "engine/model/pieces.h"

#include <string_view>

namespace z1 {

TagIndex::TagIndex(std::string tag_, const Pieces & pieces) : tag(std::move(tag_)), completing(tag.size()) {
    for (llama_token token = 0; token < pieces.size(); ++token) {
        const std::string_view piece = pieces[token];
        if (piece.find(tag) != std::string_view::npos) {
            completing[0].push_back(token);
        }
        for (size_t n = 1; n < tag.size(); ++n) {
            if (piece.starts_with(std::string_view(tag).substr(n))) {
                completing[n].push_back(token);
            }
        }
    }
}

} // namespace z1
