// The oracle of the exactness tests: the shifted thinking window as two separate passes, each on a fresh context, with
// a plain argmax. Written straight on llama.h and linked to the engine; shares nothing with native/, so that a mistake
// there cannot also be here.
//
//   reference <engine-dir> <model> [n_gpu_layers]
//       Reads cases from standard input, one a line, of integers separated by spaces; writes one line for each:
//         case    n_ctx n_batch n_ubatch n_threads kv_cells n_seq_max window max_tokens n_prompt prompt… n_hint hint…
//                 (window -1: infinite; n_ctx: tokens of the request; kv_cells: the llama context's n_ctx)
//         result  ended n_thinking thinking… n_answer answer… min_margin
//                 ended: 0 the model by itself, 1 the window, 2 the context is full; min_margin: smallest difference
//                 of the two best logits over all sampled tokens, `inf` if nothing was sampled
//   reference load <engine-dir> <model> type_k type_v flash_attn [adapter scale]…
//       The same, with these types of the KV cache (f16, q8_0, q4_0), flash attention (-1 auto, 0, 1) and LoRA adapters.
//   reference speculate <engine-dir> <model>
//       The same cases, each token of which is decoded with a draft of those that may follow it: what followed the same tokens
//       before, found by a search of the whole text. Of a draft stays what is sampled. The answer's pass decodes the thinking in
//       the same batches. Two numbers follow the result: tokens drafted, and accepted.
//   reference tokenize <engine-dir> <model>
//       Line `t add_special parse_special hex` gives token ids, line `d special id…` gives hex. Text is UTF-8 bytes in
//       hexadecimal, `-` if empty.
//   reference logits <engine-dir> <model> <file>
//       Reads one line of token ids and writes their logits to the file: n_tokens × n_vocab floats. K, V and all arithmetic
//       in F32 where the model is.
//   reference bench <engine-dir> <model> n_prompt n_gen n_threads [repeats]
//       The raw loop. One line a repeat: prompt tokens/s, generated tokens/s.
//   reference cut <engine-dir> <model> n_past n_hint n_threads [repeats]
//       One line a repeat: µs of a llama_decode of 1 + n_hint tokens at position n_past.
//
// Exit code 1: the engine or model failed; 2: bad input. The message is on standard error.

#include "llama-cpp.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <limits>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Tokens = std::vector<llama_token>;

struct BadInput : std::runtime_error {
    using std::runtime_error::runtime_error;
};

void require(bool condition, const std::string & message) {
    if (!condition) {
        throw BadInput(message);
    }
}

// llama.cpp gives its reasons through the log only; the first error is the cause, those after it report the failure.
std::string first_error;

void keep_first_error(ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_ERROR && first_error.empty()) {
        first_error = text;
        first_error.erase(first_error.find_last_not_of('\n') + 1);
    }
}

// What a context is made with, beside what a case says.
struct Load {
    ggml_type type_k = GGML_TYPE_F16;
    ggml_type type_v = GGML_TYPE_F16;
    llama_flash_attn_type flash_attn = LLAMA_FLASH_ATTN_TYPE_AUTO;
    std::vector<llama_adapter_lora *> adapters;
    std::vector<float> scales;
};
Load load_options;

struct Case {
    int n_ctx;
    int n_batch;
    int n_ubatch;
    int n_threads;
    int kv_cells;
    int n_seq_max;
    int window;
    int max_tokens;
    Tokens prompt;
    Tokens hint;
};

struct Result {
    int ended;
    Tokens thinking;
    Tokens answer;
    float min_margin = std::numeric_limits<float>::infinity();
    int n_drafted = 0;
    int n_accepted = 0;
};

