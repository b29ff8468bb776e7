#include "engine/thinking/bytes.h"
#include "engine/thinking/sentence.h"
#include "engine/thinking/stated.h"

#include <algorithm>

namespace z1 {

void StatedAnswer::push(std::string_view bytes) {
    if (tail.size() + bytes.size() > 2 * longest) {
        tail.erase(0, tail.size() - std::min(tail.size(), longest));
    }
    tail += bytes;
    for (const char c : bytes) {
        n_ticks = c == '`' ? n_ticks + 1 : 0;
        if (n_ticks == 3) {
            in_code = !in_code;
        }
    }
}

bool StatedAnswer::settles(std::string_view piece) const {
    const size_t n = tail.size();
    const bool decimal = n > 1 && tail[n - 1] == '.' && is_digit(tail[n - 2]);
    return !decimal && ends_sentence(piece) && stands();
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
