// The bytes of every token, read once per model: the token loop looks them up a token at a time.
#pragma once

#include "llama/api.h"

#include <string>
#include <string_view>
#include <vector>

namespace z1 {

class Pieces {
public:
    Pieces(const Api & api, const llama_vocab * vocab);

    llama_token size() const { return static_cast<llama_token>(control.size()); }

    /// Bytes of the token, of a control token its name. Valid as long as this object.
    std::string_view operator[](llama_token token) const {
        return std::string_view(bytes).substr(starts[token], starts[token + 1] - starts[token]);
    }

    /// Bytes of the token as text shows it: a control token shows as nothing (llama_token_to_piece without `special`).
    std::string_view text(llama_token token) const { return control[token] ? std::string_view() : (*this)[token]; }

private:
    std::string bytes;
    std::vector<uint32_t> starts;
    std::vector<bool> control;
};

} // namespace z1
