#include "engine/request/text.h"

#include "check.h"

#include <algorithm>
#include <random>
#include <set>

using namespace z1;

namespace {

const std::string fffd = "\xEF\xBF\xBD";

std::string encode(uint32_t c) {
    const auto byte = [](uint32_t bits) { return static_cast<char>(bits); };
    const auto tail = [&](int shift) { return byte(0x80 | (c >> shift & 0x3F)); };
    return c < 0x80    ? std::string { byte(c) }
         : c < 0x800   ? std::string { byte(0xC0 | c >> 6), tail(0) }
         : c < 0x10000 ? std::string { byte(0xE0 | c >> 12), tail(6), tail(0) }
                       : std::string { byte(0xF0 | c >> 18), tail(12), tail(6), tail(0) };
}

// The decoder of the WHATWG encoding standard, step by step.
std::string standard(std::string_view bytes) {
    std::string text;
    uint32_t code_point = 0;
    int seen = 0;
    int needed = 0;
    uint8_t lower = 0x80;
    uint8_t upper = 0xBF;
    for (size_t i = 0; i < bytes.size();) {
        const uint8_t byte = static_cast<uint8_t>(bytes[i]);
        if (needed == 0) {
            ++i;
            if (byte <= 0x7F) {
                text += bytes[i - 1];
            } else if (byte >= 0xC2 && byte <= 0xDF) {
                needed = 1;
                code_point = byte & 0x1F;
            } else if (byte >= 0xE0 && byte <= 0xEF) {
                lower = byte == 0xE0 ? 0xA0 : lower;
                upper = byte == 0xED ? 0x9F : upper;
                needed = 2;
                code_point = byte & 0xF;
            } else if (byte >= 0xF0 && byte <= 0xF4) {
                lower = byte == 0xF0 ? 0x90 : lower;
                upper = byte == 0xF4 ? 0x8F : upper;
                needed = 3;
                code_point = byte & 0x7;
            } else {
                text += fffd;
            }
            continue;
        }
        const bool fits = byte >= lower && byte <= upper;
        lower = 0x80;
        upper = 0xBF;
        if (!fits) {
            code_point = needed = seen = 0;
            text += fffd; // and the byte is read again
            continue;
        }
        ++i;
        code_point = code_point << 6 | (byte & 0x3F);
        if (++seen == needed) {
            text += encode(code_point);
            code_point = needed = seen = 0;
        }
    }
    return needed > 0 ? text + fffd : text;
}

bool is_scalar(uint32_t c) {
    return c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF);
}

// Every beginning of a character that is not the whole of it.
const std::set<std::string> & beginnings() {
    static const std::set<std::string> all = [] {
        std::set<std::string> all;
        for (uint32_t c = 0x80; c <= 0x10FFFF; ++c) {
            if (is_scalar(c)) {
                std::string bytes = encode(c);
                while (bytes.pop_back(), !bytes.empty() && all.insert(bytes).second) {}
            }
        }
        return all;
    }();
    return all;
}

std::string random_bytes(std::mt19937 & random, size_t n) {
    // Bytes at the edges of the standard's ranges, so that sequences come near to being characters.
    static const unsigned char edges[] = { 0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                                           0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF };
    std::string bytes;
    while (bytes.size() < n) {
        switch (random() % 3) {
            case 0: bytes += static_cast<char>(random()); break;
            case 1: bytes += static_cast<char>(edges[random() % std::size(edges)]); break;
            case 2: {
                const uint32_t c = random() % 0x110000;
                bytes += encode(is_scalar(c) ? c : 0x20AC);
            }
        }
    }
    bytes.resize(n);
    return bytes;
}

// Pushes the bytes cut at the bits of `cuts`.
std::string in_pieces(TextStream & stream, std::string_view bytes, uint64_t cuts) {
    std::string text;
    size_t first = 0;
    for (size_t end = 1; end <= bytes.size() && !stream.stopped_by(); ++end) {
        if (end == bytes.size() || (cuts >> (end - 1) & 1)) {
            text += stream.push(bytes.substr(first, end - first));
            first = end;
        }
    }
    return stream.stopped_by() ? text : text + stream.flush();
}

struct Stopped {
    std::string text;
    std::optional<size_t> by;
};

// Byte by byte: the first byte that completes a stop string ends the text; of several the longest counts.
Stopped stop_oracle(std::string_view bytes, const std::vector<std::string> & stop) {
    for (size_t end = 1; end <= bytes.size(); ++end) {
        std::optional<size_t> by;
        for (size_t i = 0; i < stop.size(); ++i) {
            if (bytes.substr(0, end).ends_with(stop[i]) && (!by || stop[i].size() > stop[*by].size())) {
                by = i;
            }
        }
        if (by) {
            return { standard(bytes.substr(0, end - stop[*by].size())), by };
        }
    }
    return { standard(bytes), {} };
}

