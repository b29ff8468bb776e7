#include "engine/model/pieces.h"

namespace z1 {

Pieces::Pieces(const Api & api, const llama_vocab * vocab) {
    const llama_token n_tokens = api.llama_vocab_n_tokens(vocab);
    starts.reserve(n_tokens + 1);
    control.reserve(n_tokens);
    std::string piece(64, '\0');
    for (llama_token token = 0; token < n_tokens; ++token) {
        int32_t length =
            api.llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, true);
        if (length < 0) {
            piece.resize(-length);
            length = api.llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, true);
        }
        starts.push_back(static_cast<uint32_t>(bytes.size()));
        bytes.append(piece, 0, length);
        // llama-vocab.cpp, token_to_piece: what `special` off leaves out.
        control.push_back(api.llama_vocab_get_attr(vocab, token) &
                          (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN));
    }
    starts.push_back(static_cast<uint32_t>(bytes.size()));
}

} // namespace z1
