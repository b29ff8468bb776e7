#include "engine/tag-ban.h"

#include "engine/pieces.h"

#include <algorithm>
#include <cmath>

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

TagBan::TagBan(std::vector<std::shared_ptr<const TagIndex>> tags_) {
    for (auto & index : tags_) {
        add(std::move(index));
    }
}

void TagBan::add(std::shared_ptr<const TagIndex> tag) {
    longest = std::max(longest, tag->tag.size());
    tags.push_back(std::move(tag));
}

void TagBan::apply(float * logits) const {
    const std::string_view text = tail;
    for (const auto & index : tags) {
        const std::string_view tag = index->tag;
        for (size_t n = 0; n < tag.size(); ++n) {
            if (text.ends_with(tag.substr(0, n))) {
                for (const llama_token token : index->completing[n]) {
                    logits[token] = -INFINITY;
                }
            }
        }
    }
}

void TagBan::accept(std::string_view piece) {
    if (tags.empty()) {
        return;
    }
    tail += piece;
    if (tail.size() >= longest) {
        tail.erase(0, tail.size() - (longest - 1));
    }
}

} // namespace z1
