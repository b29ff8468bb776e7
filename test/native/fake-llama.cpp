#include "fake-llama.h"

#include "llama/engine-call.h"

#include <gguf.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <thread>

// llama.h and gguf.h leave these to the library.

struct llama_vocab {
    z1::FakeLlama * fake;
};

struct llama_model {
    z1::FakeLlama * fake;
    llama_vocab vocab;
    std::atomic<int> n_contexts = 0;
    bool freed = false;
};

struct llama_memory_i {
    llama_context * ctx;
};

namespace {

// A cell of the KV cache: freed when the last sequence lets go of it.
struct Cell {
    size_t & n_cells;

    explicit Cell(size_t & n_cells) : n_cells(n_cells) { ++n_cells; }
    ~Cell() { --n_cells; }
};

// What the KV cache holds of a seq_id.
struct Cached {
    std::vector<llama_token> tokens;
    std::vector<std::shared_ptr<Cell>> cells; // one for each token
    size_t n_state = SIZE_MAX;                // tokens that the recurrent state has seen, where it is not all of them
    llama_pos first = 0;                      // before it layers with a window have nothing

    void add(llama_token token, const std::shared_ptr<Cell> & cell) {
        tokens.push_back(token);
        cells.push_back(cell);
    }

    void resize(size_t n) {
        tokens.resize(n);
        cells.resize(n);
        n_state = SIZE_MAX;
        first = n == 0 ? 0 : first;
    }
};

} // namespace

struct llama_context {
    z1::FakeLlama * fake;
    llama_model * model;
    llama_context_params params;
    llama_memory_i memory;
    std::thread::id thread;
    bool freed = false;
    bool asserted = false;                      // an assertion failed in it
    size_t n_cells = 0;                         // that hold a token
    std::vector<Cached> sequences;              // by seq_id
    std::map<int32_t, std::vector<float>> rows; // logits of the last decode by batch index
};

struct gguf_context {
    z1::FakeLlama * fake;
    std::vector<std::string> keys;
    const std::vector<z1::FakeTensor> & tensors;
};

namespace z1 {

namespace {

FakeLlama * current = nullptr;

uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

} // namespace

struct FakeFunctions {
    static FakeLlama & open(llama_context * ctx, const char * function) {
        FakeLlama & fake = *ctx->fake;
        if (ctx->freed) {
            fake.complain(std::string(function) + " on a freed context");
        }
        if (ctx->asserted) {
            fake.complain(std::string(function) + " after a failed assertion");
        }
        if (std::this_thread::get_id() != ctx->thread) {
            fake.complain(std::string(function) + " on another thread than the context's");
        }
        return fake;
    }

    // llama.h

    static llama_model * load(const char *, llama_model_params params) {
        if (params.progress_callback && !params.progress_callback(1.0f, params.progress_callback_user_data)) {
            return nullptr;
        }
        auto model = std::make_unique<llama_model>();
        model->fake = current;
        model->vocab = { current };
        current->models.push_back(std::move(model));
        return current->models.back().get();
    }

    static void free_model(llama_model * model) {
        if (model->freed) {
            model->fake->complain("llama_model_free of a freed model");
        }
        if (model->n_contexts > 0) {
            model->fake->complain("llama_model_free of a model that has a context");
        }
        model->freed = true;
    }

    static llama_context * new_context(llama_model * model, llama_context_params params) {
        FakeLlama & fake = *model->fake;
        if (!fake.context_error.empty()) {
            EngineCall::log_sink(GGML_LOG_LEVEL_ERROR, ("llama_init_from_model: " + fake.context_error + "\n").c_str(),
                                 nullptr);
            return nullptr;
        }
        if (model->freed) {
            fake.complain("llama_init_from_model of a freed model");
        }
        ++model->n_contexts;
        params.n_ubatch = std::min(params.n_ubatch, params.n_batch);
        auto ctx = std::make_unique<llama_context>();
        ctx->fake = &fake;
        ctx->model = model;
        ctx->params = params;
        ctx->memory = { ctx.get() };
        ctx->thread = std::this_thread::get_id();
        ctx->sequences.resize(params.n_seq_max);
        std::lock_guard lock(fake.mutex);
        fake.context_params = params;
        fake.contexts.push_back(std::move(ctx));
        return fake.contexts.back().get();
    }

