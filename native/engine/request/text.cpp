#include "engine/request/text.h"

#include <algorithm>

namespace z1 {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Subpart {
    size_t length;   // bytes that belong together, at least 1
    bool whole;      // a character
    bool unfinished; // well-formed as far as it goes, and the bytes end here
};

// The maximal subpart at the start of the bytes (Unicode 15, table 3-7).
Subpart next_subpart(std::string_view bytes) {
    const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) {
        return { 1, true, false };
    }
    size_t length = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        low = lead == 0xE0 ? 0xA0 : low;   // no overlong forms
        high = lead == 0xED ? 0x9F : high; // no surrogates
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        low = lead == 0xF0 ? 0x90 : low;
        high = lead == 0xF4 ? 0x8F : high; // nothing over U+10FFFF
    } else {
        return { 1, false, false };
    }
    for (size_t i = 1; i < length; ++i) {
        if (i == bytes.size()) {
            return { i, false, true };
        }
        if (at(i) < low || at(i) > high) {
            return { i, false, false };
        }
        low = 0x80;
        high = 0xBF;
    }
    return { length, true, false };
}

// Length of the longest end of `text` that begins `stop` without completing it.
size_t begun(std::string_view text, std::string_view stop) {
    for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
        if (text.substr(text.size() - length) == stop.substr(0, length)) {
            return length;
        }
    }
    return 0;
}

} // namespace

std::string to_well_formed(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const Subpart part = next_subpart(bytes);
        text += part.whole ? bytes.substr(0, part.length) : replacement;
        bytes.remove_prefix(part.length);
    }
    return text;
}

size_t unfinished_tail(std::string_view bytes) {
    // An unfinished character is at most three bytes long and starts with its only lead byte.
    for (size_t length = 1; length <= std::min<size_t>(3, bytes.size()); ++length) {
        const std::string_view tail = bytes.substr(bytes.size() - length);
        if ((static_cast<unsigned char>(tail[0]) & 0xC0) == 0x80) {
            continue;
        }
        const Subpart part = next_subpart(tail);
        return part.unfinished && part.length == length ? length : 0;
    }
    return 0;
}

std::string TextStream::push(std::string_view bytes) {
    held += bytes;

    size_t first = std::string::npos;
    size_t end = std::string::npos;
    for (size_t i = 0; i < stop.size(); ++i) {
        const size_t found = held.find(stop[i]);
        if (found == std::string::npos) {
            continue;
        }
        const size_t found_end = found + stop[i].size();
        if (found_end < end || (found_end == end && found < first)) {
            first = found;
            end = found_end;
            stopped = i;
        }
    }
    if (stopped) {
        const std::string text = to_well_formed(std::string_view(held).substr(0, first));
        held.clear();
        return text;
    }

    const size_t mark_at = mark.empty() ? std::string::npos : held.find(mark);
    if (mark_at != std::string::npos) {
        marked = true;
        const std::string text = to_well_formed(std::string_view(held).substr(0, mark_at));
        held.erase(0, mark_at);
        return text;
    }

    size_t keep = unfinished_tail(held);
    if (!mark.empty()) {
        keep = std::max(keep, begun(held, mark));
    }
    for (const std::string & one : stop) {
        keep = std::max(keep, begun(held, one));
    }
    const std::string text = to_well_formed(std::string_view(held).substr(0, held.size() - keep));
    held.erase(0, held.size() - keep);
    return text;
}

std::string TextStream::flush() {
    const std::string text = to_well_formed(held);
    held.clear();
    return text;
}

} // namespace z1
