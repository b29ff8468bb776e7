#include "engine/context/packed-state.h"

#include "error.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace z1 {

namespace {

using View = std::span<const uint8_t>;

// What llama.cpp writes before the state of the memory (llama-context.cpp, state_seq_get_data): a magic number, the seq_id.
constexpr size_t n_preamble = 8;

[[noreturn]] void invalid(const std::string & what) {
    throw Error(ErrorCode::STATE_INVALID, "The state is damaged: " + what);
}

template <class T>
void put(StateBytes & out, const T & value) {
    const auto * bytes = reinterpret_cast<const uint8_t *>(&value);
    out.insert(out.end(), bytes, bytes + sizeof(T));
}

template <class T>
void put_all(StateBytes & out, std::span<const T> values) {
    const auto * bytes = reinterpret_cast<const uint8_t *>(values.data());
    out.insert(out.end(), bytes, bytes + values.size_bytes());
}

struct Reader {
    View rest;

    View take(size_t n) {
        if (n > rest.size()) {
            invalid("it is cut short");
        }
        const View taken = rest.first(n);
        rest = rest.subspan(n);
        return taken;
    }

    template <class T>
    T get() {
        T value;
        std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
        return value;
    }

    template <class T>
    std::vector<T> get_all(size_t n) {
        if (n > rest.size() / sizeof(T)) {
            invalid("it is cut short");
        }
        std::vector<T> values(n);
        if (n > 0) {
            std::memcpy(values.data(), take(n * sizeof(T)).data(), n * sizeof(T));
        }
        return values;
    }
};

// A block of floating-point numbers, or of quantized ones, none of which is infinite or not a number: in cells that are
// not attended over they would still spoil what is multiplied by 0.
template <class T>
bool are_finite(View bytes, size_t stride, T exponent) {
    for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += stride) {
        T bits;
        std::memcpy(&bits, bytes.data() + at, sizeof(T));
        if ((bits & exponent) == exponent) {
            return false;
        }
    }
    return true;
}

bool is_finite(View rows, int32_t type) {
    switch (type) {
        case GGML_TYPE_F32:  return are_finite<uint32_t>(rows, 4, 0x7F800000);
        case GGML_TYPE_F16:  return are_finite<uint16_t>(rows, 2, 0x7C00);
        case GGML_TYPE_Q8_0: return are_finite<uint16_t>(rows, 2 + 32, 0x7C00); // scales
        case GGML_TYPE_Q4_0: return are_finite<uint16_t>(rows, 2 + 16, 0x7C00);
        default:             return false;
    }
}

// Rows of a tensor: `count` of them, each as long as they say, which may be nothing.
void take_rows(Reader & reader, uint32_t count) {
    const auto type = reader.get<int32_t>();
    const auto row = reader.get<uint64_t>();
    if (row > reader.rest.size() / count || !is_finite(reader.take(row * count), type)) {
        invalid("it has no numbers of the model");
    }
}

// The same, transposed.
void take_columns(Reader & reader, uint32_t count) {
    const auto type = reader.get<int32_t>();
    const auto size = reader.get<uint32_t>();
    const auto n = reader.get<uint32_t>();
    const uint64_t column = uint64_t(size) * count; // of 32 bits each
    if (column == 0 || n > reader.rest.size() / column || !is_finite(reader.take(column * n), type)) {
        invalid("it has no numbers of the model");
    }
}