    static void free_context(llama_context * ctx) {
        open(ctx, "llama_free");
        --ctx->model->n_contexts;
        ctx->freed = true;
    }

    // The batch as entries, or nothing when the real llama_decode would assert or return -1.
    static std::optional<FakeDecode> read(llama_context * ctx, const llama_batch & batch) {
        FakeLlama & fake = *ctx->fake;
        if (batch.n_tokens < 1 || static_cast<uint32_t>(batch.n_tokens) > ctx->params.n_batch) {
            fake.complain("a batch of " + std::to_string(batch.n_tokens) + " tokens");
            return {};
        }
        FakeDecode decode;
        uint32_t n_outputs = 0;
        std::map<llama_seq_id, size_t> n_added;
        for (int32_t i = 0; i < batch.n_tokens; ++i) {
            const std::vector<llama_seq_id> seq_ids(batch.seq_id[i], batch.seq_id[i] + batch.n_seq_id[i]);
            if (seq_ids.empty() || std::set(seq_ids.begin(), seq_ids.end()).size() != seq_ids.size()) {
                fake.complain("a token of no sequence, or of one twice");
                return {};
            }
            if (seq_ids.size() > 1 && !ctx->params.kv_unified) {
                // llama-kv-cache.cpp, find_slot: each stream would need a cell of its own
                fake.complain("a token of several sequences that share no cells");
                return {};
            }
            for (const llama_seq_id seq_id : seq_ids) {
                if (seq_id < 0 || static_cast<uint32_t>(seq_id) >= ctx->params.n_seq_max) {
                    fake.complain("seq_id " + std::to_string(seq_id));
                    return {};
                }
            }
            if (batch.token[i] < 0 || batch.token[i] >= static_cast<llama_token>(fake.vocabulary.size())) {
                fake.complain("token " + std::to_string(batch.token[i]));
                return {};
            }
            if (decode.empty() || decode.back().seq_ids != seq_ids) {
                const auto same = [&](const FakeEntry & entry) { return entry.seq_ids == seq_ids; };
                if (std::any_of(decode.begin(), decode.end(), same)) {
                    fake.complain("a sequence in two parts of a batch");
                    return {};
                }
                decode.push_back({ seq_ids[0], batch.pos[i], {}, false, 0, seq_ids });
            }
            FakeEntry & entry = decode.back();
            for (const llama_seq_id seq_id : seq_ids) {
                const Cached & sequence = ctx->sequences[seq_id];
                if (sequence.n_state != SIZE_MAX) {
                    fake.complain("tokens after a recurrent state that has not seen all that is there");
                }
                if (fake.n_swa > 0 && sequence.first > std::max(0, batch.pos[i] - fake.n_swa + 1)) {
                    fake.complain("a token that attends over keys that are not there");
                }
                const size_t held = sequence.tokens.size() + n_added[seq_id]++;
                if (batch.pos[i] != static_cast<llama_pos>(held)) {
                    fake.complain("position " + std::to_string(batch.pos[i]) + " after " + std::to_string(held) +
                                  " tokens of sequence " + std::to_string(seq_id));
                    return {};
                }
            }
            entry.tokens.push_back(batch.token[i]);
            entry.samples = batch.logits[i] != 0;
            entry.n_outputs += entry.samples;
            n_outputs += entry.samples;
        }
        for (const FakeEntry & entry : decode) {
            if (entry.n_outputs > fake.most_outputs || (entry.n_outputs > 0 && !entry.samples)) {
                fake.complain("logits in the middle of an entry");
            }
        }
        if (n_outputs > ctx->params.n_outputs_max) {
            fake.complain(std::to_string(n_outputs) + " outputs");
        }
        if (static_cast<uint32_t>(batch.n_tokens) > ctx->params.n_ubatch && decode.size() > 1) {
            fake.complain("a step of " + std::to_string(batch.n_tokens) + " tokens of several sequences");
        }
        return decode;
    }

