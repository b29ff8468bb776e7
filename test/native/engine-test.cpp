// The whole of native/ on the real engine pack and the embedded model, against plain loops on llama.cpp's functions.
#include "check.h"
#include "collector.h"
#include "engine/thinking/window.h"
#include "llama/library.h"

#include <algorithm>

using namespace z1;

namespace {

const Engine & engine() {
    return Engine::open(Z1_TEST_ENGINE_DIR, "");
}

std::shared_ptr<Model> load() {
    ModelParams params;
    params.path = Z1_TEST_MODELS_DIR "/z1-mini.gguf";
    params.n_gpu_layers = 0;
    return Model::load(engine(), params, [](float) { return true; });
}

Tokens prompt_of(const Model & model) {
    return model.tokenize(
        { { "<|im_start|>user\nWhat is the largest of 13, 19, 11?<|im_end|>\n<|im_start|>assistant\n", true, false } });
}

constexpr uint32_t n_ctx = 512;

// A llama_context of its own, used as llama.cpp's examples do.
class Plain {
public:
    explicit Plain(const Model & model) : model(model), api(model.api()), ctx(make(model), api.llama_free) {}

    llama_context * get() const { return ctx.get(); }

    void decode(const Tokens & tokens) {
        std::vector<llama_pos> pos;
        std::vector<int32_t> n_seq_id(tokens.size(), 1);
        llama_seq_id seq_id = 0;
        std::vector<llama_seq_id *> seq_ids(tokens.size(), &seq_id);
        std::vector<int8_t> logits(tokens.size(), 0);
        logits.back() = 1;
        for (size_t i = 0; i < tokens.size(); ++i) {
            pos.push_back(n_past++);
        }
        Tokens copy = tokens;
        CHECK_EQ(api.llama_decode(ctx.get(), { static_cast<int32_t>(tokens.size()), copy.data(), nullptr, pos.data(),
                                               n_seq_id.data(), seq_ids.data(), logits.data() }),
                 0);
    }

    /// The likeliest token after what was decoded last.
    llama_token greedy() const {
        const float * row = api.llama_get_logits_ith(ctx.get(), -1);
        return static_cast<llama_token>(std::max_element(row, row + model.pieces().size()) - row);
    }

    /// Up to n tokens, the last of which is not decoded; fewer when the model ends.
    Tokens generate(size_t n) {
        Tokens tokens;
        for (;;) {
            const llama_token token = greedy();
            if (api.llama_vocab_is_eog(model.vocab(), token)) {
                return tokens;
            }
            tokens.push_back(token);
            if (tokens.size() == n) {
                return tokens;
            }
            decode({ token });
        }
    }

private:
    static llama_context * make(const Model & model) {
        llama_context_params params = model.api().llama_context_default_params();
        params.n_ctx = n_ctx;
        params.n_batch = n_ctx;
        params.n_ubatch = n_ctx;
        params.n_threads = params.n_threads_batch = 1;
        return model.api().llama_init_from_model(model.get(), params);
    }

    const Model & model;
    const Api & api;
    std::unique_ptr<llama_context, decltype(&::llama_free)> ctx;
    llama_pos n_past = 0;
};

// The context under test, until the end of a test.
struct Running {
    std::shared_ptr<Collector> sink = std::make_shared<Collector>();
    std::unique_ptr<Context> context;

    explicit Running(std::shared_ptr<Model> model) {
        ContextParams params;
        params.n_ctx = n_ctx;
        params.n_ubatch = n_ctx;
        context = open_context(std::move(model), params, sink);
    }

    Outcome run(Request request) {
        static uint32_t last_id = 0;
        request.id = ++last_id;
        context->start(request);
        return sink->wait(request.id);
    }
};

// Functions that only these tests call.
template <typename Function>
Function * extra(const char * name) {
    static const Library library =
        Library::open(Library::file_of(reinterpret_cast<const void *>(engine().api.llama_version)));
    return reinterpret_cast<Function *>(library.symbol(name));
}

// The token that a chain of `first` and a greedy sampler chose inside the llama_decode of a prompt.
llama_token sampled_in_decode(llama_sampler * first) {
    const std::shared_ptr<Model> model = load();
    const Api & api = model->api();
    Plain plain(*model);
    llama_sampler * chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params());
    api.llama_sampler_chain_add(chain, first);
    api.llama_sampler_chain_add(chain, api.llama_sampler_init_greedy());
    const auto set_sampler = extra<decltype(::llama_set_sampler)>("llama_set_sampler");
    CHECK(set_sampler(plain.get(), 0, chain));
    plain.decode(prompt_of(*model));
    const llama_token token =
        extra<decltype(::llama_get_sampled_token_ith)>("llama_get_sampled_token_ith")(plain.get(), -1);
    set_sampler(plain.get(), 0, nullptr);
    api.llama_sampler_free(chain);
    return token;
}

} // namespace

