#include "engine/model/gguf-header.h"

#include "check.h"
#include "error.h"
#include "fake-llama.h"

#include <limits>

using namespace z1;

namespace {

constexpr uint64_t mib = 1 << 20;

// A file that is in order; `change` spoils it.
template <typename Change>
GgufHeader read_changed(Change change, const std::string & path = "file.gguf") {
    FakeLlama fake;
    fake.metadata = {
        { "general.architecture", "llama" },  { "tokenizer.ggml.model", "gpt2" },
        { "llama.block_count", 2u },          { "llama.embedding_length", 64u },
        { "llama.attention.head_count", 8u }, { "llama.attention.layer_norm_rms_epsilon", 1e-5f },
    };
    fake.tensors = { { "token_embd.weight", 1000 }, { "blk.0.attn_q.weight", 10 }, { "blk.0.ffn_up.weight", 20 },
                     { "blk.1.attn_q.weight", 40 }, { "output_norm.weight", 7 },   { "blk.2.extra.weight", 500 } };
    change(fake);
    const auto check_freed = [&] { CHECK_EQ(fake.complaints(), std::vector<std::string> {}); };
    try {
        const GgufHeader header = GgufHeader::read(fake.api(), path);
        check_freed();
        return header;
    } catch (...) {
        check_freed();
        throw;
    }
}

// Why the spoiled file is refused.
template <typename Change>
std::string refusal(Change change, ErrorCode code = ErrorCode::MODEL_INVALID) {
    try {
        read_changed(change);
        return "it was not refused";
    } catch (const Error & error) {
        CHECK_EQ(error.code, code);
        return error.what();
    }
}

std::string refused(const std::string & reason) {
    return "file.gguf is not a usable GGUF model: " + reason;
}

// The reserve for compute buffers: 512 MiB, and a twentieth of what is free.
uint64_t free_memory(uint64_t usable) {
    return (usable + 512 * mib) * 20 / 19 + 1;
}

GgufHeader layers(std::vector<uint64_t> bytes, uint64_t other, uint64_t kv) {
    GgufHeader header;
    header.layer_bytes = std::move(bytes);
    header.other_bytes = other;
    header.kv_bytes_per_cell_layer = kv;
    return header;
}

} // namespace

TEST(as_many_layers_as_fit_from_the_last_one_on) {
    const GgufHeader header = layers({ 400 * mib, 300 * mib, 200 * mib, 100 * mib }, 50 * mib, 0);
    const struct {
        uint64_t usable; // MiB
        int32_t n_gpu_layers;
    } table[] = {
        { 0, 0 },     { 49, 0 },   // not even the output
        { 50, 1 },    { 149, 1 },  // the output, and 99 of the last layer's 100
        { 150, 2 },   { 349, 2 },  // 50 + 100
        { 350, 3 },   { 649, 3 },  // 50 + 100 + 200
        { 650, 4 },   { 1049, 4 }, // 50 + 100 + 200 + 300
        { 1050, -1 }, { 100000, -1 },
    };
    for (const auto & row : table) {
        CHECK_EQ(fit_gpu_layers(header, free_memory(row.usable * mib), 4096), row.n_gpu_layers);
    }
}

TEST(every_layer_brings_its_kv_cells) {
    // 1 KiB a cell: 4096 cells are 4 MiB a layer beside its 1 MiB.
    const GgufHeader header = layers({ mib, mib, mib }, 0, 1024);
    CHECK_EQ(fit_gpu_layers(header, free_memory(4 * mib), 4096), 1);
    CHECK_EQ(fit_gpu_layers(header, free_memory(5 * mib), 4096), 2);
    CHECK_EQ(fit_gpu_layers(header, free_memory(14 * mib), 4096), 3);
    CHECK_EQ(fit_gpu_layers(header, free_memory(15 * mib), 4096), -1);
    CHECK_EQ(fit_gpu_layers(header, free_memory(3 * mib), 0), -1);
}

