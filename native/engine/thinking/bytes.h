// Reading bytes of text as patterns do, without a pattern engine: what is read is a model's, so it may be anything, and the
// time for it must be bounded.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace z1 {

/// Only those of ASCII: what is looked for is followed by other scripts without a space.
inline bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

inline bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Whether the text begins with the word; letters of ASCII in any case. `word` is in lower case.
inline bool begins(std::string_view text, std::string_view word) {
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; };
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(), [&](char b, char a) { return same(a, b); });
}

/// Whether the text ends with the word, as in begins().
inline bool ends(std::string_view text, std::string_view word) {
    return text.size() >= word.size() && begins(text.substr(text.size() - word.size()), word);
}

/// A place in a text that goes forward over what it reads, and stays where something else stands.
class Cursor {
public:
    Cursor(std::string_view text, size_t at) : text(text), at_(at) {}

    size_t at() const { return at_; }
    std::string_view rest() const { return text.substr(at_); }
    bool at_end() const { return at_ == text.size(); }
    bool before_letter() const { return at_ < text.size() && is_letter(text[at_]); }

    bool read(std::string_view word) {
        if (!begins(rest(), word)) {
            return false;
        }
        at_ += word.size();
        return true;
    }

    /// The first of the words that stands here.
    bool read_one(std::initializer_list<std::string_view> words) {
        return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return read(word); });
    }

    /// As many of the characters as there are, up to a number; returns how many.
    size_t skip(std::string_view characters, size_t most) {
        size_t n = 0;
        while (n < most && at_ < text.size() && characters.find(text[at_]) != std::string_view::npos) {
            ++at_;
            ++n;
        }
        return n;
    }

    size_t blanks(size_t most) { return skip(" \t", most); }

private:
    std::string_view text;
    size_t at_;
};

} // namespace z1