    static int32_t decode(llama_context * ctx, llama_batch batch) {
        FakeLlama & fake = open(ctx, "llama_decode");
        const std::optional<FakeDecode> decode = read(ctx, batch);
        if (!decode) {
            return -1;
        }
        int32_t failed = 0;
        try {
            failed = fake.on_decode ? fake.on_decode(*decode) : 0;
        } catch (...) {
            // ggml's threads may be anywhere in the graph: neither the context nor its model can be freed any more.
            ctx->asserted = true;
            throw;
        }
        if (failed == 1 || failed == -1) {
            return failed;
        }

        // As in llama_decode, what the micro-batches before a failed one added stays.
        ctx->rows.clear();
        std::map<int32_t, std::vector<llama_token>> before; // what stands before each output, its own token included
        const int32_t n_ubatch = static_cast<int32_t>(ctx->params.n_ubatch);
        for (int32_t first = 0; first < batch.n_tokens; first += n_ubatch) {
            const int32_t end = std::min(first + n_ubatch, batch.n_tokens);
            if (ctx->params.abort_callback && ctx->params.abort_callback(ctx->params.abort_callback_data)) {
                ++fake.n_interrupted;
                return 2;
            }
            if (failed != 0 && end == batch.n_tokens) {
                return failed;
            }
            for (int32_t i = first; i < end; ++i) {
                const auto cell = std::make_shared<Cell>(ctx->n_cells);
                for (int32_t k = 0; k < batch.n_seq_id[i]; ++k) {
                    ctx->sequences[batch.seq_id[i][k]].add(batch.token[i], cell);
                }
                if (batch.logits[i]) {
                    before[i] = ctx->sequences[batch.seq_id[i][0]].tokens;
                }
            }
        }
        if (ctx->n_cells > ctx->params.n_ctx) {
            fake.complain(std::to_string(ctx->n_cells) + " tokens in " + std::to_string(ctx->params.n_ctx) + " cells");
        }
        for (const auto & [i, tokens] : before) {
            auto & row = ctx->rows[i];
            row.resize(fake.vocabulary.size());
            fake.logits(tokens, row);
        }
        std::lock_guard lock(fake.mutex);
        fake.decodes.push_back(*decode);
        fake.n_ubatches.push_back(ctx->params.kv_unified ? (batch.n_tokens + n_ubatch - 1) / n_ubatch
                                                         : n_equal_ubatches(*decode, ctx->params.n_ubatch));
        return 0;
    }

    // llama-batch.cpp, split_equal, sequential: what begins with the first sequence that has tokens left and goes on with
    // ascending ids without a gap, as many tokens of each.
    static size_t n_equal_ubatches(const FakeDecode & decode, size_t n_ubatch) {
        std::vector<size_t> left;
        for (const FakeEntry & entry : decode) {
            left.push_back(entry.tokens.size());
        }
        for (size_t n = 0;; ++n) {
            std::vector<size_t> together;
            for (size_t i = 0; i < decode.size() && together.size() <= n_ubatch; ++i) {
                if (left[i] > 0 && (together.empty() || decode[i].seq_id == decode[together.back()].seq_id + 1)) {
                    together.push_back(i);
                }
            }
            if (together.empty()) {
                return n;
            }
            size_t of_each = std::max<size_t>(1, n_ubatch / together.size());
            for (const size_t i : together) {
                of_each = std::min(of_each, left[i]);
            }
            for (const size_t i : together) {
                left[i] -= of_each;
            }
        }
    }

    static float * logits(llama_context * ctx, int32_t i) {
        FakeLlama & fake = open(ctx, "llama_get_logits_ith");
        const auto row = ctx->rows.find(i);
        if (row == ctx->rows.end()) {
            fake.complain("logits of batch index " + std::to_string(i) + ", which asked for none");
            return nullptr;
        }
        return row->second.data();
    }