TEST(cells_are_counted_in_64_bits) {
    // 128 KiB a cell and 131072 cells are 16 GiB a layer.
    const GgufHeader header = layers({ mib, mib }, 0, 128 * 1024);
    CHECK_EQ(fit_gpu_layers(header, free_memory(17 * 1024 * mib), 131072), 2);
}

TEST(less_memory_than_the_reserve_fits_nothing) {
    const GgufHeader header = layers({ 1 }, 1, 0);
    CHECK_EQ(fit_gpu_layers(header, 0, 0), 0);
    CHECK_EQ(fit_gpu_layers(header, 512 * mib, 0), 0);
    CHECK_EQ(fit_gpu_layers(header, 10, 0), 0);
    CHECK_EQ(fit_gpu_layers(header, std::numeric_limits<uint64_t>::max(), 0), -1);
}

TEST(a_header_in_order) {
    const GgufHeader header = read_changed([](FakeLlama &) {});
    CHECK_EQ(header.architecture, "llama");
    CHECK(header.layer_bytes == std::vector<uint64_t> { 30, 40 });
    CHECK_EQ(header.other_bytes, 1507); // what is of no layer, a block beyond the count included
    CHECK_EQ(header.kv_bytes_per_cell_layer, 8 * (8 + 8) * 2);
}

TEST(all_parts_of_a_model_count) {
    const auto split = [](FakeLlama & fake) {
        fake.metadata["split.no"] = uint16_t { 0 };
        fake.metadata["split.count"] = uint16_t { 3 };
        fake.tensors = {};
        fake.parts["a-00002-of-00003.gguf"] = { { "token_embd.weight", 1000 }, { "blk.0.attn_k.weight", 10 } };
        fake.parts["a-00003-of-00003.gguf"] = { { "blk.0.ffn_up.weight", 20 }, { "blk.1.attn_k.weight", 40 } };
    };
    const GgufHeader header = read_changed(split, "a-00001-of-00003.gguf");
    CHECK(header.layer_bytes == std::vector<uint64_t> { 30, 40 });
    CHECK_EQ(header.other_bytes, 1000);
    CHECK_EQ(header.kv_bytes_per_cell, 2 * 8 * (8 + 8) * 2);

    // llama.cpp refuses another name of the first part, and any other part in its place.
    CHECK_EQ(read_changed(split, "b.gguf").other_bytes, 0);
    const auto second = [&](FakeLlama & fake) {
        split(fake);
        fake.metadata["split.no"] = uint16_t { 1 };
    };
    CHECK_EQ(read_changed(second, "a-00001-of-00003.gguf").other_bytes, 0);

    // What is checked of tensors is checked of those too.
    const auto spoiled = [&](FakeLlama & fake) {
        split(fake);
        fake.parts["a-00003-of-00003.gguf"] = { { "blk.0.ffn_up.weight", 20, GGML_TYPE_I8 } };
    };
    try {
        read_changed(spoiled, "a-00001-of-00003.gguf");
        CHECK(false);
    } catch (const Error & error) {
        CHECK_EQ(error.code, ErrorCode::MODEL_INVALID);
    }
}

TEST(kv_bytes_follow_the_file) {
    CHECK_EQ(read_changed([](FakeLlama & fake) {
                 fake.metadata["llama.attention.head_count_kv"] = 2u;
             }).kv_bytes_per_cell_layer,
             2 * (8 + 8) * 2);
    CHECK_EQ(read_changed([](FakeLlama & fake) {
                 fake.metadata["llama.attention.key_length"] = 192u;
                 fake.metadata["llama.attention.value_length"] = 128u;
             }).kv_bytes_per_cell_layer,
             8 * (192 + 128) * 2);
    CHECK_EQ(read_changed([](FakeLlama & fake) {
                 fake.metadata.erase("llama.attention.head_count");
             }).kv_bytes_per_cell_layer,
             0);
}

