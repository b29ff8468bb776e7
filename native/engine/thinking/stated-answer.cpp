#include "engine/thinking/bytes.h"
#include "engine/thinking/stated.h"

#include <algorithm>

namespace z1 {

void StatedAnswer::push(std::string_view bytes) {
    if (tail.size() + bytes.size() > 2 * longest) {
        tail.erase(0, tail.size() - std::min(tail.size(), longest));
    }
    tail += bytes;
}

bool StatedAnswer::closes_box(std::string_view piece) const {
    return piece.find('}') != std::string_view::npos && ends_with_box(tail);
}

bool StatedAnswer::says_wait(std::string_view piece) const {
    constexpr std::string_view word = "Wait";
    std::string_view text = tail;
    const size_t end = text.find_last_not_of(" \t,.!-\n") + 1; // 0 where there is nothing else
    text = text.substr(0, end);
    const bool is_new = tail.size() - end < piece.size();
    return is_new && text.ends_with(word) && (text.size() == word.size() || !is_letter(text[text.size() - 5]));
}

} // namespace z1