// llama_kv_cache::state_write, of one stream. `whole`: it has a cell for each token. Positions that the tokens do not have
// would stay where llama_memory_seq_rm does not look for them.
void take_cells(Reader & reader, const StateShape & shape, size_t n_tokens, bool whole) {
    const auto count = reader.get<uint32_t>();
    if (count > n_tokens || (whole && count != n_tokens)) {
        invalid("it has cells of other tokens");
    }
    if (count == 0) {
        return;
    }
    std::vector<bool> seen(n_tokens);
    for (uint32_t i = 0; i < count; ++i) {
        const auto pos = reader.get<int32_t>();
        const auto n_seq_id = reader.get<uint32_t>();
        reader.take(shape.n_cell_ext);
        reader.get<llama_seq_id>();
        if (pos < 0 || static_cast<size_t>(pos) >= n_tokens || seen[pos] || n_seq_id != 1) {
            invalid("it has cells of other tokens");
        }
        seen[pos] = true;
    }
    const bool transposed = reader.get<uint32_t>() != 0;
    const auto n_layer = reader.get<uint32_t>();
    for (uint32_t i = 0; i < n_layer; ++i) {
        take_rows(reader, count);
    }
    for (uint32_t i = 0; i < n_layer; ++i) {
        transposed ? take_columns(reader, count) : take_rows(reader, count);
    }
}

// llama_memory_recurrent::state_write of one sequence, which is the last part of a state.
void take_recurrent(Reader & reader, size_t n_tokens) {
    const bool one_cell = reader.get<uint32_t>() == 1;
    const auto pos = reader.get<int32_t>();
    const auto n_seq_id = reader.get<uint32_t>();
    if (!one_cell || static_cast<size_t>(pos) != n_tokens - 1 || n_seq_id != 0) {
        invalid("its recurrent state is not that of its tokens");
    }
    reader.take(8); // transposed, layers: both are checked
    while (!reader.rest.empty()) {
        take_rows(reader, 1);
    }
}

// How many caches of cells a state has, and whether a recurrent state follows them.
struct Form {
    size_t n_caches;
    bool recurrent;
};

Form form_of(const StateShape & shape, bool partial) {
    const bool window = shape.n_swa > 0; // layers with a window have a cache of their own
    if (shape.recurrent || (shape.hybrid && partial && !window)) {
        return { 0, true };
    }
    return { size_t(window ? 2 : 1), shape.hybrid };
}

// The state as one of a context in which there is one stream, checked part by part. What llama.cpp writes of a sequence
// names as many streams as the context has, of which all but one are empty.
StateBytes with_one_stream(View bytes, const StateShape & shape, uint32_t n_stream, size_t n_tokens, bool partial) {
    const Form form = form_of(shape, partial);
    Reader reader { bytes };
    StateBytes out;
    out.reserve(bytes.size());
    put_all(out, reader.take(n_preamble));
    for (size_t cache = 0; cache < form.n_caches; ++cache) {
        if (reader.get<uint32_t>() != n_stream) {
            invalid("it is of another number of sequences");
        }
        put(out, uint32_t(1));
        bool found = false;
        for (uint32_t stream = 0; stream < n_stream; ++stream) {
            Reader ahead = reader;
            const bool last_chance = !found && stream + 1 == n_stream;
            if (ahead.get<uint32_t>() == 0 && !last_chance) {
                reader = ahead;
                continue;
            }
            if (found) {
                invalid("it is of several sequences");
            }
            found = true;
            const View before = reader.rest;
            take_cells(reader, shape, n_tokens, cache == 0);
            put_all(out, before.first(before.size() - reader.rest.size()));
        }
    }
    if (form.recurrent) {
        put_all(out, reader.rest);
        take_recurrent(reader, n_tokens);
    }
    if (!reader.rest.empty()) {
        invalid("there is more than its length says");
    }
    return out;
}

// The inverse, of a state that was checked: which stream the cells are named for does not matter.
StateBytes with_streams(View bytes, const StateShape & shape, size_t n_tokens, bool partial) {
    const Form form = form_of(shape, partial);
    Reader reader { bytes };
    StateBytes out;
    out.reserve(bytes.size() + form.n_caches * 4 * shape.n_stream);
    put_all(out, reader.take(n_preamble));
    for (size_t cache = 0; cache < form.n_caches; ++cache) {
        reader.get<uint32_t>();
        put(out, shape.n_stream);
        const View before = reader.rest;
        take_cells(reader, shape, n_tokens, cache == 0);
        put_all(out, before.first(before.size() - reader.rest.size()));
        out.resize(out.size() + size_t(4) * (shape.n_stream - 1));
    }
    put_all(out, reader.rest);
    return out;
}

