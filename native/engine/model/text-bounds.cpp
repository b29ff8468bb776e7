#include "engine/model/text-bounds.h"

#include <algorithm>
#include <bitset>
#include <utility>

namespace z1 {

namespace {

bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

// Tokenizers of llama-vocab.cpp that drop, fold or merge what they do not know are left out: one token of theirs stands for
// any length of text.
bool keeps_all_bytes(const Api & api, const llama_model * model) {
    char name[16] = "";
    api.llama_model_meta_val_str(model, "tokenizer.ggml.model", name, sizeof(name));
    const std::string_view tokenizer = name;
    return tokenizer == "gpt2" || tokenizer == "gemma4" || tokenizer == "llama";
}

} // namespace

TextBounds::TextBounds(const Api & api, const llama_model * model, const Pieces & pieces) {
    if (!keeps_all_bytes(api, model)) {
        return;
    }
    const llama_vocab * vocab = api.llama_model_get_vocab(model);
    const bool bpe = api.llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_BPE;
    // Merging makes pieces only: no token reaches over two bytes that no piece has side by side. And the patterns that part
    // a text before it is merged look back at nothing, and ahead only over blanks and digits: what they make of a text up to a
    // letter does not depend on the blank after it, nor what they make from that blank on the letter. SentencePiece is left
    // out: it puts a space after each control token of a text, but not of its continuation.
    bool space = bpe;
    bool newline = bpe;
    size_t longest = 0;
    std::bitset<256> bytes;
    std::vector<SpecialText> found;
    for (llama_token token = 0; token < pieces.size(); ++token) {
        const int attr = api.llama_vocab_get_attr(vocab, token);
        if (attr & (LLAMA_TOKEN_ATTR_LSTRIP | LLAMA_TOKEN_ATTR_RSTRIP)) {
            return; // it takes all blanks beside it
        }
        const std::string_view piece = pieces[token];
        const std::string spelling = api.llama_vocab_get_text(vocab, token);
        // The file's own spelling is the longer one where it has ▁ for a space, as a text may have too.
        longest = std::max({ longest, piece.size(), spelling.size() });
        constexpr int control = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN;
        if ((attr & (control | LLAMA_TOKEN_ATTR_USER_DEFINED)) && !spelling.empty()) {
            found.push_back({ spelling, (attr & control) != 0 });
        }
        if (piece.size() == 1) {
            bytes.set(static_cast<unsigned char>(piece[0]));
        }
        for (size_t i = 1; i < piece.size(); ++i) {
            if (is_letter(piece[i - 1])) {
                space = space && piece[i] != ' ';
                newline = newline && piece[i] != '\n';
            }
        }
    }
    specials = std::move(found);
    cut_at_space = space;
    cut_at_newline = newline;
    for (int byte = 0; byte < 256; ++byte) {
        const bool in_utf8 = byte != 0xC0 && byte != 0xC1 && byte < 0xF5;
        if (in_utf8 && !bytes[byte]) {
            return; // BPE drops what has no token
        }
    }
    longest_token_ = longest;
}

bool TextBounds::cuts_at(char before, char after) const {
    return is_letter(before) && ((after == ' ' && cut_at_space) || (after == '\n' && cut_at_newline));
}

size_t TextBounds::end_of_part(std::string_view text, size_t from, size_t least, bool parse_special) const {
    constexpr size_t window = 4096;
    for (size_t begin = from + std::max<size_t>(least, 1); begin < text.size(); begin += window) {
        const size_t end = std::min(begin + window, text.size());
        for (size_t at = begin; at < end; ++at) {
            if (cuts_at(text[at - 1], text[at])) {
                return at;
            }
        }
        if (const size_t at = after_special(text, from, begin, end, parse_special)) {
            return at;
        }
    }
    return text.size();
}

// llama.cpp looks for special tokens first, one after the other, and tokenizes what stands between them each alone. One that
// no other overlaps is found whatever their order. 0: there is none that ends within [begin, end).
size_t TextBounds::after_special(std::string_view text, size_t from, size_t begin, size_t end,
                                 bool parse_special) const {
    for (const SpecialText & special : specials) {
        if (special.control && !parse_special) {
            continue;
        }
        const size_t length = special.text.size();
        const size_t at = text.substr(0, end).find(special.text, begin - std::min(begin - from, length));
        if (at != std::string_view::npos && at + length < end && stands_alone(text, at, at + length)) {
            return at + length;
        }
    }
    return 0;
}

// Whether the special token at [begin, end) is overlapped by no other, nor by itself.
bool TextBounds::stands_alone(std::string_view text, size_t begin, size_t end) const {
    size_t n = 0;
    for (const SpecialText & special : specials) {
        const size_t length = special.text.size();
        const size_t first = begin - std::min(begin, length - 1);
        const std::string_view around = text.substr(first, end - 1 + length - first);
        for (size_t at = around.find(special.text); at != std::string_view::npos;
             at = around.find(special.text, at + 1)) {
            ++n;
        }
    }
    return n == 1;
}

} // namespace z1