// One fresh context with a single sequence in it.
class Pass {
public:
    Pass(llama_model * model, const llama_context_params & params)
        : ctx(llama_init_from_model(model, params)), batch(llama_batch_init(params.n_batch, 0, 1)) {
        if (!ctx) {
            throw std::runtime_error("cannot create the context: " + first_error);
        }
        if (!load_options.adapters.empty()) {
            llama_set_adapters_lora(ctx.get(), load_options.adapters.data(), load_options.adapters.size(),
                                    load_options.scales.data());
        }
    }
    ~Pass() { llama_batch_free(batch); }
    Pass(const Pass &) = delete;
    Pass & operator=(const Pass &) = delete;

    // One llama_decode; the logits are asked for the last token only, if at all, or for all of them.
    void decode(const llama_token * tokens, int n_tokens, bool logits, bool all = false) {
        for (int i = 0; i < n_tokens; i++) {
            batch.token[i] = tokens[i];
            batch.pos[i] = n_past + i;
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = 0;
            batch.logits[i] = all || (logits && i == n_tokens - 1);
        }
        batch.n_tokens = n_tokens;
        const int status = llama_decode(ctx.get(), batch);
        if (status != 0) {
            throw std::runtime_error("llama_decode returned " + std::to_string(status));
        }
        n_past += n_tokens;
    }

    void decode_prompt(const Tokens & prompt, int n_ubatch) {
        const int n_prompt = (int) prompt.size();
        for (int i = 0; i < n_prompt; i += n_ubatch) {
            const int n_tokens = std::min(n_ubatch, n_prompt - i);
            decode(prompt.data() + i, n_tokens, i + n_tokens == n_prompt);
        }
    }

    const float * logits(int i = -1) const { return llama_get_logits_ith(ctx.get(), i); }

    // Greedy; the lowest id wins a tie. Lowers min_margin to this step's margin.
    llama_token sample(float & min_margin, int i = -1) const {
        const float * logits = this->logits(i);
        const int n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(ctx.get())));
        llama_token best = 0;
        float second = -std::numeric_limits<float>::infinity();
        for (int id = 1; id < n_vocab; id++) {
            if (logits[id] > logits[best]) {
                second = logits[best];
                best = id;
            } else {
                second = std::max(second, logits[id]);
            }
        }
        if (!std::isfinite(logits[best])) {
            throw std::runtime_error("the best logit is not finite");
        }
        min_margin = std::min(min_margin, logits[best] - second);
        return best;
    }

    // Drops everything from position n on.
    void truncate(int n) {
        if (!llama_memory_seq_rm(llama_get_memory(ctx.get()), 0, n, -1)) {
            throw std::runtime_error("this model's memory cannot be shortened");
        }
        n_past = n;
    }

private:
    llama_context_ptr ctx;
    llama_batch batch;
    int n_past = 0;
};

enum class Stop { eog, limit, context_full };

// Samples from the logits of the last decode on, until end-of-generation, n_max tokens, or n_held tokens and the
// sampled ones together are n_ctx: the last sampled token counts although it is never decoded. The end-of-generation
// token is not kept.
Stop generate(Pass & pass, const llama_vocab * vocab, int n_held, int n_ctx, int n_max, Tokens & out, float & margin) {
    while ((int) out.size() < n_max) {
        if (n_held + (int) out.size() >= n_ctx) {
            return Stop::context_full;
        }
        if (!out.empty()) {
            pass.decode(&out.back(), 1, true);
        }
        const llama_token token = pass.sample(margin);
        if (llama_vocab_is_eog(vocab, token)) {
            return Stop::eog;
        }
        out.push_back(token);
    }
    return Stop::limit;
}

llama_context_params context_params(const Case & c) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = c.kv_cells;
    params.n_batch = c.n_batch;
    params.n_ubatch = c.n_ubatch;
    params.n_seq_max = c.n_seq_max;
    params.n_outputs_max = std::max(c.n_seq_max, 8);
    params.n_threads = c.n_threads;
    params.n_threads_batch = c.n_threads;
    params.kv_unified = true;
    params.type_k = load_options.type_k;
    params.type_v = load_options.type_v;
    params.flash_attn_type = load_options.flash_attn;
    return params;
}

