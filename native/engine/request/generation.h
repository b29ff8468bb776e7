// One request from its prompt to its end: a state machine that says which tokens to decode next and takes the tokens that
// are sampled. Knows no batch and no other generation. When the thinking ends is for its policies to say. Context thread
// only.
//
//   prompt ──► thinking ──► hint ──► answer ──► done
//      └── window 0 ──────────┘
//
// A branch is a generation that begins at the hint, for a smaller window, as a copy of the one whose thinking has got
// there: its trunk. The trunk tells what the branch gave, and ends after all of them.
#pragma once

#include "engine/context/sequence.h"
#include "engine/draft/speculation.h"
#include "engine/model/pieces.h"
#include "engine/request/events.h"
#include "engine/request/request.h"
#include "engine/request/shared-prompt.h"
#include "engine/request/text.h"
#include "engine/sampling/grammar.h"
#include "engine/sampling/sampler-chain.h"
#include "engine/sampling/tag-ban.h"
#include "engine/thinking/caller.h"
#include "engine/thinking/loop.h"
#include "engine/thinking/margin.h"
#include "engine/thinking/policy.h"
#include "engine/thinking/probe.h"
#include "engine/thinking/stated.h"
#include "engine/thinking/tracer.h"
#include "engine/thinking/wait.h"
#include "engine/thinking/window.h"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace z1 {

class Model;

class Generation {
public:
    using Clock = std::chrono::steady_clock;

    /// `n_ctx`: tokens this request may hold, prompt included.
    Generation(const Model & model, Request request, int32_t n_ctx, Clock::time_point arrival);

    uint32_t id() const { return request.id; }

    /// The generation that this one is a branch of; null for one that was asked for.
    Generation * trunk() const { return trunk_; }

    /// The one that tells how this one ends.
    Generation & head() { return trunk_ ? *trunk_ : *this; }

    /// Binds to a sequence and reuses what it holds of the prompt. Throws as sample() does, where that is all of it.
    void start(Sequence & sequence);

    /// Its prompt is that of others, too. Before it starts.
    void share(std::shared_ptr<SharedPrompt> prompt) { shared = std::move(prompt); }
    const std::shared_ptr<SharedPrompt> & shared_prompt() const { return shared; }
    uint32_t group() const { return request.group; }

    /// Whether another one has decoded the prompt, and left what is needed to go on from it.
    bool can_join() const { return shared && shared->decoded && (n_outputs() == 0 || !shared->logits.empty()); }

    /// Binds to a sequence that holds the whole prompt, and goes on as if it had just decoded it. Throws as sample() does.
    void join(Sequence & sequence);

    bool started() const { return sequence != nullptr; }
    bool reads_prompt() const { return phase == Phase::prompt; }
    bool done() const { return phase == Phase::done; }

    /// Nothing is generated any more, here or in a branch.
    bool over() const { return done() && n_branches == 0; }

    /// Ended by an error, and with it all branches.
    bool failed() const { return failed_; }

    /// Whether a branch needs a sequence that holds what this one's does. Until it has got it nothing more may be decoded.
    bool has_branch_to_place() const { return !unplaced.empty(); }

    /// Whether nothing more may be decoded until a branch has a sequence, or has told what was asked of it.
    bool waits() const { return has_branch_to_place() || probes; }

    /// The first of those branches goes on in the sequence.
    std::unique_ptr<Generation> place_branch(Sequence & sequence) noexcept;

    /// A branch of this generation is done: what it gave becomes an event.
    void branch_ended(Generation & branch);

    /// The sequence is somebody else's from here on.
    Sequence & release() noexcept { return *std::exchange(sequence, nullptr); }

    Sequence & target() const { return *sequence; }
    const std::vector<llama_token> & prompt() const { return request.prompt; }
    bool caches_prompt() const { return request.cache_prompt; }

    /// Whether others may go on from the end of its prompt.
    bool leaves_prompt() const { return request.cache_prompt || request.group != 0; }

    /// Before it starts: whether a token is drawn from what follows the prompt.
    bool draws_after_prompt() const { return n_outputs() > 0; }

    /// Called before each step: what the caller asked for since the last one takes effect.
    void begin_step() { ask_policies(); }

    /// All tokens to decode next, at least one. Only a prompt's may be decoded in parts: the hint and the token before it are
    /// never parted. Valid until the next call that changes anything.
    std::span<const llama_token> next_tokens() const { return std::span(pending).subspan(n_fed); }

    /// Rows of logits that are needed once all of next_tokens() are decoded: after the last one, or none.
    size_t n_outputs() const;

    /// Drafts what may follow next_tokens(), if it is asked to: at most n tokens, in a step of n_streams generations.
    void propose(size_t n, size_t n_streams);

    /// To be decoded right after all of next_tokens(), with a row of logits after each. Valid as next_tokens() is.
    std::span<const llama_token> draft() const {
        return speculation ? speculation->draft() : std::span<const llama_token>();
    }

    /// The first n of next_tokens() were decoded in one llama_decode, and after all of them the draft.
    void decoded(size_t n, int32_t n_threads);

    /// Samples from the output at batch index `idx`, and as long as the sampled token is the draft's from the one after it. What
    /// llama.cpp holds beyond the sequence's size then is of no use. Throws DECODE_FAILED where an output is of no use,
    /// GRAMMAR_INVALID.
    void sample(llama_context * ctx, int32_t idx);

