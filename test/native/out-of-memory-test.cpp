// No memory on the context's thread: every allocation of the project's own code there fails once, one after the other. The
// process must live on, each request must end exactly once (the collector holds it to that), and the next one must work.
#include "context-rig.h"

#include <cstdlib>
#include <new>
#include <thread>

namespace {

std::atomic<std::thread::id> watched;
std::atomic<int64_t> n_until_failure { 0 }; // allocations on the watched thread; 0: none fails

void * allocate(size_t size) {
    if (z1::in_test_code == 0 && n_until_failure > 0 && std::this_thread::get_id() == watched.load()) {
        if (--n_until_failure == 0) {
            throw std::bad_alloc();
        }
    }
    if (void * memory = std::malloc(size > 0 ? size : 1)) {
        return memory;
    }
    throw std::bad_alloc();
}

} // namespace

void * operator new(size_t size) {
    return allocate(size);
}
void * operator new[](size_t size) {
    return allocate(size);
}
void operator delete(void * memory) noexcept {
    std::free(memory);
}
void operator delete[](void * memory) noexcept {
    std::free(memory);
}
void operator delete(void * memory, size_t) noexcept {
    std::free(memory);
}
void operator delete[](void * memory, size_t) noexcept {
    std::free(memory);
}

using namespace z1;

namespace {

// What the fake engine allocates does not count: llama.cpp is not ours.
template <auto Member>
struct Uncounted;
template <class Result, class... Args, Result (*Api::*Member)(Args...)>
struct Uncounted<Member> {
    static inline Result (*real)(Args...) = nullptr;

    static Result call(Args... args) {
        const TestCode test_code;
        watched = std::this_thread::get_id();
        return real(args...);
    }

    static void install(const Api & api) {
        real = api.*Member;
        const_cast<Api &>(api).*Member = call;
    }
};

void watch(const FakeLlama & fake) {
    const Api & api = fake.api();
    Uncounted<&Api::llama_init_from_model>::install(api);
    Uncounted<&Api::llama_free>::install(api);
    Uncounted<&Api::llama_decode>::install(api);
    Uncounted<&Api::llama_get_logits_ith>::install(api);
    Uncounted<&Api::llama_get_memory>::install(api);
    Uncounted<&Api::llama_memory_seq_rm>::install(api);
    Uncounted<&Api::llama_memory_seq_cp>::install(api);
    Uncounted<&Api::llama_sampler_clone>::install(api);
    Uncounted<&Api::llama_sampler_init>::install(api);
    Uncounted<&Api::llama_sampler_init_greedy>::install(api);
    Uncounted<&Api::llama_sampler_apply>::install(api);
    Uncounted<&Api::llama_sampler_chain_init>::install(api);
    Uncounted<&Api::llama_sampler_chain_add>::install(api);
    Uncounted<&Api::llama_sampler_accept>::install(api);
    Uncounted<&Api::llama_sampler_free>::install(api);
}

// Two requests at once: long pieces of text, a hint, a stop string, a loop to watch for, a request to end the thinking.
// Returns how many of them ended with an error.
int run_both(Rig & rig, std::vector<std::string> & codes) {
    Request first = request(spell("promptthatislongerthanafew"), 12, 9, spell("hintwithmanytokens"));
    first.stop = { "neverwrittenbythismodelatall" };
    first.loops = true;
    first.cuts = { { 0, 3 }, { 5, 6 }, { 6, 4 } };
    const Request second = request(spell("another"), 30, 5, spell("abc"));
    const uint32_t a = rig.start(first);
    const uint32_t b = rig.start(second);
    rig.context().end_thinking(b);
    int n_failed = 0;
    for (const uint32_t id : { a, b }) {
        const Outcome outcome = rig.wait(id);
        CHECK(outcome.over());
        if (outcome.error) {
            codes.push_back(outcome.error_code());
            ++n_failed;
        }
    }
    return n_failed;
}

} // namespace

TEST(each_allocation_fails_once) {
    int n_failed = 0;
    int64_t n = 1;
    for (bool failed = true; failed && n < 100'000; ++n) {
        FakeLlama fake;
        give_letters(fake);
        fake.logits = endless;
        watch(fake);
        Rig rig(fake, ContextParams { 256, 2, 16, 1, 1, 1, true });
        std::vector<std::string> codes;
        n_until_failure = n;
        n_failed += run_both(rig, codes);
        failed = n_until_failure == 0;
        n_until_failure = 0;
        for (const std::string & code : codes) {
            CHECK(code == "OUT_OF_MEMORY" || code == "DECODE_FAILED");
        }
        const Request after = request(spell("afterwards"), 5);
        const Outcome outcome = rig.run(after);
        CHECK_EQ(outcome.error_code(), "no error");
        CHECK_EQ(outcome.thinking, alone(fake, after, 256).thinking);
    }
    // Enough of them to have been in every part of the loop, and most of them were felt.
    CHECK(n > 100);
    CHECK(n_failed > 50);
    std::printf("%lld allocations, %d requests failed\n", static_cast<long long>(n), n_failed);
}

// As above, in steps with drafts: what was decoded of one is not left in the cache.
TEST(each_allocation_of_a_draft_fails_once) {
    int64_t n = 1;
    for (bool failed = true; failed && n < 100'000; ++n) {
        FakeLlama fake;
        give_letters(fake);
        fake.most_outputs = max_step_with_drafts;
        fake.logits = [](std::span<const llama_token> sequence, std::span<float> row) {
            endless(sequence.last(std::min<size_t>(sequence.size(), sequence.size() % 23 == 0 ? 23 : 1)), row);
        };
        watch(fake);
        Rig rig(fake, ContextParams { 256, 1, 16, 1, 1 });
        Request asked = request(spell("promptprompt"), 60, 9, spell("hint"));
        asked.speculation = true;
        n_until_failure = n;
        const Outcome first = rig.run(asked);
        failed = n_until_failure == 0;
        n_until_failure = 0;
        CHECK(first.error || first.done->n_accepted > 0);
        asked.prompt = spell("promptpromptpromptpromptprompt");
        CHECK_EQ(rig.run(asked).thinking, alone(fake, asked, 256).thinking);
    }
    CHECK(n > 100);
}

TEST(what_the_sink_has_no_memory_for_is_posted_again) {
    FakeLlama fake;
    give_letters(fake);
    fake.logits = endless;
    Rig rig(fake, ContextParams { 256, 1, 16, 1, 1 });
    const Request asked = request(spell("prompt"), 9, 5, spell("hint"));
    rig.refuse(5);
    const Outcome outcome = rig.run(asked);
    CHECK_EQ(outcome.error_code(), "no error");
    CHECK_EQ(outcome.thinking, alone(fake, asked, 256).thinking);
    CHECK_EQ(outcome.answer, alone(fake, asked, 256).answer);
}