Result run(llama_model * model, const Case & c) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    const int n_prompt = (int) c.prompt.size();
    Result result;
    {
        Pass pass(model, context_params(c));
        pass.decode_prompt(c.prompt, c.n_ubatch);
        const int n_max = c.window < 0 ? std::numeric_limits<int>::max() : c.window;
        const Stop stop = generate(pass, vocab, n_prompt, c.n_ctx, n_max, result.thinking, result.min_margin);
        if (stop != Stop::limit) {
            result.ended = stop == Stop::eog ? 0 : 2;
            return result;
        }
    }
    result.ended = 1;

    Pass pass(model, context_params(c));
    pass.decode_prompt(c.prompt, c.n_ubatch);
    // The thinking was sampled, so each of its tokens had its own decode with logits; the last one waits for the hint.
    Tokens cut;
    for (size_t i = 0; i + 1 < result.thinking.size(); i++) {
        pass.decode(&result.thinking[i], 1, true);
    }
    if (!result.thinking.empty()) {
        cut.push_back(result.thinking.back());
    }
    cut.insert(cut.end(), c.hint.begin(), c.hint.end());
    if (!cut.empty()) {
        pass.decode(cut.data(), (int) cut.size(), true);
    }
    const int n_held = n_prompt + (int) (result.thinking.size() + c.hint.size());
    generate(pass, vocab, n_held, c.n_ctx, c.max_tokens, result.answer, result.min_margin);
    return result;
}

// Drafts as the library's documents describe them: up to 7 tokens, from an account of 2/3 tokens that gains 1/64 in each
// decode and one for each right token, 16 at most, and pays 2/3 for each that is drafted.
struct Drafts {
    Tokens text;
    double balance = 2.0 / 3;

    static double cost(size_t n_tokens) { return (double) n_tokens * 2 / 3; }

    void next_decode() { balance = std::min(balance + 1.0 / 64, 16.0); }

    Tokens draft(int most) const {
        const int size = (int) text.size();
        int best = -1;
        int longest = 2;
        for (int place = size - 1, n_places = 0; place >= 3 && n_places < 16; place--) {
            int alike = 0;
            while (alike < std::min(place, 32) && text[place - 1 - alike] == text[size - 1 - alike]) {
                alike++;
            }
            n_places += alike >= 3;
            if (alike > longest) {
                longest = alike;
                best = place;
            }
        }
        while (most > 0 && cost(most) > balance) {
            most--;
        }
        Tokens all = text;
        for (int i = 0; best >= 0 && i < most; i++) {
            all.push_back(all[best + i]);
        }
        return Tokens(all.begin() + size, all.end());
    }
};

// One llama_decode, of which only the first n_kept tokens stay.
struct Group {
    Tokens tokens;
    int n_kept;
};

// As generate(), with drafts; `groups` are what was decoded.
Stop generate_drafting(Pass & pass, const Case & c, const llama_vocab * vocab, int n_held, int n_max, Drafts & drafts,
                       Tokens & out, std::vector<Group> & groups, Result & result) {
    Group group;
    int row = -1; // of logits that the next token is sampled from; -1: that of the last decode
    while ((int) out.size() < n_max) {
        if (n_held + (int) out.size() >= c.n_ctx) {
            return Stop::context_full;
        }
        const bool right =
            !out.empty() && row >= 0 && row < (int) group.tokens.size() - 1 && group.tokens[row + 1] == out.back();
        if (right) {
            row++;
            result.n_accepted++;
            drafts.balance = std::min(drafts.balance + 1, 16.0);
        } else if (!out.empty()) {
            if (row >= 0) {
                groups.push_back({ group.tokens, row + 1 });
                pass.truncate(n_held + (int) out.size() - 1);
            }
            drafts.next_decode();
            const int left = std::min(n_max - (int) out.size(), c.n_ctx - n_held - (int) out.size());
            group.tokens = { out.back() };
            for (const llama_token token : drafts.draft(std::min(std::min(8, c.n_ubatch) - 1, left - 1))) {
                group.tokens.push_back(token);
            }
            pass.decode(group.tokens.data(), (int) group.tokens.size(), true, true);
            drafts.balance -= Drafts::cost(group.tokens.size() - 1);
            result.n_drafted += (int) group.tokens.size() - 1;
            row = 0;
        }
        const llama_token token = pass.sample(result.min_margin, row);
        if (llama_vocab_is_eog(vocab, token)) {
            return Stop::eog;
        }
        out.push_back(token);
        drafts.text.push_back(token);
    }
    if (row >= 0) {
        groups.push_back({ group.tokens, row + 1 });
    }
    return Stop::limit;
}