void check_every_chunking(const std::string & bytes, const std::vector<std::string> & stop, const Stopped & expected) {
    for (uint64_t cuts = 0; cuts < 1ull << (bytes.size() - 1); ++cuts) {
        TextStream stream(stop);
        CHECK_EQ(in_pieces(stream, bytes, cuts), expected.text);
        CHECK_EQ(stream.stopped_by(), expected.by);
    }
}

} // namespace

// The tables of the Unicode Standard 15.0, chapter 3.
TEST(unicode_tables_of_maximal_subparts) {
    const auto times = [](int n) {
        std::string text;
        while (n-- > 0) {
            text += fffd;
        }
        return text;
    };
    CHECK_EQ(to_well_formed("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), times(8) + "A"); // 3-8, non-shortest forms
    CHECK_EQ(to_well_formed("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), times(8) + "A"); // 3-9, surrogates
    CHECK_EQ(to_well_formed("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
             times(5) + "A" + times(2) + "B");                                        // 3-10, other ill-formed
    CHECK_EQ(to_well_formed("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), times(4) + "A"); // 3-11, truncated
    CHECK_EQ(to_well_formed("\xF5\x80\x80\x80"), times(4));
    CHECK_EQ(to_well_formed("\xF4\x90\x80\x80"), times(4)); // U+110000
    CHECK_EQ(to_well_formed("\xF0\x9F\x98"), times(1));     // a character cut short at each length
    CHECK_EQ(to_well_formed("\xF0\x9F"), times(1));
    CHECK_EQ(to_well_formed("\xF0"), times(1));
    CHECK_EQ(to_well_formed(""), "");
}

TEST(every_character_is_left_as_it_is) {
    std::string all;
    for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
        if (is_scalar(c)) {
            all += encode(c);
        }
    }
    CHECK(to_well_formed(all) == all);
    for (uint32_t c = 0xD800; c <= 0xDFFF; ++c) {
        CHECK_EQ(to_well_formed(encode(c)), fffd + fffd + fffd);
    }
}

TEST(random_bytes_decode_as_the_standard_says) {
    std::mt19937 random(1);
    for (int i = 0; i < 20000; ++i) {
        const std::string bytes = random_bytes(random, random() % 24);
        CHECK_EQ(to_well_formed(bytes), standard(bytes));
    }
}

TEST(unfinished_tail_is_a_beginning_of_a_character) {
    std::mt19937 random(2);
    for (int i = 0; i < 20000; ++i) {
        const std::string bytes = random_bytes(random, random() % 8);
        size_t expected = 0;
        for (size_t length = 1; length <= std::min<size_t>(3, bytes.size()); ++length) {
            if (beginnings().contains(bytes.substr(bytes.size() - length))) {
                expected = length;
            }
        }
        CHECK_EQ(unfinished_tail(bytes), expected);
    }
}

TEST(every_chunking_gives_the_same_text) {
    std::mt19937 random(3);
    for (int i = 0; i < 2000; ++i) {
        const std::string bytes = random_bytes(random, 1 + random() % 8);
        check_every_chunking(bytes, {}, { standard(bytes), {} });
    }
    for (int i = 0; i < 5000; ++i) {
        const std::string bytes = random_bytes(random, 1 + random() % 60);
        TextStream stream;
        CHECK_EQ(in_pieces(stream, bytes, (static_cast<uint64_t>(random()) << 32) | random()), standard(bytes));
    }
}

TEST(text_is_whole_characters_as_soon_as_they_are_certain) {
    TextStream stream;
    CHECK_EQ(stream.push("a\xF0\x9F"), "a");
    CHECK_EQ(stream.push("\x98"), "");
    CHECK_EQ(stream.push("\x80\x62"), "\xF0\x9F\x98\x80\x62");
    CHECK_EQ(stream.push("\xE2\x82"), "");
    CHECK_EQ(stream.push("c"), fffd + "c"); // it did not become a character
    CHECK_EQ(stream.push("\xE2\x82"), "");
    CHECK_EQ(stream.flush(), fffd);
    CHECK_EQ(stream.flush(), "");
}

TEST(a_stop_string_ends_the_text_before_it) {
    TextStream stream({ "stop" });
    CHECK_EQ(stream.push("one st"), "one ");
    CHECK(!stream.stopped_by());
    CHECK_EQ(stream.push("op two"), "");
    CHECK_EQ(stream.stopped_by(), std::optional<size_t>(0));
    CHECK_EQ(stream.flush(), "");
}

TEST(held_text_is_released_when_it_is_no_stop_string) {
    TextStream stream({ "\n\nEnd", "\n\n\n" });
    CHECK_EQ(stream.push("a\n"), "a");
    CHECK_EQ(stream.push("\n"), "");
    CHECK_EQ(stream.push("E"), "");
    CHECK_EQ(stream.push("asy"), "\n\nEasy");
    CHECK_EQ(stream.push("\n\nEn"), "");
    CHECK_EQ(stream.flush(), "\n\nEn");
    CHECK(!stream.stopped_by());
}

TEST(the_stop_string_that_is_completed_first_wins) {
    check_every_chunking("xabcd", { "abcd", "bc" }, { "xa", 1 });
    check_every_chunking("xabcd", { "bc", "abcd" }, { "xa", 0 });
    check_every_chunking("xabcd", { "cd", "abc" }, { "x", 1 });
    // Of two that the same byte completes the longer one: it began first.
    check_every_chunking("xabc", { "bc", "abc" }, { "x", 1 });
    check_every_chunking("xabc", { "abc", "bc" }, { "x", 0 });
    // One that is the beginning of another hides it.
    check_every_chunking("xabc", { "abc", "ab" }, { "x", 1 });
    // A candidate that begins inside another one.
    check_every_chunking("aabaabaac", { "aabaac" }, { "aab", 0 });
    check_every_chunking("abababc", { "ababc" }, { "ab", 0 });
}

TEST(a_stop_string_may_be_of_several_bytes_a_character) {
    check_every_chunking("a\xE2\x82\xAC!", { "\xE2\x82\xAC" }, { "a", 0 });
    // It shares its first bytes with another character.
    check_every_chunking("\xE2\x82\xAB\xE2\x82", { "\xE2\x82\xAC" }, { "\xE2\x82\xAB" + fffd, {} });
    // An unfinished character before it will never be finished.
    check_every_chunking("\xF0\x9F\xE2\x82\xAC", { "\xE2\x82\xAC" }, { fffd, 0 });
}

TEST(random_stop_strings_in_every_chunking) {
    std::mt19937 random(4);
    const std::vector<std::string> letters = { "a", "b", "\xC3\xA9", "\xE2\x82\xAC" };
    const auto word = [&](size_t longest) {
        std::string text;
        for (size_t n = 1 + random() % longest; n > 0; --n) {
            text += letters[random() % letters.size()];
        }
        return text;
    };
    for (int i = 0; i < 3000; ++i) {
        std::vector<std::string> stop(random() % 4);
        for (std::string & one : stop) {
            one = word(4);
        }
        // Cut anywhere: tokens are parts of characters, and models err.
        std::string bytes = word(8);
        bytes.resize(1 + random() % std::min<size_t>(bytes.size(), 10));
        if (random() % 4 == 0) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        check_every_chunking(bytes, stop, stop_oracle(bytes, stop));
    }
}

TEST(nothing_is_held_that_is_certain) {
    std::mt19937 random(5);
    for (int i = 0; i < 3000; ++i) {
        const std::vector<std::string> stop = { "aab", "ba\xC3\xA9" };
        const std::vector<std::string> letters = { "a", "b", "\xC3", "\xA9" };
        TextStream stream(stop);
        std::string bytes;
        std::string text;
        for (int n = 0; n < 12; ++n) {
            const std::string & letter = letters[random() % letters.size()];
            bytes += letter;
            text += stream.push(letter);
            if (stream.stopped_by()) {
                break;
            }
            size_t held = 0;
            for (size_t length = 1; length <= std::min<size_t>(3, bytes.size()); ++length) {
                const std::string tail = bytes.substr(bytes.size() - length);
                const bool begun = std::any_of(stop.begin(), stop.end(), [&](const std::string & one) {
                    return one.size() > length && one.starts_with(tail);
                });
                if (begun || beginnings().contains(tail)) {
                    held = length;
                }
            }
            CHECK_EQ(text, standard(bytes.substr(0, bytes.size() - held)));
        }
    }
}

TEST(a_mark_parts_the_stream_however_it_is_cut_into_tokens) {
    std::mt19937 random(6);
    for (int i = 0; i < 3000; ++i) {
        const std::string mark = "aab";
        TextStream stream({ "caa" }, mark);
        std::string bytes;
        std::string text;
        while (bytes.size() < 20 && !stream.stopped_by() && !stream.reached_mark()) {
            std::string token;
            for (size_t n = 1 + random() % 2; n > 0; --n) {
                token += "abc"[random() % 3];
            }
            bytes += token;
            text += stream.push(token);
        }
        const size_t at = bytes.find(mark);
        CHECK_EQ(stream.reached_mark(), at != std::string::npos && !stream.stopped_by());
        if (stream.reached_mark()) {
            CHECK_EQ(text, bytes.substr(0, at));
            CHECK_EQ(stream.flush(), bytes.substr(at));
        } else if (!stream.stopped_by()) {
            CHECK_EQ(text + stream.flush(), bytes);
        }
    }
}

TEST(a_mark_that_is_forgotten_parts_nothing) {
    TextStream stream({}, "ab");
    CHECK_EQ(stream.push("a"), "");
    stream.forget_mark();
    CHECK_EQ(stream.push("b"), "ab");
    CHECK(!stream.reached_mark());
}