TEST(the_engine_is_open_once) {
    const Engine & first = engine();
    CHECK(&first == &engine());
    CHECK(Engine::opened() == &first);
    bool cpu = false;
    for (const Device & device : first.devices()) {
        cpu = cpu || device.type == GGML_BACKEND_DEVICE_TYPE_CPU;
    }
    CHECK(cpu);
    try {
        Engine::open(Z1_TEST_MODELS_DIR, "");
        CHECK(false);
    } catch (const Error & error) {
        CHECK_EQ(error.code, ErrorCode::ENGINE_CONFLICT);
    }
}

TEST(a_generation_that_ends_by_itself) {
    const std::shared_ptr<Model> model = load();
    Running running(model);
    Request request;
    request.prompt = prompt_of(*model);
    request.thinking_window = 300;
    request.hint = { 1 };
    const Outcome outcome = running.run(request);

    Plain plain(*model);
    plain.decode(request.prompt);
    const Tokens expected = plain.generate(300);
    CHECK(expected.size() > 8 && expected.size() < 300);
    CHECK_EQ(outcome.thinking, expected);
    CHECK_EQ(outcome.thinking_text, model->detokenize(expected, false));
    CHECK(outcome.thinking_text.find("\\boxed{19}") != std::string::npos);
    CHECK(!outcome.cut && outcome.done && outcome.done->ended == Ended::self);
}

TEST(a_generation_that_the_window_cuts) {
    const std::shared_ptr<Model> model = load();
    Running running(model);
    Request request;
    request.prompt = prompt_of(*model);
    request.thinking_window = 8;
    request.max_tokens = 30;
    request.hint = model->tokenize({ { "\n\nI overthought it, the final answer should be:\n\n", false, true } });
    const Outcome outcome = running.run(request);

    Plain plain(*model);
    plain.decode(request.prompt);
    const Tokens thinking = plain.generate(8);
    Tokens last_and_hint = { thinking.back() };
    last_and_hint.insert(last_and_hint.end(), request.hint.begin(), request.hint.end());
    plain.decode(last_and_hint);
    const Tokens answer = plain.generate(30);
    CHECK(!answer.empty());
    CHECK_EQ(outcome.thinking, thinking);
    CHECK_EQ(outcome.answer, answer);
    CHECK(outcome.cut && outcome.cut->ended == Ended::window && outcome.cut->n_thinking == 8);
    CHECK_EQ(outcome.cut->n_hint, request.hint.size());
    CHECK_EQ(outcome.done->timings.decode_calls, 1 + 7 + 1 + (answer.size() - (answer.size() == 30)));
}

// One sequence becomes two in the engine's own cells; an entry asks for logits after each of its tokens.
// A context of several sequences, with cells in common or each with its own.
std::unique_ptr<llama_context, decltype(&::llama_free)> several(const Model & model, uint32_t n_seq_max, bool unified,
                                                                int * n_passes = nullptr) {
    const Api & api = model.api();
    llama_context_params params = api.llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = n_ctx * n_seq_max;
    params.n_seq_max = n_seq_max;
    params.kv_unified = unified;
    params.n_threads = params.n_threads_batch = 1;
    if (n_passes) {
        params.cb_eval_user_data = n_passes;
        params.cb_eval = [](ggml_tensor * tensor, bool asks, void * counter) {
            *static_cast<int *>(counter) += asks && std::string_view(tensor->name) == "result_output";
            return false;
        };
    }
    return { api.llama_init_from_model(model.get(), params), api.llama_free };
}