    static bool remove(llama_memory_t memory, llama_seq_id seq_id, llama_pos p0, llama_pos p1) {
        FakeLlama & fake = open(memory->ctx, "llama_memory_seq_rm");
        if (seq_id < 0 || static_cast<uint32_t>(seq_id) >= memory->ctx->params.n_seq_max || p1 >= 0) {
            fake.complain("llama_memory_seq_rm of sequence " + std::to_string(seq_id) + " up to " + std::to_string(p1));
            return false;
        }
        Cached & sequence = memory->ctx->sequences[seq_id];
        const size_t n = std::min(static_cast<size_t>(std::max(p0, 0)), sequence.tokens.size());
        // llama-memory-recurrent.cpp, seq_rm: all or nothing.
        if ((fake.recurrent || fake.hybrid) && n > 0 && n < sequence.tokens.size() && n != sequence.n_state) {
            return false;
        }
        sequence.resize(n);
        return true;
    }

    static void copy(llama_memory_t memory, llama_seq_id from, llama_seq_id to, llama_pos p0, llama_pos p1) {
        llama_context * ctx = memory->ctx;
        FakeLlama & fake = open(ctx, "llama_memory_seq_cp");
        const auto known = [&](llama_seq_id id) {
            return id >= 0 && static_cast<uint32_t>(id) < ctx->params.n_seq_max;
        };
        if (!known(from) || !known(to) || from == to) {
            fake.complain("llama_memory_seq_cp of sequence " + std::to_string(from) + " to " + std::to_string(to));
        } else if (p0 >= 0 || p1 >= 0) {
            fake.complain("llama_memory_seq_cp of a part");
        } else if (!ctx->params.kv_unified && !fake.recurrent) { // of a hybrid model, too
            fake.complain("llama_memory_seq_cp between sequences that share no cells");
        } else if (!ctx->sequences[to].tokens.empty()) {
            fake.complain("llama_memory_seq_cp to a sequence that holds something");
        } else {
            ctx->sequences[to] = ctx->sequences[from];
        }
    }

    static llama_pos least_position(llama_memory_t memory, llama_seq_id id) {
        open(memory->ctx, "llama_memory_seq_pos_min");
        const Cached & sequence = memory->ctx->sequences.at(id);
        return sequence.tokens.empty() ? -1 : sequence.first;
    }

    // The state of a sequence: its tokens. So is its recurrent part.

    static size_t state_size(llama_context * ctx, llama_seq_id id, llama_state_seq_flags) {
        open(ctx, "llama_state_seq_get_size_ext");
        return sizeof(llama_token) * (ctx->sequences.at(id).tokens.size() + 1);
    }

    static size_t get_state(llama_context * ctx, uint8_t * data, size_t size, llama_seq_id id,
                            llama_state_seq_flags flags) {
        FakeLlama & fake = open(ctx, "llama_state_seq_get_data_ext");
        const std::vector<llama_token> & tokens = ctx->sequences.at(id).tokens;
        if (size < state_size(ctx, id, flags) || fake.refuses_state) {
            return 0;
        }
        const llama_token n = static_cast<llama_token>(tokens.size());
        std::memcpy(data, &n, sizeof(n));
        std::memcpy(data + sizeof(n), tokens.data(), tokens.size() * sizeof(llama_token));
        ++fake.n_states;
        return state_size(ctx, id, flags);
    }

    static size_t set_state(llama_context * ctx, const uint8_t * data, size_t size, llama_seq_id id,
                            llama_state_seq_flags flags) {
        FakeLlama & fake = open(ctx, "llama_state_seq_set_data_ext");
        Cached & sequence = ctx->sequences.at(id);
        if (fake.refuses_state) {
            return 0;
        }
        const size_t n = size / sizeof(llama_token) - 1;
        if (flags & LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY) {
            if (fake.hybrid) {
                // Attention keeps what it has, of which the state must have seen the beginning.
                if (n > sequence.tokens.size() ||
                    std::memcmp(sequence.tokens.data(), data + sizeof(llama_token), n * sizeof(llama_token)) != 0) {
                    fake.complain("a state of other tokens than the sequence holds");
                }
                sequence.n_state = n;
                return size;
            }
            sequence.resize(0); // llama-memory-recurrent.cpp, state_read_meta
        }
        if (!sequence.tokens.empty()) {
            fake.complain("llama_state_seq_set_data_ext to a sequence that holds something");
        }
        // Of layers with a window the cells are saved that the last token attends over.
        sequence.first = fake.n_swa > 0 ? std::max(0, static_cast<llama_pos>(n) - fake.n_swa) : 0;
        for (size_t at = sizeof(llama_token); at < size; at += sizeof(llama_token)) {
            llama_token token;
            std::memcpy(&token, data + at, sizeof(token));
            sequence.add(token, std::make_shared<Cell>(ctx->n_cells));
        }
        return size;
    }

