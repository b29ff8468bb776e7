#include "engine/thinking/window.h"

#include "check.h"
#include "fake-llama.h"

#include <memory>

using namespace z1;

namespace {

// A window and the sampler that owns it.
struct Sized {
    FakeLlama fake;
    Window * window = nullptr;
    std::unique_ptr<llama_sampler, decltype(&::llama_sampler_free)> sampler;

    explicit Sized(int64_t size) : sampler(Window::create(fake.api(), size, &window), fake.api().llama_sampler_free) {}

    ~Sized() {
        sampler.reset();
        CHECK_EQ(fake.complaints(), std::vector<std::string> {});
    }

    void accept(int n) {
        while (n-- > 0) {
            sampler->iface->accept(sampler.get(), 7);
        }
    }
};

} // namespace

TEST(it_counts_only_while_armed) {
    Sized sized(4);
    sized.accept(10);
    CHECK_EQ(sized.window->sampled(), 0);
    CHECK(!sized.window->closed());
    sized.window->arm();
    sized.accept(3);
    CHECK_EQ(sized.window->sampled(), 3);
    sized.window->disarm();
    sized.accept(10);
    CHECK_EQ(sized.window->sampled(), 3);
    CHECK(!sized.window->closed());
}

TEST(it_closes_at_its_size) {
    for (const int size : { 1, 2, 100 }) {
        Sized sized(size);
        sized.window->arm();
        sized.accept(size - 1);
        CHECK(!sized.window->closed());
        sized.accept(1);
        CHECK(sized.window->closed());
        CHECK_EQ(sized.window->sampled(), size);
    }
}

TEST(a_window_of_zero_is_closed_from_the_start) {
    CHECK(Sized(0).window->closed());
}

TEST(an_infinite_one_never_closes) {
    Sized sized(Window::infinite);
    sized.window->arm();
    sized.accept(100000);
    CHECK_EQ(sized.window->sampled(), 100000);
    CHECK(!sized.window->closed());
}

TEST(reset_takes_it_back_to_the_beginning) {
    Sized sized(2);
    sized.window->arm();
    sized.accept(2);
    sized.sampler->iface->reset(sized.sampler.get());
    CHECK(!sized.window->closed());
    sized.accept(2);
    CHECK_EQ(sized.window->sampled(), 0);
    sized.window->arm();
    sized.accept(2);
    CHECK(sized.window->closed());
}

TEST(a_clone_goes_on_by_itself) {
    Sized sized(3);
    sized.window->arm();
    sized.accept(2);
    llama_sampler * clone = sized.sampler->iface->clone(sized.sampler.get());
    const Window * window = static_cast<const Window *>(clone->ctx);
    CHECK_EQ(window->sampled(), 2);
    clone->iface->accept(clone, 7);
    CHECK(window->closed());
    CHECK_EQ(sized.window->sampled(), 2);
    sized.fake.api().llama_sampler_free(clone);
    sized.accept(1);
    CHECK(sized.window->closed());
}

TEST(copy_state_takes_over_count_and_arming) {
    Sized sized(3);
    llama_sampler * clone = sized.sampler->iface->clone(sized.sampler.get());
    Window * window = static_cast<Window *>(clone->ctx);
    window->arm();
    clone->iface->accept(clone, 7);
    sized.sampler->iface->copy_state(clone, sized.sampler.get());
    sized.accept(2);
    CHECK(sized.window->closed());
    CHECK_EQ(window->sampled(), 1);
    sized.fake.api().llama_sampler_free(clone);
}

TEST(its_policy_ends_the_thinking_as_it_closes) {
    for (const int size : { 0, 1, 5 }) {
        Sized sized(size);
        const WindowPolicy policy(*sized.window);
        sized.window->arm();
        for (int i = 0; i < size; ++i) {
            CHECK(!policy.ending());
            sized.accept(1);
        }
        const auto ending = policy.ending();
        CHECK(ending && ending->how == Ended::window && ending->hint_follows);
    }
    Sized endless(Window::infinite);
    endless.window->arm();
    endless.accept(1000);
    CHECK(!WindowPolicy(*endless.window).ending());
}

TEST(it_leaves_the_candidates_alone) {
    Sized sized(0);
    llama_token_data data[] = { { 0, 1.0f, 0.5f }, { 1, 2.0f, 0.5f } };
    llama_token_data_array candidates = { data, 2, 1, true };
    sized.sampler->iface->apply(sized.sampler.get(), &candidates);
    CHECK_EQ(candidates.size, 2);
    CHECK_EQ(candidates.selected, 1);
    CHECK(candidates.sorted);
    CHECK(data[0].id == 0 && data[0].logit == 1.0f && data[1].id == 1 && data[1].logit == 2.0f);
}

// A chain runs on the GPU up to the first sampler without a backend_init that returns true.
TEST(every_hook_is_there) {
    Sized sized(1);
    llama_sampler * sampler = sized.sampler.get();
    const llama_sampler_i & hooks = *sampler->iface;
    CHECK(hooks.name && hooks.accept && hooks.apply && hooks.reset && hooks.clone && hooks.free);
    CHECK(hooks.backend_init && hooks.backend_accept && hooks.backend_apply && hooks.backend_set_input);
    CHECK(hooks.backend_reset && hooks.copy_state);
    CHECK(std::string(hooks.name(sampler)) == "z1-window");
    CHECK(hooks.backend_init(sampler, nullptr, 1));
    llama_sampler_data data = {};
    hooks.backend_apply(sampler, nullptr, nullptr, &data);
    hooks.backend_accept(sampler, nullptr, nullptr, nullptr);
    hooks.backend_set_input(sampler);
    hooks.backend_reset(sampler);
    CHECK(!data.logits && !data.sampled);
}
