// Parts of a llama_context's memory as copies in ours, and the room that all of them have together. Context thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace z1 {

/// A sequence as it was after its first n tokens: all of it, or the part that llama.cpp cannot shorten.
struct SavedState {
    size_t n_tokens = 0;
    std::vector<uint8_t> bytes; // llama.cpp's; empty once it was given up for newer ones
    std::vector<float> logits;  // after the last of the tokens, before any is banned; empty where none were asked for

    bool is_there() const { return !bytes.empty(); }
    size_t size() const { return bytes.size() + logits.size() * sizeof(float); }
};

class StateBudget {
public:
    /// `limit` in bytes; 0: nothing is ever saved.
    explicit StateBudget(size_t limit) : limit(limit) {}

    /// Gives up the oldest until so many bytes fit beside the rest. False, with nothing given up, when they never will.
    bool make_room(size_t size);

    /// It counts from here on, as the newest, until nobody holds it any more.
    void add(const std::shared_ptr<SavedState> & state) { states.push_back(state); }

    /// It was of use: it is the newest again.
    void renew(const std::shared_ptr<SavedState> & state);

    /// Bytes of all that is there.
    size_t size() const;

private:
    size_t limit;
    std::vector<std::weak_ptr<SavedState>> states; // oldest first
};

} // namespace z1
