// What llama.cpp logs as the reason of an error: one line, short, between whole characters.
#include "llama/engine-call.h"

#include "check.h"

using namespace z1;

namespace {

std::string reason_of(const std::string & logged) {
    const EngineCall call;
    EngineCall::log_sink(GGML_LOG_LEVEL_ERROR, logged.c_str(), nullptr);
    return call.reason();
}

} // namespace

TEST(the_function_and_the_newline_are_left_out) {
    CHECK_EQ(reason_of("llama_model_load: error loading model: x\n"), std::string("error loading model: x"));
    CHECK_EQ(reason_of("no function: here"), std::string("no function: here"));
    CHECK_EQ(reason_of("\n \n"), std::string());
}

TEST(controls_are_escaped) {
    CHECK_EQ(reason_of("load: key a\nb\x1b[2J\x7f is wrong\r\n"), std::string("key a\\nb\\u001b[2J\\u007f is wrong"));
}

TEST(a_long_one_is_cut_between_characters) {
    const std::string text = reason_of("load: " + std::string(299, 'x') + "é and more");
    CHECK_EQ(text, std::string(299, 'x') + "…");
    CHECK_EQ(reason_of(std::string(300, 'x')), std::string(300, 'x'));
    // The name of the function does not count.
    CHECK_EQ(reason_of(std::string(400, 'f') + ": x"), std::string("x"));
}

TEST(memory_ran_out_however_long_the_name_before_it) {
    const EngineCall call;
    const std::string line = "load: tensor " + std::string(1000, 'x') + ": failed to allocate buffer\n";
    EngineCall::log_sink(GGML_LOG_LEVEL_ERROR, line.c_str(), nullptr);
    CHECK(call.ran_out_of_memory());
}

TEST(memory_that_could_not_be_locked_is_noticed_whatever_comes_after) {
    const EngineCall call;
    CHECK(!call.lock_failed());
    EngineCall::log_sink(GGML_LOG_LEVEL_WARN, "warning: failed to mlock 8-byte buffer (after 0 bytes): x\n", nullptr);
    EngineCall::log_sink(GGML_LOG_LEVEL_WARN, "load: another warning\n", nullptr);
    CHECK(call.lock_failed());
}