TEST(numbers_that_llama_cpp_would_trust) {
    const auto with = [](const char * key, FakeLlama::GgufValue value) {
        return [=](FakeLlama & fake) { fake.metadata[key] = value; };
    };
    CHECK_EQ(refusal(with("llama.block_count", 0u)), refused("llama.block_count is 0, expected 1 to 512"));
    CHECK_EQ(refusal(with("llama.block_count", 513u)), refused("llama.block_count is 513, expected 1 to 512"));
    CHECK_EQ(refusal(with("llama.block_count", "2")), refused("llama.block_count is 0, expected 1 to 512"));
    CHECK_EQ(read_changed(with("llama.block_count", 512u)).layer_bytes.size(), 512);
    for (const char * key : { "llama.attention.layer_norm_rms_epsilon", "llama.attention.layer_norm_epsilon" }) {
        for (const float value :
             { std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -1e-6f }) {
            CHECK_EQ(refusal(with(key, value)), refused(std::string(key) + " is not a positive number"));
        }
    }
    CHECK_EQ(refusal(with("llama.embedding_length", 0u)), refused("llama.embedding_length is 0"));
    CHECK_EQ(refusal(with("general.architecture", 3u)), refused("general.architecture is missing"));
    CHECK_EQ(refusal(with("general.architecture", "")), refused("general.architecture is missing"));
    CHECK_EQ(refusal([](FakeLlama & fake) { fake.tensors.clear(); }), refused("it holds a vocabulary but no tensors"));
}

TEST(a_model_without_attention_has_no_heads) {
    const GgufHeader header = read_changed([](FakeLlama & fake) {
        fake.metadata = { { "general.architecture", "mamba" },
                          { "mamba.block_count", 2u },
                          { "mamba.embedding_length", 64u },
                          { "mamba.attention.head_count", 0u } };
    });
    CHECK_EQ(header.kv_bytes_per_cell_layer, 0);
}

TEST(what_an_architecture_divides_by) {
    const auto of = [](const char * architecture, std::map<std::string, FakeLlama::GgufValue> more) {
        return [=](FakeLlama & fake) {
            fake.metadata = more;
            fake.metadata["general.architecture"] = architecture;
        };
    };
    const auto read = [&](auto change) { return read_changed(change).architecture; };
    CHECK_EQ(refusal(of("olmo2", { { "olmo2.attention.head_count", 0u } })),
             refused("olmo2.attention.head_count is 0"));
    CHECK_EQ(refusal(of("olmo2", {})), refused("olmo2.attention.head_count is missing"));
    CHECK_EQ(read(of("rwkv7", { { "rwkv7.attention.head_count", 0u } })), "rwkv7");
    CHECK_EQ(refusal(of("rwkv7", { { "rwkv7.wkv.head_size", 0u } })), refused("rwkv7.wkv.head_size is 0"));
    CHECK_EQ(read(of("rwkv7", {})), "rwkv7");
    CHECK_EQ(refusal(of("mamba2", { { "mamba2.ssm.group_count", 0u } })), refused("mamba2.ssm.group_count is 0"));
    CHECK_EQ(read(of("plamo2", { { "plamo2.ssm.group_count", 0u } })), "plamo2");
    CHECK_EQ(refusal(of("glm4moe", { { "glm4moe.expert_used_count", 0u } })),
             refused("glm4moe.expert_used_count is 0"));
    CHECK_EQ(read(of("qwen3moe", { { "qwen3moe.expert_used_count", 0u } })), "qwen3moe");
    // One for each layer.
    CHECK_EQ(read(of("glm4moe", { { "glm4moe.expert_used_count", std::vector<int32_t> { 0, 8 } } })), "glm4moe");
}

TEST(an_architecture_that_is_not_known_is_left_to_llama_cpp) {
    CHECK_EQ(read_changed([](FakeLlama & fake) {
                 fake.metadata = { { "general.architecture", "flux" } };
             }).layer_bytes.size(),
             0);
}