TEST(a_fork_and_several_outputs_of_an_entry) {
    const std::shared_ptr<Model> model = load();
    const Api & api = model->api();
    const Tokens prompt = prompt_of(*model);
    Plain plain(*model);
    plain.decode(prompt);
    const Tokens expected = plain.generate(6);
    CHECK_EQ(expected.size(), 6);
    for (const bool unified : { true, false }) {
        const auto ctx = several(*model, 2, unified);
        const auto greedy = [&](int32_t index) {
            const float * row = api.llama_get_logits_ith(ctx.get(), index);
            return static_cast<llama_token>(std::max_element(row, row + model->pieces().size()) - row);
        };
        SequencePool pool(api, ctx.get(), { 1, 1, unified, !unified });
        Sequence & trunk = *pool.best_for(prompt, true);
        pool.take(trunk);
        Batch batch;
        batch.add(prompt, 0, trunk.seq_ids(), 1);
        CHECK_EQ(api.llama_decode(ctx.get(), batch.get()), 0);
        trunk.append(prompt.data(), prompt.size());
        CHECK_EQ(greedy(static_cast<int32_t>(prompt.size()) - 1), expected[0]);

        // The branch goes on as the trunk would, in the same batch as the trunk, which goes elsewhere.
        Sequence & branch = *pool.fork(trunk);
        batch.clear();
        batch.add(std::span(prompt).first(1), trunk.size(), trunk.seq_ids(), 1);
        const int32_t first = batch.add(std::span(expected).first(5), branch.size(), branch.seq_ids(), 5);
        CHECK_EQ(api.llama_decode(ctx.get(), batch.get()), 0);
        for (int32_t i = 0; i < 5; ++i) {
            CHECK_EQ(greedy(first + i), expected[i + 1]);
        }
    }
}

// Why a step's batch is sorted by sequence, and a pool lends neighbors.
TEST(only_neighbors_in_ascending_order_share_a_pass_where_cells_are_not_shared) {
    const std::shared_ptr<Model> model = load();
    const Tokens token = { prompt_of(*model)[0] };
    const struct {
        std::vector<llama_seq_id> ids;
        int n_separate;
    } table[] = { { { 0, 1, 2 }, 1 }, { { 0, 2, 5 }, 3 }, { { 2, 1, 0 }, 3 }, { { 3, 4, 5 }, 1 }, { { 0, 1, 5 }, 2 } };
    for (const bool unified : { true, false }) {
        for (const auto & row : table) {
            int n_passes = 0;
            const auto ctx = several(*model, 6, unified, &n_passes);
            Batch batch;
            for (const llama_seq_id id : row.ids) {
                batch.add(token, 0, { &id, 1 }, 1);
            }
            CHECK_EQ(model->api().llama_decode(ctx.get(), batch.get()), 0);
            CHECK_EQ(n_passes, unified ? 1 : row.n_separate);
        }
    }
}

TEST(a_window_keeps_a_chain_in_the_engine) {
    const std::shared_ptr<Model> model = load();
    Plain plain(*model);
    plain.decode(prompt_of(*model));
    Window * window = nullptr;
    CHECK_EQ(sampled_in_decode(Window::create(engine().api, 8, &window)), plain.greedy());
}

// What the test above would see if the window had no backend_init.
TEST(a_sampler_without_backend_init_does_not) {
    static llama_sampler_i plain = {};
    plain.apply = [](llama_sampler *, llama_token_data_array *) {};
    CHECK_EQ(sampled_in_decode(engine().api.llama_sampler_init(&plain, nullptr)), LLAMA_TOKEN_NULL);
}

TEST(a_file_that_is_no_model) {
    ModelParams params;
    params.path = Z1_TEST_VOCABULARY;
    try {
        Model::load(engine(), params, [](float) { return true; });
        CHECK(false);
    } catch (const Error & error) {
        CHECK_EQ(error.code, ErrorCode::MODEL_INVALID);
        CHECK(std::string(error.what()).find("a vocabulary but no tensors") != std::string::npos);
    }
    params.path = Z1_TEST_MODELS_DIR "/z1-mini.md";
    CHECK_THROWS(Error, Model::load(engine(), params, [](float) { return true; }));
}

// Ordinary text, control tokens, blanks and characters of several bytes, so that cuts fall on all of them.
std::string long_text() {
    const std::string parts[] = {
        "It counts from one to",
        "  three:\n\n\t1, 2, 3\r\n",
        "<|im_end|>\n<|im_start|>user\n",
        "na\u00efve caf\u00e9 ",
        "\u4e2d\u6587\u3002\n",
        "def f(x):\n    return x\n",
        "x   \n \n  y \n",
        "1234567 89 ",
        "it's a dog's life, we'll",
    };
    std::string text;
    uint32_t random = 1;
    while (text.size() < 400000) {
        random = random * 1664525 + 1013904223;
        text += parts[(random >> 16) % std::size(parts)];
    }
    return text;
}

