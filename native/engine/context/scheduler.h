// What a step decodes: a pure function from what the running generations have to decode to the entries of one batch. Knows
// no thread, no llama_context and no generation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace z1 {

/// What one running generation has to decode next.
struct Demand {
    bool prompt;      // a prompt may be decoded in parts; other tokens (the sampled one, a hint) are never parted
    size_t n_tokens;  // at least 1; of a prompt, all that is left of it
    size_t n_outputs; // rows of logits, after the last tokens, once all n_tokens are decoded; at most max_entry_outputs
};

/// One generation's part of a batch.
struct BatchEntry {
    size_t generation; // index of its demand
    size_t n_tokens;   // the first n of what it has to decode
    size_t n_outputs;  // rows of logits, after the last n_outputs of these tokens
};

struct Plan {
    std::vector<BatchEntry> entries; // next tokens and hints, then prompts; each in the order of the demands
    bool starved = false;            // somebody got nothing: who was served must come last in the next step's demands
};

/// Prompt tokens in a step in which another generation waits for its next token. On a CPU a full batch of prompt tokens
/// takes as long as dozens of single ones: streams would stutter.
constexpr size_t shared_prompt_chunk = 128;

/// Rows of logits that one entry may ask for, a draft aside: after the last token of a prompt, after a sampled one, or after
/// a hint.
constexpr size_t max_entry_outputs = 1;

/// Tokens of a step with drafts, at most: a step takes no longer for them than one of so many streams.
constexpr size_t max_step_with_drafts = 8;

/// How many tokens each of the generations may draft in a step, so that all that they have to decode and all drafts are at most
/// n_ubatch and max_step_with_drafts: an equal part of what is left. Everybody has an entry in such a step.
size_t draft_part(std::span<const Demand> demands, size_t n_ubatch);

/// Rows of logits that a batch may ask for at most: each sequence has one entry in it, and after each token of a draft one is
/// needed.
constexpr size_t max_outputs(size_t n_sequences) {
    return std::max(n_sequences * max_entry_outputs, max_step_with_drafts);
}

/// Plans a step into `plan`, whose memory is used again. At most n_ubatch tokens, so that a step is one pass through the
/// model; the hint of one generation alone may be longer. Of those that are no prompts, n_at_once at most have an entry.
void plan_step(std::span<const Demand> demands, size_t n_ubatch, size_t n_at_once, Plan & plan);

/// Whether each of two or more demands is a sampled token: then they may take turns (`Turns`).
bool are_streams(std::span<const Demand> demands);

} // namespace z1