Result run_drafting(llama_model * model, const Case & c) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    const int n_prompt = (int) c.prompt.size();
    Result result;
    Drafts drafts;
    drafts.text = c.prompt;
    std::vector<Group> groups;
    for (int i = 0; i < n_prompt; i += c.n_ubatch) {
        drafts.next_decode();
    }
    {
        Pass pass(model, context_params(c));
        pass.decode_prompt(c.prompt, c.n_ubatch);
        const int n_max = c.window < 0 ? std::numeric_limits<int>::max() : c.window;
        const Stop stop = generate_drafting(pass, c, vocab, n_prompt, n_max, drafts, result.thinking, groups, result);
        if (stop != Stop::limit) {
            result.ended = stop == Stop::eog ? 0 : 2;
            return result;
        }
    }
    result.ended = 1;

    Pass pass(model, context_params(c));
    pass.decode_prompt(c.prompt, c.n_ubatch);
    int n_past = n_prompt;
    for (const Group & group : groups) {
        pass.decode(group.tokens.data(), (int) group.tokens.size(), true, true);
        n_past += group.n_kept;
        pass.truncate(n_past);
    }
    Tokens cut;
    if (!result.thinking.empty()) {
        cut.push_back(result.thinking.back());
    }
    cut.insert(cut.end(), c.hint.begin(), c.hint.end());
    if (!cut.empty()) {
        drafts.next_decode();
        pass.decode(cut.data(), (int) cut.size(), true);
    }
    drafts.text.insert(drafts.text.end(), c.hint.begin(), c.hint.end());
    const int n_held = n_prompt + (int) (result.thinking.size() + c.hint.size());
    std::vector<Group> ignored;
    generate_drafting(pass, c, vocab, n_held, c.max_tokens, drafts, result.answer, ignored, result);
    return result;
}

int parse_int(const std::string & word) {
    int value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    require(error == std::errc() && end == word.data() + word.size(), "'" + word + "' is not an integer");
    return value;
}

int read_int(std::istream & in, const char * name) {
    std::string word;
    require(bool(in >> word), std::string(name) + " is missing");
    return parse_int(word);
}

int read_int(std::istream & in, const char * name, int min) {
    const int value = read_int(in, name);
    require(value >= min, std::string(name) + " must be at least " + std::to_string(min));
    return value;
}

llama_token read_token(std::istream & in, const llama_vocab * vocab) {
    const int token = read_int(in, "token", 0);
    require(token < llama_vocab_n_tokens(vocab), "token " + std::to_string(token) + " is not in the vocabulary");
    return token;
}

Tokens read_tokens(std::istream & in, const char * name, int min, const llama_vocab * vocab) {
    Tokens tokens;
    for (int n = read_int(in, name, min); n > 0; n--) {
        tokens.push_back(read_token(in, vocab));
    }
    return tokens;
}

void require_end(std::istream & in) {
    std::string word;
    if (in >> word) {
        throw BadInput("unexpected '" + word + "' at the end");
    }
}