TEST(rotated_dimensions) {
    const auto with = [](std::map<std::string, FakeLlama::GgufValue> more) {
        return [=](FakeLlama & fake) {
            for (const auto & [key, value] : more) {
                fake.metadata[key] = value;
            }
        };
    };
    const auto expected = [](const std::string & key, int n, int most) {
        return refused(key + " is " + std::to_string(n) + ", expected an even number up to " + std::to_string(most));
    };
    const std::string count = "llama.rope.dimension_count";
    read_changed(with({ { count, 8u } }));
    read_changed(with({ { count, 4u } }));
    CHECK_EQ(refusal(with({ { count, 7u } })), expected(count, 7, 8));
    CHECK_EQ(refusal(with({ { count, 10u } })), expected(count, 10, 8));
    CHECK_EQ(refusal(with({ { "llama.attention.key_length", 5u } })), expected(count, 5, 5));
    read_changed(with({ { count, 10u }, { "llama.attention.key_length", 16u } }));
    CHECK_EQ(refusal(with({ { count + "_swa", 10u } })), expected(count + "_swa", 10, 8));
    read_changed(with({ { count + "_swa", 10u }, { "llama.attention.key_length_swa", 16u } }));
    // As many as layers: llama.cpp reads them so.
    read_changed(with({ { "llama.attention.head_count", std::vector<int32_t> { 8, 0 } }, { count, 7u } }));

    const std::string sections = "llama.rope.dimension_sections";
    const std::string not_positive = refused(sections + " are not positive numbers of a sum up to 8");
    read_changed(with({ { sections, std::vector<int32_t> { 2, 3, 3, 0 } } }));
    read_changed(with({ { sections, std::vector<int32_t> { 0, 0, 0, 0 } } }));
    CHECK_EQ(refusal(with({ { sections, std::vector<int32_t> { 4, -1, 1, 0 } } })), not_positive);
    CHECK_EQ(refusal(with({ { sections, std::vector<int32_t> { 4, 4, 1, 0 } } })), not_positive);
    CHECK_EQ(refusal([](FakeLlama & fake) {
                 fake.metadata = { { "general.architecture", "qwen2vl" },
                                   { "qwen2vl.embedding_length", 64u },
                                   { "qwen2vl.attention.head_count", 8u } };
             }),
             refused("qwen2vl.rope.dimension_sections are not positive numbers of a sum up to 8"));
}

TEST(types_that_no_tensor_of_its_kind_can_have) {
    using Shape = std::array<int64_t, GGML_MAX_DIMS>;
    constexpr Shape row = { 64, 1, 1, 1 };
    constexpr Shape matrix = { 64, 64, 1, 1 };
    const struct {
        const char * name;
        enum ggml_type type;
        Shape ne;
        bool refused;
    } table[] = {
        { "blk.0.ffn_up.weight", GGML_TYPE_Q8_0, matrix, false },
        { "blk.0.ffn_up.weight", GGML_TYPE_F16, matrix, false },
        { "blk.0.ffn_up.weight", GGML_TYPE_I32, matrix, true }, // nothing multiplies it
        { "blk.0.ffn_up.weight", GGML_TYPE_F64, matrix, true },
        { "blk.0.ffn_up.weight", GGML_TYPE_Q8_K, matrix, true },
        { "blk.0.ffn_up_exps.weight", GGML_TYPE_Q8_0, { 64, 1, 8, 1 }, false },
        { "blk.0.ffn_norm.weight", GGML_TYPE_F32, row, false },
        { "blk.0.ffn_norm.weight", GGML_TYPE_Q8_0, row, true }, // multiplied element by element
        { "blk.0.attn_q_norm.weight", GGML_TYPE_Q8_0, matrix, true },
        { "blk.0.attn_q.bias", GGML_TYPE_Q8_0, row, true },
        { "blk.0.ssm_a", GGML_TYPE_Q8_0, matrix, true },
        { "blk.0.ssm_conv1d.weight", GGML_TYPE_Q8_0, matrix, true },
        { "blk.0.ffn_gate_inp_shexp.weight", GGML_TYPE_Q8_0, row, false }, // a matrix of one row
        { "cls.output.weight", GGML_TYPE_Q8_0, row, false },
        { "blk.0.ffn_gate_tid2eid.weight", GGML_TYPE_I32, matrix, false }, // a table of ids
        { "d2t", GGML_TYPE_I64, row, false },
    };
    for (const auto & test : table) {
        const auto change = [&](FakeLlama & fake) { fake.tensors.push_back({ test.name, 4, test.type, test.ne }); };
        const std::string type = test.type == GGML_TYPE_Q8_0 ? "q8_0" : "another";
        CHECK_EQ(refusal(change), test.refused
                                      ? refused(std::string("the tensor ") + test.name + " is of the type " + type)
                                      : "it was not refused");
    }
}

