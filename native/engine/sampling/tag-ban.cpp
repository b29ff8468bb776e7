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
    const auto ban = [&](const std::vector<llama_token> & tokens) {
        for (const llama_token token : tokens) {
            logits[token] = -INFINITY;
        }
    };
    for (const auto & index : tags) {
        const std::string_view tag = index->tag;
        ban(index->completing[0]);
        // Two dozen tags are watched at every token: nearly always the last byte tells that none has begun.
        for (size_t n = 1; n < tag.size() && !text.empty(); ++n) {
            if (tag[n - 1] == text.back() && text.ends_with(tag.substr(0, n))) {
                ban(index->completing[n]);
            }
        }
    }
}

void TagBan::lift(const std::string & tag) {
    std::erase_if(tags, [&](const auto & index) { return index->tag == tag; });
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