// What llama.cpp would assert on, and what the addon refuses before it starts, is bad input here.
Case read_case(const std::string & line, const llama_vocab * vocab) {
    std::istringstream in(line);
    Case c;
    c.n_ctx = read_int(in, "n_ctx", 1);
    c.n_batch = read_int(in, "n_batch", 1);
    c.n_ubatch = read_int(in, "n_ubatch", 1);
    c.n_threads = read_int(in, "n_threads", 1);
    c.kv_cells = read_int(in, "kv_cells", c.n_ctx);
    c.n_seq_max = read_int(in, "n_seq_max", 1);
    c.window = read_int(in, "window", -1);
    c.max_tokens = read_int(in, "max_tokens", 0);
    c.prompt = read_tokens(in, "n_prompt", 1, vocab);
    c.hint = read_tokens(in, "n_hint", 0, vocab);
    require_end(in);
    require(c.n_ubatch <= c.n_batch, "n_ubatch exceeds n_batch");
    require((int) c.hint.size() < c.n_batch, "the last thinking token and the hint exceed n_batch");
    require((int) c.prompt.size() <= c.n_ctx, "the prompt exceeds n_ctx");
    const long long n_cut = (long long) c.prompt.size() + std::max(c.window, 0) + (long long) c.hint.size();
    require(c.window < 0 || n_cut <= c.n_ctx, "prompt, window and hint exceed n_ctx");
    return c;
}

void print_tokens(const Tokens & tokens) {
    std::cout << tokens.size() << ' ';
    for (const llama_token token : tokens) {
        std::cout << token << ' ';
    }
}

void print_result(const Result & result) {
    char margin[32];
    std::snprintf(margin, sizeof margin, "%.6g", result.min_margin);
    std::cout << result.ended << ' ';
    print_tokens(result.thinking);
    print_tokens(result.answer);
    std::cout << margin;
}

void run_case(llama_model * model, const std::string & line) {
    print_result(run(model, read_case(line, llama_model_get_vocab(model))));
    std::cout << std::endl;
}

void run_case_drafting(llama_model * model, const std::string & line) {
    const Result result = run_drafting(model, read_case(line, llama_model_get_vocab(model)));
    print_result(result);
    std::cout << ' ' << result.n_drafted << ' ' << result.n_accepted << std::endl;
}

std::string from_hex(const std::string & hex) {
    std::string bytes;
    for (size_t i = 0; hex != "-" && i < hex.size(); i += 2) {
        unsigned char byte = 0;
        const char * pair = hex.data() + i;
        const auto [end, error] = std::from_chars(pair, hex.data() + std::min(i + 2, hex.size()), byte, 16);
        require(error == std::errc() && end == pair + 2, "'" + hex + "' is not hexadecimal");
        bytes.push_back((char) byte);
    }
    return bytes;
}

std::string to_hex(const std::string & bytes) {
    static const char digits[] = "0123456789abcdef";
    std::string hex;
    for (const unsigned char byte : bytes) {
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex.empty() ? "-" : hex;
}

void tokenize(const llama_vocab * vocab, std::istream & in) {
    const bool add_special = read_int(in, "add_special") != 0;
    const bool parse_special = read_int(in, "parse_special") != 0;
    std::string hex;
    require(bool(in >> hex), "text is missing");
    require_end(in);
    const std::string text = from_hex(hex);
    const int text_len = (int) text.size();
    Tokens tokens(-llama_tokenize(vocab, text.data(), text_len, nullptr, 0, add_special, parse_special));
    llama_tokenize(vocab, text.data(), text_len, tokens.data(), (int) tokens.size(), add_special, parse_special);
    print_tokens(tokens);
    std::cout << std::endl;
}

void detokenize(const llama_vocab * vocab, std::istream & in) {
    const bool special = read_int(in, "special") != 0;
    std::string bytes;
    while (in >> std::ws && in.peek() != EOF) {
        const llama_token token = read_token(in, vocab);
        std::string piece(-std::min(0, llama_token_to_piece(vocab, token, nullptr, 0, 0, special)), '\0');
        llama_token_to_piece(vocab, token, piece.data(), (int) piece.size(), 0, special);
        bytes += piece;
    }
    std::cout << to_hex(bytes) << std::endl;
}

void run_text(llama_model * model, const std::string & line) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    std::istringstream in(line);
    std::string verb;
    in >> verb;
    if (verb == "t") {
        tokenize(vocab, in);
    } else if (verb == "d") {
        detokenize(vocab, in);
    } else {
        throw BadInput("'" + verb + "' is neither t nor d");
    }
}

