// Whether the reasoning has just stated its answer, and not gone on since. The rules are those of extractFinalAnswer in
// lib/reason, on bytes, and stricter in one thing: a value that may still grow (`4` of `42`) is not stated yet. What is
// stated here, extractFinalAnswer finds; test/reason/stated.test.ts holds the two to that.
#pragma once

#include <string>
#include <string_view>

namespace z1 {

/// Whether the text ends in a whole `\boxed{…}`, or in a sentence or line that states the final answer. What may follow is
/// white space and the marks that close a sentence or a formula.
bool ends_with_answer(std::string_view text);

/// Whether it ends in such a box.
bool ends_with_box(std::string_view text);

/// The end of the reasoning, as much of it as a statement may be long.
class StatedAnswer {
public:
    /// The bytes of a token. Constant time, but for a move now and then.
    void push(std::string_view bytes);

    /// Whether an answer stands here. Reads all that is kept: for a cut, not for every token. In a block of code none does: a
    /// comment such as `# Final answer` says what the next line prints.
    bool stands() const { return !in_code && ends_with_answer(tail); }

    /// Whether a sentence or a line that states an answer has ended in `piece`, the last bytes that were given. A full stop
    /// after a digit may be a decimal point, and ends nothing.
    bool settles(std::string_view piece) const;

    /// Whether the box of an answer ended in `piece`, the last bytes that were given. Cheap where there is no brace.
    bool closes_box(std::string_view piece) const;

    /// Whether the word `Wait` ended in `piece`, the last bytes that were given.
    bool says_wait(std::string_view piece) const;

private:
    static constexpr size_t longest = 1024; // bytes of a statement

    std::string tail;
    size_t n_ticks = 0;   // backquotes at the end, one after the other
    bool in_code = false; // after ``` that no other has closed
};

} // namespace z1