void put_state(StateBytes & out, const SavedState & state, const StateShape & shape, bool partial) {
    const StateBytes bytes = with_one_stream(state.bytes, shape, shape.n_stream, state.n_tokens, partial);
    put(out, static_cast<uint32_t>(state.n_tokens));
    put(out, static_cast<uint32_t>(state.logits.size()));
    put(out, static_cast<uint64_t>(bytes.size()));
    put_all(out, std::span(state.logits));
    put_all(out, std::span(bytes));
}

std::shared_ptr<SavedState> get_state(Reader & reader, const StateShape & shape, size_t most_tokens, bool partial) {
    auto state = std::make_shared<SavedState>();
    state->n_tokens = reader.get<uint32_t>();
    const auto n_logits = reader.get<uint32_t>();
    const auto size = reader.get<uint64_t>();
    if (state->n_tokens == 0 || state->n_tokens > most_tokens || (n_logits != 0 && n_logits != shape.n_vocab)) {
        invalid("it has a state of other tokens");
    }
    state->logits = reader.get_all<float>(n_logits);
    const StateBytes checked = with_one_stream(reader.take(size), shape, 1, state->n_tokens, partial);
    state->bytes = with_streams(checked, shape, state->n_tokens, partial);
    return state;
}

} // namespace

StateBytes pack_state(const SavedSequence & saved, const StateShape & shape) {
    StateBytes out;
    out.reserve(saved.state->bytes.size() + saved.tokens.size() * sizeof(llama_token) + 1024);
    put(out, static_cast<uint32_t>(saved.tokens.size()));
    put_all(out, std::span(saved.tokens));
    put(out, static_cast<uint32_t>(std::min(saved.n_prompt, saved.tokens.size())));
    std::vector<const SavedState *> checkpoints;
    for (const auto & one : saved.checkpoints) {
        if (one->is_there()) {
            checkpoints.push_back(one.get());
        }
    }
    put(out, static_cast<uint32_t>(checkpoints.size()));

    try {
        put_state(out, *saved.state, shape, false);
        for (const SavedState * one : checkpoints) {
            put_state(out, *one, shape, true);
        }
    } catch (const Error &) {
        throw Error(ErrorCode::MODEL_UNSUPPORTED, "States of this architecture have a form that cannot be saved");
    }
    return out;
}

SavedSequence unpack_state(View bytes, const StateShape & shape) {
    Reader reader { bytes };
    SavedSequence saved;
    const uint32_t n_tokens = reader.get<uint32_t>();
    saved.tokens = reader.get_all<llama_token>(n_tokens);
    saved.n_prompt = reader.get<uint32_t>();
    const uint32_t n_checkpoints = reader.get<uint32_t>();
    const bool known = std::all_of(saved.tokens.begin(), saved.tokens.end(), [&](llama_token token) {
        return token >= 0 && static_cast<uint32_t>(token) < shape.n_vocab;
    });
    if (n_tokens == 0 || saved.n_prompt > n_tokens || n_checkpoints > n_tokens || !known) {
        invalid("it has no tokens of the model");
    }
    if (n_tokens >= shape.n_ctx) {
        throw Error(ErrorCode::CONTEXT_TOO_SMALL, "A state of " + std::to_string(n_tokens) +
                                                      " tokens does not fit a context of " +
                                                      std::to_string(shape.n_ctx));
    }
    saved.state = get_state(reader, shape, n_tokens, false);
    if (saved.state->n_tokens != n_tokens) {
        invalid("it has a state of other tokens");
    }
    size_t last = 0;
    for (uint32_t i = 0; i < n_checkpoints; ++i) {
        saved.checkpoints.push_back(get_state(reader, shape, n_tokens, true));
        if (saved.checkpoints.back()->n_tokens <= last) {
            invalid("its checkpoints are in no order");
        }
        last = saved.checkpoints.back()->n_tokens;
    }
    if (!reader.rest.empty()) {
        invalid("there is more than its length says");
    }
    return saved;
}

} // namespace z1