// Token by token, as a model generates: a batch of several may take another path through the arithmetic.
void write_logits(llama_model * model, const std::string & path) {
    const llama_vocab * vocab = llama_model_get_vocab(model);
    const int n_vocab = llama_vocab_n_tokens(vocab);
    std::string line;
    std::getline(std::cin, line);
    std::istringstream in(line);
    Tokens tokens;
    while (in >> std::ws && in.peek() != EOF) {
        tokens.push_back(read_token(in, vocab));
    }
    require(!tokens.empty(), "no tokens");

    llama_context_params params = llama_context_default_params();
    params.n_ctx = (uint32_t) tokens.size();
    params.n_threads = 1;
    params.n_threads_batch = 1;
    params.type_k = GGML_TYPE_F32;
    params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    Pass pass(model, params);
    std::ofstream out(path, std::ios::binary);
    for (const llama_token & token : tokens) {
        pass.decode(&token, 1, true);
        out.write((const char *) pass.logits(), (std::streamsize) n_vocab * (std::streamsize) sizeof(float));
    }
    out.close();
    if (!out) {
        throw std::runtime_error("cannot write " + path);
    }
}

// Sizes that llama.cpp's own programs use by default.
llama_context_params bench_params(int n_ctx, int n_threads) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = n_ctx;
    params.n_batch = 512;
    params.n_ubatch = 512;
    params.n_threads = n_threads;
    params.n_threads_batch = n_threads;
    return params;
}

