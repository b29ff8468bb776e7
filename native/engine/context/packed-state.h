// A saved sequence as bytes that a file can hold, and back. What comes from a file is checked as far as llama.cpp's readers
// trust it: they check types and sizes, but allocate for as many cells as they are told, and put them where they are told.
// Pure.
#pragma once

#include "engine/context/sequence.h"

#include <cstdint>
#include <span>
#include <vector>

namespace z1 {

using StateBytes = std::vector<uint8_t>;

/// Of the context, as far as its states depend on it.
struct StateShape {
    bool recurrent;
    bool hybrid;
    llama_pos n_swa;   // as in Memory
    uint32_t n_stream; // pools of cells: one, or one for each sequence
    uint32_t n_ctx;
    uint32_t n_vocab;
    size_t
        n_cell_ext; // bytes of a cell's metadata beside its position and sequences (llama_kv_cell_ext); 0: it has none
};

/// Throws MODEL_UNSUPPORTED for a form of state that is not known.
StateBytes pack_state(const SavedSequence & saved, const StateShape & shape);

/// The states are for a context of the shape, however many streams the one had from which they are. Throws STATE_INVALID,
/// CONTEXT_TOO_SMALL.
SavedSequence unpack_state(std::span<const uint8_t> bytes, const StateShape & shape);

} // namespace z1
