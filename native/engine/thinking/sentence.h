// Where the reasoning pauses, told by the bytes of its last token.
#pragma once

#include <string_view>

namespace z1 {

/// Whether a line or a sentence may end with the token: a line feed in it, or at its end a full stop, an exclamation or
/// question mark (that of Chinese and Japanese too), whatever quotes, brackets and spaces follow. A decimal point is one
/// too: what is asked here, such as how likely an end is, tells the two apart.
inline bool ends_sentence(std::string_view piece) {
    if (piece.find('\n') != std::string_view::npos) {
        return true;
    }
    const size_t last = piece.find_last_not_of(" \t\r\"')]*_`$");
    if (last == std::string_view::npos) {
        return false;
    }
    const std::string_view text = piece.substr(0, last + 1);
    return text.back() == '.' || text.back() == '!' || text.back() == '?' || text.ends_with("\xE3\x80\x82") ||
           text.ends_with("\xEF\xBC\x81") || text.ends_with("\xEF\xBC\x9F");
}

/// Whether the token ends a line. Of one such as line feed and indent, what follows the line feed begins no word yet.
inline bool ends_line(std::string_view piece) {
    const size_t feed = piece.rfind('\n');
    return feed != std::string_view::npos && piece.find_first_not_of(" \t\r", feed + 1) == std::string_view::npos;
}

} // namespace z1