Tokens random_tokens(const llama_vocab * vocab, int n) {
    std::mt19937 random(1);
    Tokens tokens(n);
    for (llama_token & token : tokens) {
        token = (llama_token) (random() % llama_vocab_n_tokens(vocab));
    }
    return tokens;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// End-of-generation does not stop it: the length is what is asked for.
void bench(llama_model * model, int n_prompt, int n_gen, int n_threads, int repeats) {
    const Tokens prompt = random_tokens(llama_model_get_vocab(model), n_prompt);
    Pass pass(model, bench_params(n_prompt + n_gen, n_threads));
    for (int i = 0; i < repeats; i++) {
        float margin = 0;
        pass.truncate(0);
        const auto prompt_start = std::chrono::steady_clock::now();
        pass.decode_prompt(prompt, 512);
        llama_token token = pass.sample(margin);
        const double prompt_s = seconds_since(prompt_start);

        const auto gen_start = std::chrono::steady_clock::now();
        for (int j = 0; j < n_gen; j++) {
            pass.decode(&token, 1, true);
            token = pass.sample(margin);
        }
        std::printf("%.2f %.2f\n", n_prompt / prompt_s, n_gen / seconds_since(gen_start));
        std::fflush(stdout);
    }
}

void time_cut(llama_model * model, int n_past, int n_hint, int n_threads, int repeats) {
    const Tokens tokens = random_tokens(llama_model_get_vocab(model), n_past + 1 + n_hint);
    Pass pass(model, bench_params((int) tokens.size(), n_threads));
    pass.decode_prompt(Tokens(tokens.begin(), tokens.begin() + n_past), 512);
    for (int i = 0; i < repeats; i++) {
        float margin = 0;
        const auto start = std::chrono::steady_clock::now();
        pass.decode(tokens.data() + n_past, 1 + n_hint, true);
        // Asking for the logits waits for a device that computes in the background.
        pass.sample(margin);
        std::printf("%.1f\n", seconds_since(start) * 1e6);
        std::fflush(stdout);
        pass.truncate(n_past);
    }
}

// n_gpu_layers -1: all, llama.cpp's own default.
llama_model_ptr load(const std::string & engine_dir, const std::string & path, int n_gpu_layers = -1) {
    llama_log_set(keep_first_error, nullptr);
    ggml_backend_load_all_from_path(engine_dir.c_str());
    if (ggml_backend_dev_count() == 0) {
        throw std::runtime_error("no backend in " + engine_dir);
    }
    llama_backend_init();
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = n_gpu_layers;
    first_error.clear();
    llama_model_ptr model(llama_model_load_from_file(path.c_str(), params));
    if (!model) {
        throw std::runtime_error("cannot load " + path + ": " + first_error);
    }
    return model;
}

using LineFunction = void (*)(llama_model *, const std::string &);

void for_each_line(llama_model * model, LineFunction function) {
    std::string line;
    for (int n = 1; std::getline(std::cin, line); n++) {
        try {
            function(model, line);
        } catch (const BadInput & error) {
            throw BadInput("line " + std::to_string(n) + ": " + error.what());
        }
    }
}

using TimingFunction = void (*)(llama_model *, int, int, int, int);

void time(TimingFunction function, const std::vector<std::string> & args) {
    require(args.size() == 6 || args.size() == 7, "expected 5 or 6 arguments after " + args[0]);
    std::vector<int> counts;
    for (size_t i = 3; i < args.size(); i++) {
        counts.push_back(parse_int(args[i]));
        require(counts.back() >= 1, "'" + args[i] + "' must be at least 1");
    }
    counts.resize(4, 5);
    function(load(args[1], args[2]).get(), counts[0], counts[1], counts[2], counts[3]);
}

ggml_type parse_type(const std::string & name) {
    for (const ggml_type type : { GGML_TYPE_F16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_0 }) {
        if (name == ggml_type_name(type)) {
            return type;
        }
    }
    throw BadInput("'" + name + "' is not a type of the cache");
}

void run_cases_with(const std::vector<std::string> & args) {
    require(args.size() >= 6 && args.size() % 2 == 0, "expected 5 arguments after load, then adapters with scales");
    const llama_model_ptr model = load(args[1], args[2]);
    load_options.type_k = parse_type(args[3]);
    load_options.type_v = parse_type(args[4]);
    load_options.flash_attn = (llama_flash_attn_type) parse_int(args[5]);
    for (size_t i = 6; i < args.size(); i += 2) {
        load_options.adapters.push_back(llama_adapter_lora_init(model.get(), args[i].c_str()));
        if (!load_options.adapters.back()) {
            throw std::runtime_error("cannot load " + args[i] + ": " + first_error);
        }
        load_options.scales.push_back(std::stof(args[i + 1]));
    }
    for_each_line(model.get(), run_case);
}

void run_program(const std::vector<std::string> & args) {
    const std::string mode = args.empty() ? "" : args[0];
    if (mode == "bench") {
        time(bench, args);
    } else if (mode == "cut") {
        time(time_cut, args);
    } else if (mode == "logits") {
        require(args.size() == 4, "expected 3 arguments after logits");
        write_logits(load(args[1], args[2]).get(), args[3]);
    } else if (mode == "load") {
        run_cases_with(args);
    } else if (mode == "speculate") {
        require(args.size() == 3, "expected 2 arguments after speculate");
        for_each_line(load(args[1], args[2]).get(), run_case_drafting);
    } else if (mode == "tokenize") {
        require(args.size() == 3, "expected 2 arguments after tokenize");
        for_each_line(load(args[1], args[2]).get(), run_text);
    } else {
        require(args.size() == 2 || args.size() == 3, "expected <engine-dir> <model> [n_gpu_layers]");
        const int n_gpu_layers = args.size() == 3 ? parse_int(args[2]) : -1;
        for_each_line(load(args[0], args[1], n_gpu_layers).get(), run_case);
    }
}

} // namespace

int main(int argc, char ** argv) {
    try {
        run_program(std::vector<std::string>(argv + 1, argv + argc));
        return 0;
    } catch (const BadInput & error) {
        std::cerr << "reference: " << error.what() << '\n';
        return 2;
    } catch (const std::exception & error) {
        std::cerr << "reference: " << error.what() << '\n';
        return 1;
    }
}
