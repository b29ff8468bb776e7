#include "engine/model/quantize.h"

#include "check.h"
#include "error.h"
#include "fake-llama.h"
#include "llama/engine-call.h"

#include <cstdio>
#include <fstream>

using namespace z1;

namespace {

// What llama_model_quantize does: it logs a line before each tensor, and catches what is thrown.
struct Job {
    std::vector<const char *> lines = { "main: loading\n", "[   1/   4] token_embd.weight - [4], ",
                                        "size = 1 MiB\n",  "[   2/   4] blk.0.attn_q.weight",
                                        "[   3/   4] x",   "[   4/   4] y" };
    const char * failure = nullptr;
    size_t written = 200;
    llama_model_quantize_params params {};
} job;

uint32_t fake_quantize(const char *, const char * output, const llama_model_quantize_params * params) {
    job.params = *params;
    try {
        for (const char * line : job.lines) {
            EngineCall::log_sink(GGML_LOG_LEVEL_INFO, line, nullptr);
        }
        if (job.failure) {
            throw std::runtime_error(job.failure);
        }
    } catch (const std::exception & error) {
        const std::string line = std::string("llama_model_quantize: failed to quantize: ") + error.what() + "\n";
        EngineCall::log_sink(GGML_LOG_LEVEL_ERROR, line.c_str(), nullptr);
        return 1;
    }
    std::ofstream(output, std::ios::binary) << std::string(job.written, 'x');
    return 0;
}

struct Run {
    std::vector<float> progress;
    std::string failure; // empty if nothing was thrown
    std::string code;    // of a z1::Error
};

// The header says that the tensors take bytes 96 to 200.
Run run(const Job & given, const std::function<bool(float)> & more = [](float) { return true; }) {
    job = given;
    FakeLlama fake;
    fake.metadata = { { "general.architecture", "llama" }, { "llama.block_count", 1u } };
    fake.tensors = { { "token_embd.weight", 64 }, { "output.weight", 40 } };
    Api api = fake.api();
    api.gguf_get_data_offset = [](const gguf_context *) -> size_t { return 96; };
    api.gguf_get_tensor_offset = [](const gguf_context *, int64_t i) -> size_t { return i == 0 ? 0 : 64; };
    api.llama_model_quantize_default_params = []() -> llama_model_quantize_params { return {}; };
    api.llama_model_quantize = fake_quantize;
    const Engine engine(api);
    const std::string output = "quantize-test.gguf";
    std::remove(output.c_str());
    Run result;
    try {
        quantize(engine, { "in.gguf", output, LLAMA_FTYPE_MOSTLY_Q4_K_M, 3 }, [&](float progress) {
            result.progress.push_back(progress);
            return more(progress);
        });
    } catch (const Error & error) {
        result.failure = error.what();
        result.code = to_string(error.code);
    } catch (const std::runtime_error & error) {
        result.failure = error.what();
    }
    std::remove(output.c_str());
    return result;
}

} // namespace

TEST(progress_is_told_before_each_tensor) {
    const Run result = run({});
    CHECK_EQ(result.failure, "");
    CHECK_EQ(result.progress, (std::vector<float> { 0, 0.25f, 0.5f, 0.75f }));
    CHECK_EQ(job.params.ftype, LLAMA_FTYPE_MOSTLY_Q4_K_M);
    CHECK_EQ(job.params.nthread, 3);
    CHECK(job.params.max_buf_size > 0 && job.params.max_buf_size <= (1u << 30));
}

TEST(it_can_be_cancelled_between_tensors) {
    const Run result = run({}, [](float progress) { return progress < 0.5f; });
    CHECK_EQ(result.code, "ABORTED");
    CHECK_EQ(result.progress, (std::vector<float> { 0, 0.25f, 0.5f }));
}

TEST(a_failure_has_the_reason_that_llama_cpp_logged) {
    const struct {
        const char * reason;
        const char * code;
    } table[] = {
        { "tensor 'x' data is not within the file bounds", "MODEL_INVALID" },
        { "requantizing from type q4_0 is disabled", "MODEL_UNSUPPORTED" },
        { "this quantization requires an imatrix!", "MODEL_UNSUPPORTED" },
        { "std::bad_alloc", "OUT_OF_MEMORY" },
    };
    for (const auto & [reason, code] : table) {
        Job failing;
        failing.failure = reason;
        const Run result = run(failing);
        CHECK_EQ(result.code, code);
        CHECK_EQ(result.failure, std::string("Cannot quantize in.gguf: failed to quantize: ") + reason);
    }
}

TEST(a_full_disk_is_told_whether_llama_cpp_saw_it_or_not) {
    const std::string told = "Cannot write quantize-test.gguf: not all of it reached the disk, which may be full";
    Job seen;
    seen.failure = "basic_ios::clear: iostream error";
    CHECK_EQ(run(seen).failure, told);
    CHECK_EQ(run(seen).code, "");
    for (const size_t written : { 0, 96, 199 }) {
        Job unseen;
        unseen.written = written;
        CHECK_EQ(run(unseen).failure, told);
        CHECK_EQ(run(unseen).code, "");
    }
}
