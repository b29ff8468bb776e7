// The functions of llama.cpp and ggml that this project calls, as one table filled at run time.
// Types come from the real headers, so a changed signature is a compile error here and nowhere else.
#pragma once

#include <llama.h>

namespace z1 {

#define Z1_LLAMA_FUNCTIONS(X)              \
    X(ggml_backend_dev_backend_reg)        \
    X(ggml_backend_dev_by_type)            \
    X(ggml_backend_dev_count)              \
    X(ggml_backend_dev_get)                \
    X(ggml_backend_dev_get_props)          \
    X(ggml_backend_load)                   \
    X(ggml_backend_reg_count)              \
    X(ggml_backend_reg_get_proc_address)   \
    X(ggml_backend_reg_name)               \
    X(ggml_blck_size)                      \
    X(ggml_set_abort_callback)             \
    X(ggml_threadpool_params_default)      \
    X(ggml_type_name)                      \
    X(ggml_type_size)                      \
    X(ggml_version)                        \
    X(gguf_find_key)                       \
    X(gguf_free)                           \
    X(gguf_get_arr_data)                   \
    X(gguf_get_arr_n)                      \
    X(gguf_get_arr_type)                   \
    X(gguf_get_data_offset)                \
    X(gguf_get_kv_type)                    \
    X(gguf_get_n_tensors)                  \
    X(gguf_get_tensor_name)                \
    X(gguf_get_tensor_ne)                  \
    X(gguf_get_tensor_offset)              \
    X(gguf_get_tensor_size)                \
    X(gguf_get_tensor_type)                \
    X(gguf_get_val_bool)                   \
    X(gguf_get_val_f32)                    \
    X(gguf_get_val_f64)                    \
    X(gguf_get_val_i32)                    \
    X(gguf_get_val_i64)                    \
    X(gguf_get_val_str)                    \
    X(gguf_get_val_u16)                    \
    X(gguf_get_val_u32)                    \
    X(gguf_get_val_u64)                    \
    X(gguf_init_from_file)                 \
    X(llama_adapter_lora_init)             \
    X(llama_attach_threadpool)             \
    X(llama_backend_init)                  \
    X(llama_context_default_params)        \
    X(llama_decode)                        \
    X(llama_free)                          \
    X(llama_ftype_name)                    \
    X(llama_get_logits_ith)                \
    X(llama_get_memory)                    \
    X(llama_init_from_model)               \
    X(llama_log_set)                       \
    X(llama_memory_seq_cp)                 \
    X(llama_memory_seq_pos_max)            \
    X(llama_memory_seq_pos_min)            \
    X(llama_memory_seq_rm)                 \
    X(llama_model_chat_template)           \
    X(llama_model_default_params)          \
    X(llama_model_desc)                    \
    X(llama_model_free)                    \
    X(llama_model_ftype)                   \
    X(llama_model_get_vocab)               \
    X(llama_model_has_decoder)             \
    X(llama_model_has_encoder)             \
    X(llama_model_is_diffusion)            \
    X(llama_model_is_hybrid)               \
    X(llama_model_is_recurrent)            \
    X(llama_model_load_from_file)          \
    X(llama_model_meta_val_str)            \
    X(llama_model_n_ctx_train)             \
    X(llama_model_n_embd)                  \
    X(llama_model_n_layer)                 \
    X(llama_model_n_params)                \
    X(llama_model_n_swa)                   \
    X(llama_model_quantize)                \
    X(llama_model_quantize_default_params) \
    X(llama_model_rope_type)               \
    X(llama_model_size)                    \
    X(llama_n_ubatch)                      \
    X(llama_sampler_accept)                \
    X(llama_sampler_apply)                 \
    X(llama_sampler_chain_add)             \
    X(llama_sampler_chain_default_params)  \
    X(llama_sampler_chain_get)             \
    X(llama_sampler_chain_init)            \
    X(llama_sampler_clone)                 \
    X(llama_sampler_free)                  \
    X(llama_sampler_init)                  \
    X(llama_sampler_init_dist)             \
    X(llama_sampler_init_dry)              \
    X(llama_sampler_init_grammar)          \
    X(llama_sampler_init_greedy)           \
    X(llama_sampler_init_logit_bias)       \
    X(llama_sampler_init_min_p)            \
    X(llama_sampler_init_penalties)        \
    X(llama_sampler_init_temp)             \
    X(llama_sampler_init_top_k)            \
    X(llama_sampler_init_top_p)            \
    X(llama_sampler_init_typical)          \
    X(llama_sampler_init_xtc)              \
    X(llama_set_adapters_lora)             \
    X(llama_set_n_threads)                 \
    X(llama_state_seq_get_data_ext)        \
    X(llama_state_seq_get_size_ext)        \
    X(llama_state_seq_set_data_ext)        \
    X(llama_token_to_piece)                \
    X(llama_tokenize)                      \
    X(llama_version)                       \
    X(llama_vocab_bos)                     \
    X(llama_vocab_eos)                     \
    X(llama_vocab_get_add_bos)             \
    X(llama_vocab_get_attr)                \
    X(llama_vocab_get_text)                \
    X(llama_vocab_is_eog)                  \
    X(llama_vocab_n_tokens)                \
    X(llama_vocab_type)

struct Api {
#define X(name) decltype(&::name) name = nullptr;
    Z1_LLAMA_FUNCTIONS(X)
#undef X
};

} // namespace z1