Tokens tokenized_at_once(const llama_model * model, std::string_view text) {
    const Api & api = engine().api;
    Tokens tokens(text.size() + 16);
    tokens.resize(api.llama_tokenize(api.llama_model_get_vocab(model), text.data(), static_cast<int32_t>(text.size()),
                                     tokens.data(), static_cast<int32_t>(tokens.size()), false, true));
    return tokens;
}

TEST(a_text_can_be_cut_without_a_change_of_its_tokens) {
    const Api & api = engine().api;
    const std::string text = long_text();
    for (const char * path : { Z1_TEST_MODELS_DIR "/z1-mini.gguf", Z1_TEST_VOCABULARY }) {
        llama_model_params params = api.llama_model_default_params();
        params.vocab_only = true;
        const std::unique_ptr<llama_model, decltype(&::llama_model_free)> model(
            api.llama_model_load_from_file(path, params), api.llama_model_free);
        const TextBounds bounds(api, model.get(), Pieces(api, api.llama_model_get_vocab(model.get())));
        const Tokens whole = tokenized_at_once(model.get(), text);
        for (const size_t least : { 1, 2, 3, 5, 8, 13, 100, 1000 }) {
            Tokens tokens;
            size_t n_parts = 0;
            for (size_t from = 0, end; from < text.size(); from = end) {
                end = bounds.end_of_part(text, from, least, true);
                const Tokens part = tokenized_at_once(model.get(), std::string_view(text).substr(from, end - from));
                tokens.insert(tokens.end(), part.begin(), part.end());
                ++n_parts;
            }
            CHECK_EQ(tokens, whole);
            CHECK(n_parts > text.size() / (least + 60));
        }
    }
}

TEST(a_long_text_is_tokenized_in_parts) {
    const std::shared_ptr<Model> model = load();
    const std::string text = long_text();
    size_t asked = 0;
    const Tokens tokens = model->tokenize({ { text, true, false } }, SIZE_MAX, [&] { return ++asked == 0; });
    CHECK_EQ(tokens, tokenized_at_once(model->get(), text));
    CHECK_EQ(asked, 25); // 400,000 bytes, 16,384 and a few at a time
}

TEST(tokenizing_ends_when_nobody_waits) {
    const std::shared_ptr<Model> model = load();
    const std::string text = long_text();
    size_t asked = 0;
    const auto stops_at = [&](size_t n) { return [&asked, n] { return ++asked == n; }; };
    const auto code_of = [](const auto & action) {
        try {
            action();
        } catch (const Error & error) {
            return error.code;
        }
        return ErrorCode::DECODE_FAILED;
    };
    const Segment short_one { "word", true, false };
    CHECK_EQ(code_of([&] { model->tokenize({ { text, true, false } }, SIZE_MAX, stops_at(3)); }), ErrorCode::ABORTED);
    CHECK_EQ(asked, 3);
    asked = 0;
    CHECK_EQ(code_of([&] { model->tokenize({ short_one, short_one }, SIZE_MAX, stops_at(2)); }), ErrorCode::ABORTED);
    asked = 0;
    CHECK_EQ(code_of([&] { model->detokenize(Tokens(1000000, 65), false, stops_at(3)); }), ErrorCode::ABORTED);
    // Too many tokens end it where text is left; who has all of it can say how many there are.
    asked = 0;
    CHECK_EQ(code_of([&] { model->tokenize({ { text, true, false } }, 100, stops_at(9)); }),
             ErrorCode::CONTEXT_TOO_SMALL);
    CHECK_EQ(asked, 2);
    CHECK_EQ(code_of([&] { model->tokenize({ short_one, short_one }, 0); }), ErrorCode::CONTEXT_TOO_SMALL);
    CHECK(!model->tokenize({ short_one }, 0).empty());
}

TEST(a_load_can_be_cancelled) {
    ModelParams params;
    params.path = Z1_TEST_MODELS_DIR "/z1-mini.gguf";
    params.n_gpu_layers = 0;
    for (const float when : { 0.0f, 0.5f }) {
        try {
            Model::load(engine(), params, [&](float progress) { return progress < when; });
            CHECK(false);
        } catch (const Error & error) {
            CHECK_EQ(error.code, ErrorCode::ABORTED);
        }
    }
}