    static int32_t token_to_piece(const llama_vocab * vocab, llama_token token, char * buffer, int32_t length, int32_t,
                                  bool special) {
        const FakeToken & fake = vocab->fake->vocabulary[token];
        if (!special && (fake.attr & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN))) {
            return 0;
        }
        const int32_t size = static_cast<int32_t>(fake.piece.size());
        if (size > length) {
            return -size;
        }
        std::memcpy(buffer, fake.piece.data(), size);
        return size;
    }

    // Samplers

    using Chain = std::vector<llama_sampler *>;

    static llama_sampler * new_sampler(llama_sampler_i * iface, llama_sampler_context_t ctx) {
        ++current->n_samplers;
        return new llama_sampler { iface, ctx };
    }

    static void free_sampler(llama_sampler * sampler) {
        if (sampler->iface->free) {
            sampler->iface->free(sampler);
        }
        delete sampler;
        --current->n_samplers;
    }

    static void accept(llama_sampler * sampler, llama_token token) {
        if (sampler->iface->accept) {
            sampler->iface->accept(sampler, token);
        }
    }

    static void apply(llama_sampler * sampler, llama_token_data_array * candidates) {
        sampler->iface->apply(sampler, candidates);
    }

    static llama_sampler * clone(const llama_sampler * sampler) {
        if (sampler->iface->clone) {
            return sampler->iface->clone(sampler);
        }
        if (sampler->ctx) {
            current->complain("llama_sampler_clone of a sampler that cannot be");
        }
        return new_sampler(sampler->iface, nullptr);
    }

    static Chain & chain_of(const llama_sampler * sampler) { return *static_cast<Chain *>(sampler->ctx); }

    static llama_sampler * new_chain(llama_sampler_chain_params) {
        static llama_sampler_i iface = [] {
            llama_sampler_i iface = {};
            iface.accept = [](llama_sampler * chain, llama_token token) {
                for (llama_sampler * sampler : chain_of(chain)) {
                    accept(sampler, token);
                }
            };
            iface.apply = [](llama_sampler * chain, llama_token_data_array * candidates) {
                for (llama_sampler * sampler : chain_of(chain)) {
                    apply(sampler, candidates);
                }
            };
            iface.clone = [](const llama_sampler * chain) {
                auto * clones = new Chain;
                for (const llama_sampler * sampler : chain_of(chain)) {
                    clones->push_back(clone(sampler));
                }
                return new_sampler(chain->iface, clones);
            };
            iface.free = [](llama_sampler * chain) {
                for (llama_sampler * sampler : chain_of(chain)) {
                    free_sampler(sampler);
                }
                delete &chain_of(chain);
            };
            return iface;
        }();
        return new_sampler(&iface, new Chain);
    }

    static void add(llama_sampler * chain, llama_sampler * sampler) { chain_of(chain).push_back(sampler); }

    static llama_sampler * new_greedy() {
        static llama_sampler_i iface = [] {
            llama_sampler_i iface = {};
            iface.apply = [](llama_sampler *, llama_token_data_array * candidates) {
                const auto less = [](const llama_token_data & a, const llama_token_data & b) {
                    return a.logit < b.logit;
                };
                const std::span<llama_token_data> data(candidates->data, candidates->size);
                candidates->selected = std::max_element(data.begin(), data.end(), less) - data.begin();
            };
            return iface;
        }();
        return new_sampler(&iface, nullptr);
    }

