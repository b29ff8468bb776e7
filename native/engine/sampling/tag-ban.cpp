#include "engine/sampling/tag-ban.h"

#include <algorithm>
#include <cmath>

namespace z1 {

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
