// What one generation drafts of its own next tokens: what followed the same tokens earlier in the prompt or in its output
// (prompt lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding), and how much of it, so that drafts that
// are wrong cost little. Knows no model, no batch and no thread; the same texts give the same drafts.
#pragma once

#include "llama/api.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace z1 {

/// The tokens of a prompt and of what was generated so far, and where in them the same tokens stood before.
class PromptLookup {
public:
    /// A place is looked for by this many tokens before it.
    static constexpr size_t n_key = 3;

    PromptLookup();

    /// The text's next token.
    void push(llama_token token);

    /// Appends up to n tokens to `draft`: what followed that earlier place before which the text was most alike, of equals
    /// the last one. A text that repeats itself goes on repeating. Appends nothing where the last `n_key` tokens are new.
    void propose(size_t n, std::vector<llama_token> & draft) const;

private:
    std::vector<llama_token> text;
    // Places, by what stands before them: a place is the index of the token that follows.
    std::vector<int32_t> newest;  // by the hash of the last n_key tokens; -1: none
    std::vector<int32_t> earlier; // by place: the one before it with the same hash; -1: none
};

/// How many tokens may be drafted. An account in tokens, which is the time that a token takes without drafts: a draft costs
/// what it adds to the step, and earns a token for each one that was right. What is not there is not spent, and beside its
/// earnings an account gets so little that all wrong drafts together take 1/64 of the time, and one token of a draft at the
/// beginning.
class DraftBudget {
public:
    /// Called once a step: what may be drafted in it, at most `most` tokens, beside the next tokens of n_streams generations,
    /// this one's among them.
    size_t next(size_t most, size_t n_streams);

    /// A draft of n tokens was decoded in that step.
    void pay(size_t n) { balance -= cost(n); }

    /// One of them was right.
    void earn();

private:
    double cost(size_t n) const;

    double balance = 2.0 / 3;
    size_t n_streams = 1;
};

/// The speculation of one generation: both, the draft of a step, and what came of all of them.
class Speculation {
public:
    /// Told of every token of the prompt and of the text, sampled or not.
    void push(llama_token token) { lookup.push(token); }

    /// Drafts up to `most` tokens in the place of the last draft.
    void propose(size_t most, size_t n_streams);

    std::span<const llama_token> draft() const { return draft_; }
    void drop() { draft_.clear(); }

    /// The draft was decoded.
    void decoded();

    /// Its next token is the one that was sampled, and what follows it can be sampled, too.
    void accepted();

    size_t n_drafted() const { return n_drafted_; }
    size_t n_accepted() const { return n_accepted_; }

private:
    PromptLookup lookup;
    DraftBudget budget;
    std::vector<llama_token> draft_;
    size_t n_drafted_ = 0;
    size_t n_accepted_ = 0;
};

} // namespace z1