    // Draws by probability, one number for each token.
    static llama_sampler * new_dist(uint32_t seed) {
        static llama_sampler_i iface = [] {
            llama_sampler_i iface = {};
            iface.apply = [](llama_sampler * sampler, llama_token_data_array * candidates) {
                const std::span<const llama_token_data> data(candidates->data, candidates->size);
                std::vector<double> weights;
                for (const llama_token_data & one : data) {
                    weights.push_back(std::exp(static_cast<double>(one.logit)));
                }
                auto & random = *static_cast<std::mt19937 *>(sampler->ctx);
                candidates->selected = std::discrete_distribution<int64_t>(weights.begin(), weights.end())(random);
            };
            iface.clone = [](const llama_sampler * sampler) {
                return new_sampler(sampler->iface, new std::mt19937(*static_cast<std::mt19937 *>(sampler->ctx)));
            };
            iface.free = [](llama_sampler * sampler) { delete static_cast<std::mt19937 *>(sampler->ctx); };
            return iface;
        }();
        return new_sampler(&iface, new std::mt19937(seed));
    }

    // Penalizes nothing: it is there to see what it is told.
    static llama_sampler * new_penalties(int32_t, int32_t, float, float, float) {
        static llama_sampler_i iface = [] {
            llama_sampler_i iface = {};
            iface.accept = [](llama_sampler *, llama_token token) { current->told.push_back(token); };
            iface.apply = [](llama_sampler *, llama_token_data_array *) {};
            return iface;
        }();
        return new_sampler(&iface, nullptr);
    }

    // gguf.h

    static const FakeLlama::GgufValue & value(const gguf_context * gguf, int64_t id) {
        return gguf->fake->metadata.at(gguf->keys.at(id));
    }

    static gguf_context * open_gguf(const char * path, gguf_init_params) {
        const auto part = current->parts.find(path);
        std::vector<std::string> keys;
        for (const auto & [key, ignored] : current->metadata) {
            keys.push_back(key);
        }
        ++current->n_gguf;
        return new gguf_context { current, std::move(keys),
                                  part == current->parts.end() ? current->tensors : part->second };
    }

    static void free_gguf(gguf_context * gguf) {
        --gguf->fake->n_gguf;
        delete gguf;
    }

    static int64_t find_key(const gguf_context * gguf, const char * key) {
        const auto found = std::find(gguf->keys.begin(), gguf->keys.end(), key);
        return found == gguf->keys.end() ? -1 : found - gguf->keys.begin();
    }

    static gguf_type type(const gguf_context * gguf, int64_t id) {
        constexpr gguf_type types[] = { GGUF_TYPE_UINT32, GGUF_TYPE_FLOAT32, GGUF_TYPE_STRING, GGUF_TYPE_BOOL,
                                        GGUF_TYPE_ARRAY,  GGUF_TYPE_UINT16,  GGUF_TYPE_INT32 };
        return types[value(gguf, id).index()];
    }