    /// Closes the window at the next step, if it is still open then.
    void end_thinking() { caller->end_thinking(); }

    /// Ends now with what there is, and so does each branch that has no sequence yet.
    void stop();

    /// Ends now with an error.
    void fail(ErrorCode code, const std::string & message);

    /// Ends now with an error for which no memory is needed.
    void abandon(ErrorCode code) noexcept;

    size_t n_events() const { return events.size() + (abandoned ? 1 : 0) + (last && over() ? 1 : 0); }

    /// Moves the events since the last call to the end of `taken`, which has room for them.
    void take_events(std::vector<Event> & taken) noexcept;

private:
    enum class Phase { prompt, thinking, hint, answer, done };

    Generation(Generation & trunk, const Cut & cut);

    void make_grammars();
    void add_policies();
    void branch_at_cut();
    void probe_answer();
    void add_branch(const Cut & cut);
    bool answers_probe(llama_token token);
    void begin_trace();
    void trace_token(llama_token token);
    void trace_next(std::span<const float> logits);
    void trace_answer(bool due);
    void note_probe_end(llama_token token);
    Trace::Answer traced_answer();
    void stop_unplaced();
    void fall() noexcept;
    BranchEvent outcome();
    void bind(Sequence & target);
    void go_on(std::span<const float> after_prompt);
    void end_prompt();
    void sample(float * logits);
    bool goes_on_with(llama_token token) const;
    llama_token draw(float * logits, const Grammar * bound);
    bool ends_by_itself(llama_token token) const;
    bool reports_logprobs() const { return request.logprobs && (phase == Phase::answer || request.logprobs->thinking); }
    Candidate candidate(llama_token token, double logprob) const;
    bool looks_at_margin() const { return phase == Phase::thinking && margin && margin->due(); }
    bool nudge();
    void feed(const std::vector<llama_token> & tokens);
    void accept(llama_token token);
    void ask_policies();
    void show_token(llama_token token);
    void open_call(std::string before);
    Grammar * binding();
    void append_hint(Ended how);
    void end_by_self(llama_token end);
    void cut(Ended how, size_t n_hint);
    void end_thinking(Ended how, int64_t n_thinking, size_t n_hint);
    void check_length();
    void enter(Phase next);
    void finish(Ended how, FinishReason reason);
    void show(std::string shown);
    void show_rest();
    void tell(std::string shown);
    Part part() const { return calls ? Part::call : answers ? Part::answer : Part::thinking; }

    const Model & model;
    Request request;
    int32_t n_ctx;
    Window * window = nullptr; // the chain's first sampler
    SamplerChain chain;
    PolicyList policies;             // of the thinking
    CallerPolicy * caller = nullptr; // one of them
    MarginPolicy * margin = nullptr; // another, if it was asked for
    ProbePolicy * prober = nullptr;  // and another
    StatedAnswer stated;             // told of the thinking where a policy reads it
    bool reads_stated = false;
    std::optional<Tracer> tracer;
    std::optional<Trace> trace;
    Wait wait;
    std::vector<llama_token> end_tokens; // of the thinking, where a policy looks for them
    std::optional<LoopDetector> answer_loop;
    TagBan tags;
    std::optional<Grammar> grammar;         // of the answer
    std::optional<Grammar> call_grammar;    // of what follows the tag of a call, where the answer has none
    std::optional<Speculation> speculation; // where it is asked for
    TextStream text;
    Sequence * sequence = nullptr;
    std::shared_ptr<SharedPrompt> shared; // null: the prompt is its own

    Phase phase = Phase::prompt;
    std::vector<llama_token> pending; // to be decoded, from n_fed on
    size_t n_fed = 0;
    size_t n_cached = 0;
    int32_t n_answer = 0;
    double probability = 1;            // the least of the answer's tokens, where it is asked for
    std::vector<double> probabilities; // of all of them, for a trace
    bool answers = false;              // what is sampled belongs to the answer
    bool calls = false;                // and there to calls of tools
    bool call_binds = false;           // by their grammar
    Ended ended = Ended::self;         // valid once the thinking has ended

    std::vector<llama_token> unsent;            // sampled; they go out with the text they complete
    std::vector<TokenLogprobs> unsent_logprobs; // theirs
    std::optional<TokenLogprobs> drawn;         // of the token that was drawn last
    std::vector<Event> events;                  // of a branch, all of them, for its trunk
    std::optional<Event> last;                  // how it ended; told once the branches have ended too
    bool failed_ = false;
    std::optional<ErrorCode> abandoned; // why; it is told after the events

    Generation * trunk_ = nullptr;
    Cut::For purpose = Cut::For::window;               // of a branch
    bool probes = false;                               // a branch is one
    size_t n_probe = 0;                                // tokens of those that have ended; of a trace's branch, its own
    size_t next_cut = 0;                               // of those that the request asks for
    size_t n_branches = 0;                             // that have not ended
    std::vector<std::unique_ptr<Generation>> unplaced; // of them, those that have no sequence yet
    TextEvent thought { Part::thinking, {}, {}, {} };  // shown so far, while a branch may still need it

    Clock::time_point arrival;
    Clock::time_point phase_began;
    Timings timings;
};

} // namespace z1
