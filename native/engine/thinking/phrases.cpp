#include "engine/thinking/phrases.h"

#include "engine/thinking/bytes.h"

namespace z1 {

namespace {

using Kind = Phrase::Kind;
constexpr auto none = std::string_view::npos;

void emphasis(Cursor & cursor) {
    cursor.read_one({ "**", "__" });
}

bool colon(Cursor cursor, size_t & end) {
    cursor.blanks(4);
    emphasis(cursor);
    cursor.blanks(4);
    if (!cursor.read_one({ ":", "=", "：" })) {
        return false;
    }
    end = cursor.at();
    return true;
}

// is; should be; comes to; …
bool verb(Cursor cursor, size_t & end) {
    if (cursor.blanks(4) == 0) {
        return false;
    }
    if (cursor.read_one({ "should", "would", "must", "will", "can only", "has to" })) {
        cursor.read_one({ " therefore", " thus", " then", " hence" });
        if (!cursor.read(" be")) {
            return false;
        }
    } else if (cursor.read_one({ "comes", "works" })) {
        cursor.read(" out");
        if (!cursor.read(" to")) {
            return false;
        }
        cursor.read(" be");
    } else if (!cursor.read_one({ "is", "was", "equals", "turns out to be", "are" })) {
        return false;
    }
    if (cursor.before_letter() || cursor.rest().starts_with("'") || cursor.rest().starts_with("’")) {
        return false;
    }
    end = cursor.at();
    return true;
}

// After `answer`: its verb, perhaps with what it is the answer to before.
bool verb_after(Cursor cursor, size_t & end) {
    emphasis(cursor);
    if (verb(cursor, end)) {
        return true;
    }
    if (cursor.blanks(1) == 0 || !cursor.read_one({ "to", "for", "of", "here", "we", "in" }) ||
        cursor.before_letter()) {
        return false;
    }
    const std::string_view rest = cursor.rest();
    for (size_t i = 0; i < rest.size() && i <= 80; ++i) {
        if (verb(Cursor(rest, i), end)) {
            end += cursor.at();
            return true;
        }
        const bool ends_sentence = rest[i] == '.' && (i + 1 == rest.size() || is_space(rest[i + 1]));
        if (rest[i] == '\n' || rest[i] == ':' || ends_sentence) {
            return false;
        }
    }
    return false;
}

// A heading `answer` from `begin` on, alone on its line.
bool alone_on_line(std::string_view text, size_t begin, size_t end, size_t & after) {
    Cursor cursor(text, end);
    cursor.skip("*_ \t", 8);
    cursor.skip("\r", 1);
    if (!cursor.at_end() && !cursor.rest().starts_with("\n")) {
        return false;
    }
    const size_t feed = text.substr(0, begin).rfind('\n');
    const size_t start = feed == none ? 0 : feed + 1;
    Cursor line(text.substr(0, begin), start);
    const size_t n_marks = line.skip("#*_ \t", 12);
    const bool final = line.read("final");
    if ((final || line.read("correct")) && line.blanks(4) == 0) {
        return false;
    }
    after = cursor.at();
    if (!line.at_end()) {
        return false;
    }
    // Within a sentence that is broken into lines it is the last word of one.
    return n_marks > 0 || final || (!cursor.at_end() && text[begin] == 'A');
}

// The word before, with the blanks after it: its begin, or `begin` if it is none of them.
size_t with_word_before(std::string_view text, size_t begin, std::initializer_list<std::string_view> words) {
    size_t end = begin;
    while (end > 0 && begin - end < 4 && (text[end - 1] == ' ' || text[end - 1] == '\t')) {
        --end;
    }
    for (const std::string_view word : words) {
        const std::string_view before = text.substr(0, end);
        if (end < begin && ends(before, word) && (end == word.size() || !is_letter(text[end - word.size() - 1]))) {
            return end - word.size();
        }
    }
    return begin;
}

// … so $x$ is our answer
bool follows_value(std::string_view text, size_t begin) {
    std::string_view before = text.substr(0, begin);
    for (const std::string_view word : { "final ", "correct " }) {
        if (ends(before, word)) {
            before.remove_suffix(word.size());
            break;
        }
    }
    for (const std::string_view words : { " is the ", " is our ", " is my " }) {
        if (ends(before, words)) {
            before.remove_suffix(words.size());
            for (const std::string_view mark : { "$", "\\)", "**" }) {
                const std::string_view open = mark == "\\)" ? "\\(" : mark;
                if (before.ends_with(mark) && before.size() > mark.size()) {
                    const size_t from = before.rfind(open, before.size() - mark.size() - 1);
                    return from != none && before.size() - mark.size() - from > open.size() &&
                           before.find('\n', from) == none;
                }
            }
        }
    }
    return false;
}

std::optional<Phrase> english_at(std::string_view text, size_t at) {
    Cursor cursor(text, at);
    size_t end = 0;
    if (cursor.read("<answer>")) {
        return Phrase { Kind::before_value, at, cursor.at() };
    }
    if (at > 0 && is_letter(text[at - 1])) {
        return {};
    }
    const auto before = [&](size_t begin) {
        return with_word_before(text, begin, { "the", "my", "our", "your", "final", "correct", "right", "best" });
    };
    if (cursor.read("answer")) {
        if (Cursor(cursor).blanks(1) == 1) {
            const std::string_view rest = cursor.rest().substr(1);
            if (rest.size() >= 3 && rest[0] == '(' && rest[1] >= 'A' && rest[1] <= 'J' && rest[2] == ')') {
                return Phrase { Kind::before_value, at, cursor.at() + 1 };
            }
        }
        if (!cursor.before_letter() && follows_value(text, at)) {
            return Phrase { Kind::after_value, at, cursor.at() };
        }
        if (alone_on_line(text, at, cursor.at(), end)) {
            return Phrase { Kind::before_value, at, end };
        }
        cursor.read("s");
        if (verb_after(cursor, end) || colon(cursor, end)) {
            return Phrase { Kind::before_value, before(at), end };
        }
    } else if (cursor.read("final result")) {
        if (verb_after(cursor, end) || colon(cursor, end)) {
            return Phrase { Kind::before_value, before(at), end };
        }
    } else if (cursor.read("ans")) {
        if (colon(cursor, end)) {
            return Phrase { Kind::before_value, at, end };
        }
    } else if (cursor.read_one({ "correct option", "correct choice" }) && verb_after(cursor, end)) {
        return Phrase { Kind::before_value, before(at), end };
    }
    return {};
}

bool is_word_before(std::string_view text, size_t at, std::initializer_list<std::string_view> words) {
    return with_word_before(text, at, words) < at;
}

// Languages that have spaces: la respuesta final es …, Antwort: …, Ответ — …
std::optional<Phrase> european_at(std::string_view text, size_t at) {
    Cursor cursor(text, at);
    size_t end = 0;
    if ((at > 0 && is_letter(text[at - 1])) ||
        !cursor.read_one({ "respuesta", "risposta", "resposta", "réponse", "antwort", "endergebnis", "antwoord",
                           "odpowiedź", "cevap", "jawaban", "svar", "vastaus", "odpověď", "đáp án", "Đáp án",
                           "відповідь", "Відповідь", "ответ", "Ответ" })) {
        return {};
    }
    const std::string_view noun = text.substr(at, cursor.at() - at);
    const auto found = [&](size_t end) { return Phrase { Kind::before_value, at, end }; };
    if (begins(noun, "antwort") && is_word_before(text, at, { "ist die", "lautet die" }) && !cursor.before_letter()) {
        return found(cursor.at());
    }
    const bool has_article = is_word_before(text, at,
                                            { "la", "una", "a", "die", "het", "die endgültige", "die richtige",
                                              "die korrekte", "die finale", "het juiste", "het definitieve" });
    cursor.read_one(
        { " finale", " final", " correcta", " corretta", " correta", " correcte", " definitiva", " certa", " exacte" });
    if (colon(cursor, end)) {
        return found(end);
    }
    if (cursor.blanks(2) == 0 ||
        !(cursor.read_one({ "—", "–", "là", "равен", "adalah", "jest" }) ||
          (has_article && cursor.read_one({ "est", "es", "è", "sería", "é", "ist", "lautet", "is" })))) {
        return {};
    }
    return cursor.before_letter() ? std::nullopt : std::optional(found(cursor.at()));
}

// 答案是 …, 答：…, 정답은 …
std::optional<Phrase> east_asian_at(std::string_view text, size_t at) {
    if (static_cast<unsigned char>(text[at]) < 0xE0) {
        return {}; // no byte that begins one of these characters
    }
    Cursor cursor(text, at);
    const auto found = [&] { return Phrase { Kind::before_value, at, cursor.at() }; };
    if (cursor.read_one({ "故选", "因此选", "所以选", "应选" })) {
        cursor.read_one({ ":", "：" });
        return found();
    }
    if (cursor.read_one({ "答案", "最终结果" })) {
        cursor.blanks(2);
        emphasis(cursor);
        cursor.read_one({ "应该", "應該", "应", "就" });
        return cursor.read_one({ "是", "为", "為", ":", "：", "=" }) ? std::optional(found()) : std::nullopt;
    }
    if (cursor.read_one({ "정답", "답변", "답" })) {
        if (cursor.read("은")) {
            return found();
        }
        cursor.blanks(2);
        return cursor.read_one({ ":", "：" }) ? std::optional(found()) : std::nullopt;
    }
    const bool takes_particle = begins(cursor.rest(), "答え") || begins(cursor.rest(), "回答") ||
                                begins(cursor.rest(), "解答") || begins(cursor.rest(), "正解");
    if (!cursor.read_one({ "答え", "回答", "解答", "正解", "答" })) {
        return {};
    }
    if (takes_particle && cursor.read("は")) {
        return found();
    }
    if (begins(text.substr(at), "回答")) {
        return {};
    }
    cursor.blanks(2);
    emphasis(cursor);
    return cursor.read_one({ ":", "：" }) ? std::optional(found()) : std::nullopt;
}

// GSM8K's mark, at the beginning of a line.
std::optional<Phrase> heading_at(std::string_view text, size_t at) {
    Cursor cursor(text, at);
    if ((at > 0 && text[at - 1] != '\n') || !cursor.read("####") || cursor.blanks(4) == 0) {
        return {};
    }
    return Phrase { Kind::heading, at, cursor.at() };
}

} // namespace

std::optional<Phrase> last_phrase(std::string_view text) {
    for (size_t at = text.size(); at-- > 0;) {
        for (const auto phrase_at : { english_at, heading_at, european_at, east_asian_at }) {
            if (const auto phrase = phrase_at(text, at)) {
                return phrase;
            }
        }
    }
    return {};
}

bool is_condition(std::string_view before) {
    while (!before.empty() && is_space(before.back())) {
        before.remove_suffix(1);
    }
    size_t begin = before.size();
    while (begin > 0 && is_letter(before[begin - 1])) {
        --begin;
    }
    const std::string_view word = before.substr(begin);
    constexpr std::string_view conditions[] = { "if",       "whether", "unless", "suppose", "assume",
                                                "assuming", "when",    "until",  "once",    "that" };
    return std::any_of(std::begin(conditions), std::end(conditions),
                       [&](std::string_view one) { return word.size() == one.size() && begins(word, one); });
}

} // namespace z1