    // std::get throws where gguf.h asserts.
    static void fill(Api & api) {
        api.ggml_backend_dev_by_type = [](enum ggml_backend_dev_type) -> ggml_backend_dev_t { return nullptr; };
        api.ggml_backend_dev_count = []() -> size_t { return 0; };

        api.gguf_init_from_file = open_gguf;
        api.gguf_free = free_gguf;
        api.gguf_find_key = find_key;
        api.gguf_get_kv_type = type;
        api.gguf_get_val_u32 = [](const gguf_context * gguf, int64_t id) {
            return std::get<uint32_t>(value(gguf, id));
        };
        api.gguf_get_val_u16 = [](const gguf_context * gguf, int64_t id) {
            return std::get<uint16_t>(value(gguf, id));
        };
        api.gguf_get_val_i32 = [](const gguf_context * gguf, int64_t id) { return std::get<int32_t>(value(gguf, id)); };
        api.gguf_get_val_f32 = [](const gguf_context * gguf, int64_t id) { return std::get<float>(value(gguf, id)); };
        api.gguf_get_val_str = [](const gguf_context * gguf, int64_t id) {
            return std::get<std::string>(value(gguf, id)).c_str();
        };
        api.gguf_get_n_tensors = [](const gguf_context * gguf) { return static_cast<int64_t>(gguf->tensors.size()); };
        api.gguf_get_tensor_name = [](const gguf_context * gguf, int64_t i) {
            return gguf->tensors.at(i).name.c_str();
        };
        api.gguf_get_tensor_size = [](const gguf_context * gguf, int64_t i) { return gguf->tensors.at(i).size; };
        api.gguf_get_tensor_type = [](const gguf_context * gguf, int64_t i) { return gguf->tensors.at(i).type; };
        api.gguf_get_tensor_ne = [](const gguf_context * gguf, int64_t i) -> const int64_t * {
            return gguf->tensors.at(i).ne.data();
        };
        api.gguf_get_val_bool = [](const gguf_context * gguf, int64_t id) { return std::get<bool>(value(gguf, id)); };
        api.gguf_get_arr_type = [](const gguf_context *, int64_t) { return GGUF_TYPE_INT32; };
        api.gguf_get_arr_n = [](const gguf_context * gguf, int64_t id) {
            return std::get<std::vector<int32_t>>(value(gguf, id)).size();
        };
        api.gguf_get_arr_data = [](const gguf_context * gguf, int64_t id) -> const void * {
            return std::get<std::vector<int32_t>>(value(gguf, id)).data();
        };
        api.ggml_type_name = [](enum ggml_type type) { return type == GGML_TYPE_Q8_0 ? "q8_0" : "another"; };

        api.llama_model_default_params = []() -> llama_model_params { return {}; };
        api.llama_model_load_from_file = load;
        api.llama_model_free = free_model;
        api.llama_model_get_vocab = [](const llama_model * model) -> const llama_vocab * { return &model->vocab; };
        api.llama_model_desc = [](const llama_model *, char *, size_t) { return 0; };
        api.llama_model_ftype = [](const llama_model *) { return LLAMA_FTYPE_ALL_F32; };
        api.llama_ftype_name = [](enum llama_ftype) { return "F32"; };
        api.llama_model_n_params = [](const llama_model *) -> uint64_t { return 1; };
        api.llama_model_size = [](const llama_model *) -> uint64_t { return 4; };
        api.llama_model_n_layer = [](const llama_model *) { return 1; };
        api.llama_model_n_embd = [](const llama_model *) { return 1; };
        api.llama_model_n_ctx_train = [](const llama_model *) { return 0; };
        api.llama_model_is_recurrent = [](const llama_model * model) { return model->fake->recurrent; };
        api.llama_model_is_hybrid = [](const llama_model * model) { return model->fake->hybrid; };
        api.llama_model_rope_type = [](const llama_model *) { return LLAMA_ROPE_TYPE_NORM; };
        api.llama_model_n_swa = [](const llama_model * model) { return model->fake->n_swa; };
        api.llama_model_is_diffusion = [](const llama_model *) { return false; };
        api.llama_model_has_decoder = [](const llama_model *) { return true; };
        api.llama_model_has_encoder = [](const llama_model *) { return false; };
        api.llama_model_chat_template = [](const llama_model *, const char *) -> const char * { return nullptr; };

        // Knows no key.
        api.llama_model_meta_val_str = [](const llama_model *, const char *, char *, size_t) { return -1; };

        api.llama_vocab_type = [](const llama_vocab *) { return LLAMA_VOCAB_TYPE_BPE; };
        api.llama_vocab_n_tokens = [](const llama_vocab * vocab) {
            return static_cast<int32_t>(vocab->fake->vocabulary.size());
        };
        api.llama_vocab_bos = [](const llama_vocab *) -> llama_token { return LLAMA_TOKEN_NULL; };
        api.llama_vocab_eos = [](const llama_vocab *) -> llama_token { return 0; };
        api.llama_vocab_get_add_bos = [](const llama_vocab *) { return false; };
        api.llama_vocab_get_attr = [](const llama_vocab * vocab, llama_token token) {
            return static_cast<enum llama_token_attr>(vocab->fake->vocabulary[token].attr);
        };
        api.llama_vocab_get_text = [](const llama_vocab * vocab, llama_token token) {
            return vocab->fake->vocabulary[token].piece.c_str();
        };
        api.llama_vocab_is_eog = [](const llama_vocab * vocab, llama_token token) {
            return vocab->fake->vocabulary[token].eog;
        };
        api.llama_token_to_piece = token_to_piece;

        api.llama_context_default_params = []() -> llama_context_params { return {}; };
        api.llama_init_from_model = new_context;
        api.llama_free = free_context;
        api.llama_set_n_threads = [](llama_context * ctx, int32_t n_threads, int32_t n_threads_batch) {
            ctx->params.n_threads = n_threads;
            ctx->params.n_threads_batch = n_threads_batch;
        };
        api.llama_n_ubatch = [](const llama_context * ctx) { return ctx->params.n_ubatch; };
        api.llama_get_memory = [](const llama_context * ctx) -> llama_memory_t {
            return &const_cast<llama_context *>(ctx)->memory;
        };
        api.llama_memory_seq_cp = copy;
        api.llama_memory_seq_pos_max = [](llama_memory_t memory, llama_seq_id id) {
            return static_cast<llama_pos>(memory->ctx->sequences.at(id).tokens.size()) - 1;
        };
        api.llama_memory_seq_pos_min = least_position;
        api.llama_memory_seq_rm = remove;
        api.llama_decode = decode;
        api.llama_state_seq_get_size_ext = state_size;
        api.llama_state_seq_get_data_ext = get_state;
        api.llama_state_seq_set_data_ext = set_state;
        api.llama_get_logits_ith = logits;

        api.llama_sampler_init = new_sampler;
        api.llama_sampler_free = free_sampler;
        api.llama_sampler_accept = accept;
        api.llama_sampler_apply = apply;
        api.llama_sampler_chain_default_params = []() -> llama_sampler_chain_params { return {}; };
        api.llama_sampler_chain_init = new_chain;
        api.llama_sampler_chain_add = add;
        api.llama_sampler_chain_get = [](llama_sampler * chain, int32_t i) { return chain_of(chain).at(i); };
        api.llama_sampler_clone = clone;
        api.llama_sampler_init_dist = new_dist;
        api.llama_sampler_init_greedy = new_greedy;
        api.llama_sampler_init_penalties = new_penalties;
    }
};

