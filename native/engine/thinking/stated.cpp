#include "engine/thinking/stated.h"

#include "engine/thinking/bytes.h"
#include "engine/thinking/phrases.h"

#include <algorithm>

namespace z1 {

namespace {

constexpr auto none = std::string_view::npos;

// White space, and marks that end a sentence, a formula or an emphasis, from `at` on.
size_t skip_closers(std::string_view text, size_t at) {
    constexpr std::string_view several[] = { "\\]",        "\\)",  "</answer>",    "</b>",
                                             "<|im_end|>", "</s>", "\xE3\x80\x82", "\xE2\x80\x9D" };
    while (at < text.size()) {
        if (is_space(text[at]) || std::string_view(".,;!\"'*_`$)").find(text[at]) != none) {
            ++at;
            continue;
        }
        const auto mark = std::find_if(std::begin(several), std::end(several),
                                       [&](std::string_view one) { return text.substr(at).starts_with(one); });
        if (mark == std::end(several)) {
            break;
        }
        at += mark->size();
    }
    return at;
}

bool only_closers(std::string_view text) {
    return skip_closers(text, 0) == text.size();
}

} // namespace

// lib/reason/boxes.ts: the last box, closed and not empty, is the end of the text.
bool ends_with_box(std::string_view text) {
    const size_t close = text.rfind('}');
    if (close == none || !only_closers(text.substr(close + 1))) {
        return false;
    }
    int depth = 0;
    for (size_t i = close + 1; i-- > 0;) {
        const bool escaped = i > 0 && text[i - 1] == '\\';
        if (text[i] == '}' && !escaped) {
            ++depth;
        } else if (text[i] == '{' && !escaped && --depth == 0) {
            const std::string_view content = text.substr(i + 1, close - i - 1);
            if (std::all_of(content.begin(), content.end(), is_space)) {
                return false;
            }
            size_t end = i;
            while (end > 0 && is_space(text[end - 1])) {
                --end;
            }
            const std::string_view before = text.substr(0, end);
            return before.ends_with("\\boxed") || before.ends_with("\\fbox");
        }
    }
    return false;
}

namespace {

struct Sentence {
    size_t end; // where the sentence ends in its line, the full stop left out
    bool ended; // by a mark, else by the end of the line
    bool asked;
};

// The last byte of a formula or of code that begins at `at`; `at` if none does.
size_t span_end(std::string_view line, size_t at) {
    const auto until = [&](std::string_view open, std::string_view close) {
        const size_t found = line.find(close, at + open.size());
        return found == none ? at : found + close.size() - 1;
    };
    const std::string_view rest = line.substr(at);
    if (rest.starts_with("\\(")) {
        return until("\\(", "\\)");
    }
    if (rest.starts_with("\\[")) {
        return until("\\[", "\\]");
    }
    if (rest.starts_with("$$")) {
        return until("$$", "$$");
    }
    if (rest.starts_with("`")) {
        return until("`", "`");
    }
    const size_t end = rest.starts_with("$") ? until("$", "$") : at;
    // Between two prices stands no formula.
    return end > at + 1 && is_space(line[at + 1]) == is_space(line[end - 1]) ? end : at;
}

// The last word before a dot.
bool is_abbreviation(std::string_view before) {
    const size_t space = before.find_last_of(" \t(");
    const std::string_view word = before.substr(space == none ? 0 : space + 1);
    constexpr std::string_view known[] = { "dr", "mr", "mrs", "ms",  "st",  "mt",  "prof", "jr",
                                           "vs", "ca", "no",  "e.g", "i.e", "u.s", "d.c",  "approx" };
    const bool initial = word.size() == 1 && word[0] >= 'A' && word[0] <= 'Z' && space != none && space > 0 &&
                         is_letter(before[space - 1]) && before[space - 1] < 'a';
    return initial || std::any_of(std::begin(known), std::end(known),
                                  [&](std::string_view one) { return word.size() == one.size() && begins(word, one); });
}

// lib/reason/values.ts, firstSentence; clauses that say why stay with it.
Sentence first_sentence(std::string_view line) {
    int depth = 0;
    for (size_t i = 0; i < line.size(); ++i) {
        const size_t span = span_end(line, i);
        if (span > i) {
            i = span;
            continue;
        }
        const char c = line[i];
        const std::string_view rest = line.substr(i);
        if (c == '(' || c == '[' || c == '{') {
            ++depth;
        } else if (c == ')' || c == ']' || c == '}') {
            depth = std::max(0, depth - 1);
        } else if (rest.starts_with("\xE3\x80\x82") || rest.starts_with("\xEF\xBC\x81")) {
            return { i, true, false };
        } else if (rest.starts_with("\xEF\xBC\x9F")) {
            return { i, true, true };
        } else if (depth == 0 && (rest.starts_with("</") || rest.starts_with("<|"))) {
            return { i, true, false };
        } else if (depth == 0 && (c == '.' || c == '?' || c == '!')) {
            const size_t next = line.find_first_not_of("\"*_`", i + 1);
            const bool alone = next == none || is_space(line[next]) || line[next] == '<';
            if (!alone) {
                continue;
            }
            if (c == '?') {
                return { i, true, true };
            }
            if (c == '.' && !is_abbreviation(line.substr(0, i))) {
                return { i, true, false };
            }
            // `5!` is a value; after a word, and before another sentence, the mark is no factorial.
            if (c == '!' && i > 0 && is_letter(line[i - 1]) && next != none) {
                return { i, true, false };
            }
        }
    }
    return { line.size(), false, false };
}

// After a phrase: the value comes later. lib/reason/phrases.ts, FILLER.
size_t filler_end(std::string_view text) {
    Cursor cursor(text, 0);
    size_t end = 0;
    for (int i = 0; i < 2; ++i) {
        while (cursor.skip(" \t\r\n:,", 4) > 0 || cursor.read("：")) {}
        if (!cursor.read_one({ "approximately equal to",
                               "therefore",
                               "thus",
                               "then",
                               "hence",
                               "simply",
                               "just",
                               "indeed",
                               "still",
                               "now",
                               "clearly",
                               "also",
                               "actually",
                               "exactly",
                               "equal to",
                               "given by",
                               "given as",
                               "as follows",
                               "definitely",
                               "probably",
                               "likely" }) ||
            cursor.before_letter() || cursor.rest().starts_with("-")) {
            break;
        }
        end = cursor.at();
    }
    return end;
}

// What is said of an answer and is none. lib/reason/phrases.ts, REMARK.
bool is_remark(std::string_view value) {
    Cursor cursor(value, 0);
    if (cursor.read_one({ "that it", "that we", "that this" })) {
        return true;
    }
    cursor.read("in");
    const bool known = cursor.read_one({ "correct",  "wrong",      "unclear", "unknown",  "undetermined", "not",
                                         "clear",    "obvious",    "known",   "verified", "confirmed",    "consistent",
                                         "obtained", "found",      "derived", "based",    "below",        "above",
                                         "here",     "reasonable", "simple",  "easy",     "supposed",     "expected",
                                         "required", "needed",     "always",  "already",  "right" });
    return known && !cursor.before_letter();
}

// The marks at the beginning of a value left out.
std::string_view value_of(std::string_view sentence) {
    size_t begin = 0;
    while (begin < sentence.size()) {
        if (sentence.substr(begin).starts_with("：")) {
            begin += 3;
        } else if (is_space(sentence[begin]) || std::string_view(":*_#`\"$").find(sentence[begin]) != none) {
            ++begin;
        } else {
            break;
        }
    }
    return sentence.substr(begin);
}

bool has_value(std::string_view value) {
    return std::any_of(value.begin(), value.end(),
                       [](char c) { return is_letter(c) || is_digit(c) || static_cast<signed char>(c) < 0; });
}

// What closes a fence or a formula on lines of its own that begins the text; empty: none does. `inside`: where its content
// begins.
std::string_view closer_of_block(std::string_view text, size_t & inside) {
    Cursor cursor(text, 0);
    cursor.skip(" \t\r\n*:", 8);
    cursor.read("：");
    if (cursor.read("```")) {
        const size_t feed = cursor.rest().find('\n');
        inside = cursor.at() + (feed == none ? 0 : feed);
        return feed != none && cursor.rest().substr(0, feed).find('`') == none ? "\n```" : "";
    }
    std::string_view closer;
    if (cursor.read("$$")) {
        closer = "$$";
    } else if (cursor.read("\\[")) {
        closer = "\\]";
    } else if (cursor.read_one({ "\\begin{align", "\\begin{equation", "\\begin{gather" })) {
        closer = "\\end{";
    }
    inside = cursor.at();
    return closer;
}

// Whether the value that begins after a phrase is all there, and the rest of the text. lib/reason/values.ts, valueAt.
bool ends_with_value(std::string_view text) {
    for (int lines = 0; lines <= 3; ++lines) {
        const size_t gap = text.find_first_not_of(" \t\r\n\v\f");
        if (gap == none || gap > 100) {
            return false;
        }
        text.remove_prefix(gap);
        size_t inside = 0;
        if (const std::string_view closer = closer_of_block(text, inside); !closer.empty()) {
            const size_t close = text.find(closer, inside);
            if (close == none || !has_value(text.substr(inside, close - inside))) {
                return false;
            }
            const size_t after = closer == "\\end{" ? text.find('}', close) : close + closer.size() - 1;
            return after != none && only_closers(text.substr(after + 1));
        }
        const size_t feed = text.find('\n');
        const std::string_view line = text.substr(0, feed);
        const Sentence sentence = first_sentence(line);
        const std::string_view value = value_of(line.substr(0, sentence.end));
        const size_t last = line.find_last_not_of(" \t\r*");
        const bool leads_in = last != none && (line[last] == ':' || line.substr(0, last + 1).ends_with("：")) &&
                              std::none_of(value.begin(), value.end(), is_digit);
        if (!has_value(value) || leads_in) {
            if (feed == none) {
                return false;
            }
            text.remove_prefix(feed + 1);
            continue;
        }
        if (sentence.asked || is_remark(value)) {
            return false;
        }
        return (sentence.ended || feed != none) && only_closers(text.substr(sentence.end));
    }
    return false;
}

// lib/reason/phrases.ts, isHeadedValue: GSM8K's `#### 72`.
bool is_headed_value(std::string_view value) {
    if (value.size() == 1 && value[0] >= 'A' && value[0] <= 'J') {
        return true;
    }
    Cursor cursor(value, 0);
    cursor.read_one({ "-", "+", "$", "€", "£", "¥", "−" });
    cursor.blanks(1);
    const std::string_view number = cursor.rest();
    if (number.empty() || !(is_digit(number[0]) || std::string_view(".(\\").find(number[0]) != none)) {
        return false;
    }
    Cursor item(value, 0);
    if (item.skip("0123456789", value.size()) > 0 && item.skip(".):", 1) > 0 && item.blanks(1) > 0) {
        return false; // the number of a step
    }
    size_t n_words = 0; // in a row
    for (size_t i = 0; i < value.size(); ++i) {
        if (is_letter(value[i])) {
            const size_t begin = i;
            while (i < value.size() && is_letter(value[i])) {
                ++i;
            }
            n_words = i - begin >= 2 ? n_words + 1 : 0;
            if (n_words == 2) {
                return false;
            }
        }
        n_words = i < value.size() && is_space(value[i]) ? n_words : 0;
    }
    return true;
}

bool ends_with_phrase(std::string_view text) {
    const std::optional<Phrase> phrase = last_phrase(text);
    if (!phrase) {
        return false;
    }
    const std::string_view rest = text.substr(phrase->end);
    if (phrase->kind == Phrase::Kind::after_value) {
        return !rest.empty() && only_closers(rest);
    }
    if (phrase->kind == Phrase::Kind::heading) {
        const size_t feed = rest.find('\n');
        std::string_view value = rest.substr(0, feed);
        value = value.substr(0, value.find_last_not_of(" \t\r.,;") + 1);
        return feed != none && feed <= 200 && only_closers(rest.substr(feed)) && is_headed_value(value);
    }
    return !is_condition(text.substr(0, phrase->begin)) && ends_with_value(rest.substr(filler_end(rest)));
}

} // namespace

bool ends_with_answer(std::string_view text) {
    return ends_with_box(text) || ends_with_phrase(text);
}

} // namespace z1