TEST(models_that_do_not_answer) {
    const std::string cannot = "file.gguf cannot answer questions: ";
    CHECK_EQ(refusal([](FakeLlama & fake) { fake.metadata["llama.attention.causal"] = false; },
                     ErrorCode::MODEL_UNSUPPORTED),
             cannot + "its attention is not causal, as in encoders and diffusion models");
    read_changed([](FakeLlama & fake) { fake.metadata["llama.attention.causal"] = true; });
    for (const char * none : { "none", "no_vocab" }) {
        CHECK_EQ(refusal([&](FakeLlama & fake) { fake.metadata["tokenizer.ggml.model"] = none; },
                         ErrorCode::MODEL_UNSUPPORTED),
                 cannot + "it has no vocabulary");
    }
}

TEST(the_first_part_of_a_split_file_may_hold_no_tensors) {
    const GgufHeader header = read_changed([](FakeLlama & fake) {
        fake.tensors.clear();
        fake.metadata["split.count"] = 3u;
    });
    CHECK(header.layer_bytes == std::vector<uint64_t>({ 0, 0 }));
}

TEST(learned_positions) {
    CHECK_EQ(read_changed([](FakeLlama &) {}).n_positions, 0);
    CHECK_EQ(read_changed([](FakeLlama & fake) {
                 fake.tensors.push_back({ "position_embd.weight", 4, GGML_TYPE_F32, { 64, 1024, 1, 1 } });
             }).n_positions,
             1024);
}

TEST(kv_bytes_that_a_cell_has_at_least) {
    const auto per_cell = [](const char * name, const char * key) {
        return read_changed([&](FakeLlama & fake) {
                   fake.tensors.push_back({ name, 4 });
                   fake.tensors.push_back({ "blk.1.attn_k.weight", 4 });
                   if (*key) {
                       fake.metadata[key] = 128u;
                   }
               })
            .kv_bytes_per_cell;
    };
    constexpr uint64_t layer = 8 * (8 + 8) * 2;
    CHECK_EQ(per_cell("blk.0.attn_k.weight", ""), 2 * layer);
    CHECK_EQ(per_cell("blk.0.attn_qkv.weight", ""), 2 * layer);
    CHECK_EQ(per_cell("blk.0.attn_k_norm.weight", ""), layer);
    CHECK_EQ(per_cell("blk.1.ssm_in.weight", ""), 0);
    CHECK_EQ(per_cell("blk.0.attn_k.weight", "llama.attention.sliding_window"), 0);
    CHECK_EQ(per_cell("blk.0.attn_k.weight", "llama.attention.shared_kv_layers"), 0);
    CHECK_EQ(per_cell("blk.0.attn_k.weight", "llama.full_attention_interval"), 0);
    // Gemma 2 has a window, whatever its file says.
    CHECK_EQ(read_changed([](FakeLlama & fake) {
                 fake.metadata = { { "general.architecture", "gemma2" },
                                   { "gemma2.block_count", 2u },
                                   { "gemma2.embedding_length", 64u },
                                   { "gemma2.attention.head_count", 8u } };
                 fake.tensors.push_back({ "blk.0.attn_k.weight", 4 });
             }).kv_bytes_per_cell,
             0);
}
