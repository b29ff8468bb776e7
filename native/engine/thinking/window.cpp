#include "engine/thinking/window.h"

namespace z1 {

// llama.h's twelve hooks (struct llama_sampler_i).
struct WindowSampler {
    static const char * name(const llama_sampler *) { return "z1-window"; }

    static void accept(llama_sampler * sampler, llama_token) {
        Window * window = Window::of(sampler);
        if (window->armed) {
            ++window->n_sampled;
        }
    }

    static void apply(llama_sampler *, llama_token_data_array *) {}

    static void reset(llama_sampler * sampler) {
        Window::of(sampler)->n_sampled = 0;
        Window::of(sampler)->armed = false;
    }

    static llama_sampler * clone(const llama_sampler * sampler) {
        const Window * window = Window::of(sampler);
        return window->api.llama_sampler_init(&interface, new Window(*window));
    }

    static void free(llama_sampler * sampler) { delete Window::of(sampler); }

    // The backend hooks, which do nothing, keep a chain on the GPU: there it runs only up to the first sampler whose
    // backend_init is missing or refuses.
    static bool backend_init(llama_sampler *, ggml_backend_buffer_type_t, uint32_t) { return true; }

    static void backend_accept(llama_sampler *, ggml_context *, ggml_cgraph *, ggml_tensor *) {}

    static void backend_apply(llama_sampler *, ggml_context *, ggml_cgraph *, llama_sampler_data *) {}

    static void backend_set_input(llama_sampler *) {}

    static void backend_reset(llama_sampler *) {}

    static void copy_state(const llama_sampler * from, llama_sampler * to) {
        Window::of(to)->n_sampled = Window::of(from)->n_sampled;
        Window::of(to)->armed = Window::of(from)->armed;
    }

    static llama_sampler_i interface;
};

llama_sampler_i WindowSampler::interface = {
    WindowSampler::name,          WindowSampler::accept,
    WindowSampler::apply,         WindowSampler::reset,
    WindowSampler::clone,         WindowSampler::free,
    WindowSampler::backend_init,  WindowSampler::backend_accept,
    WindowSampler::backend_apply, WindowSampler::backend_set_input,
    WindowSampler::backend_reset, WindowSampler::copy_state,
};

llama_sampler * Window::create(const Api & api, int64_t size, Window ** window) {
    *window = new Window(api, size);
    return api.llama_sampler_init(&WindowSampler::interface, *window);
}

} // namespace z1