FakeLlama::FakeLlama() : vocab_(new llama_vocab { this }) {
    metadata = { { "general.architecture", "fake" }, { "fake.block_count", 1u } };
    tensors = { { "blk.0.weight", 4 } };
    FakeFunctions::fill(table);
    current = this;
}

FakeLlama::~FakeLlama() {
    current = nullptr;
}

void FakeLlama::complain(const std::string & what) {
    std::lock_guard lock(mutex);
    broken_rules.push_back(what);
}

std::vector<std::string> FakeLlama::complaints() const {
    std::lock_guard lock(mutex);
    std::vector<std::string> all = broken_rules;
    const auto count = [&](const char * what, int64_t n) {
        if (n != 0) {
            all.push_back(std::to_string(n) + " " + what + " not freed");
        }
    };
    const auto lost = [](const auto & ctx) { return ctx->asserted; };
    const auto leaked = [](const auto & object) { return !object->freed; };
    if (std::none_of(contexts.begin(), contexts.end(), lost)) {
        count("models", std::count_if(models.begin(), models.end(), leaked));
        count("contexts", std::count_if(contexts.begin(), contexts.end(), leaked));
    }
    count("samplers", n_samplers);
    count("GGUF files", n_gguf);
    return all;
}

void FakeLlama::hashed(std::span<const llama_token> sequence, std::span<float> row) {
    uint64_t hash = 0;
    for (const llama_token token : sequence) {
        hash = mix(hash ^ static_cast<uint64_t>(token));
    }
    for (size_t token = 0; token < row.size(); ++token) {
        // 24 bits: exact in a float.
        row[token] = static_cast<float>(mix(hash + token) >> 40);
    }
}

} // namespace z1
