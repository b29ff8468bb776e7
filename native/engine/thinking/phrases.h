// The phrases that state a final answer, in English and in the other languages that models answer in: those of
// lib/reason/phrases.ts, on bytes.
#pragma once

#include <optional>
#include <string_view>

namespace z1 {

struct Phrase {
    enum class Kind {
        before_value, // the answer is …
        heading,      // #### …, whose value is the rest of its line
        after_value,  // … is the answer
    };

    Kind kind;
    size_t begin;
    size_t end;
};

/// The one that begins last.
std::optional<Phrase> last_phrase(std::string_view text);

/// Whether the text before a phrase makes a condition of it (`if the answer is 5`): it states nothing then.
bool is_condition(std::string_view before);

} // namespace z1
