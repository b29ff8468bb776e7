// When the thinking of a generation ends: its policies, and what they see of the next token.
#include "engine/model/model.h"
#include "engine/request/generation.h"
#include "engine/sampling/logits.h"
#include "engine/thinking/close-tag.h"
#include "engine/thinking/landing.h"
#include "engine/thinking/statement.h"

#include <algorithm>
#include <cmath>

namespace z1 {

namespace {

// Of a generation that ends with its thinking.
FinishReason finish_reason(Ended how) {
    switch (how) {
        case Ended::request: return FinishReason::abort;
        case Ended::loop:    return FinishReason::loop;
        case Ended::self:
        case Ended::stop:
        case Ended::stated:  return FinishReason::stop;
        case Ended::window:
        case Ended::length:
        case Ended::early:   return FinishReason::length;
    }
    return FinishReason::length;
}

} // namespace

// In order of precedence. All of them come after an end of generation and after a stop string, and before the context is
// full.
void Generation::add_policies() {
    if (!request.close_tag.empty()) {
        policies.add(std::make_unique<CloseTagPolicy>(request.close_tag));
    }
    policies.add(std::make_unique<WindowPolicy>(*window));
    if (request.lands_on_line) {
        policies.add(std::make_unique<LandingPolicy>(*window));
    }
    if (request.loops) {
        policies.add(std::make_unique<LoopPolicy>());
        answer_loop.emplace();
    }
    if (request.ends_stated) {
        policies.add(std::make_unique<StatementPolicy>(stated));
    }
    if (request.early_margin) {
        auto margin_policy = std::make_unique<MarginPolicy>(*request.early_margin, stated);
        margin = margin_policy.get();
        policies.add(std::move(margin_policy));
    }
    if (request.early_probe) {
        auto probe_policy = std::make_unique<ProbePolicy>(*request.early_probe, stated);
        prober = probe_policy.get();
        policies.add(std::move(probe_policy));
    }
    reads_stated = keeps_stated(request) || request.early_margin || request.early_probe || request.trace;
    if (request.trace) {
        begin_trace();
    }
    if (request.early_margin || request.wait.times > 0 || request.trace) {
        end_tokens = model.end_tokens();
        if (!request.close_tag.empty()) {
            for (const llama_token token : model.tag_index(request.close_tag)->completing[0]) {
                if (model.pieces()[token] == request.close_tag) {
                    end_tokens.push_back(token);
                }
            }
        }
    }
    auto caller_policy = std::make_unique<CallerPolicy>();
    caller = caller_policy.get();
    policies.add(std::move(caller_policy));
}

// Ends the thinking if it is due.
void Generation::ask_policies() {
    if (phase != Phase::thinking) {
        return;
    }
    const std::optional<Ending> ending = policies.ending();
    if (!ending) {
        return;
    }
    if (!ending->hint_follows) {
        cut(ending->how, 0);
        enter(Phase::answer);
    } else if (keeps_stated(request) && stated.stands()) {
        finish(Ended::stated, FinishReason::stop);
    } else if (request.hint.empty()) {
        finish(ending->how, finish_reason(ending->how));
    } else {
        append_hint(ending->how);
    }
}

// The next token. Who asks what the model makes of it sees the logits before tags are banned from them.
llama_token Generation::draw(float * row, const Grammar * bound) {
    const bool looks = looks_at_margin();
    const bool traces = phase == Phase::thinking && tracer;
    const bool counts = phase == Phase::answer && request.confidence;
    const bool reports = reports_logprobs();
    drawn.reset(); // of a token that was not wanted
    if (!row || (!looks && !traces && !counts && !reports)) {
        return chain.sample(row, tags, bound);
    }
    const std::span<const float> logits(row, static_cast<size_t>(model.metadata().n_vocab));
    if (looks) {
        margin->look(margin_over(logits, end_tokens));
    }
    if (traces) {
        trace_next(logits);
    }
    const double total = counts || reports ? log_sum_exp(logits) : 0;
    std::vector<Candidate> top;
    if (reports) {
        for (const llama_token one : likeliest(logits, request.logprobs->n_top)) {
            top.push_back(candidate(one, row[one] - total));
        }
    }
    const llama_token token = chain.sample(row, tags, bound);
    if (counts && !model.api().llama_vocab_is_eog(model.vocab(), token)) {
        probability = std::min(probability, std::exp(row[token] - total));
        if (purpose == Cut::For::trace) {
            probabilities.push_back(std::exp(row[token] - total));
        }
    }
    if (reports) {
        drawn.emplace(TokenLogprobs { candidate(token, row[token] - total), std::move(top) });
    }
    return token;
}

Candidate Generation::candidate(llama_token token, double logprob) const {
    return { token, logprob, std::string(model.pieces()[token]) };
}

bool Generation::ends_by_itself(llama_token token) const {
    return std::find(end_tokens.begin(), end_tokens.end(), token) != end_tokens.end();
}

// Feeds the text of budget forcing in the place of an end. False: the end stands.
bool Generation::nudge() {
    const size_t held = static_cast<size_t>(sequence->size()) + request.hint.size() + 1;
    if (!wait.replaces(window->sampled(), n_ctx - std::min(held, static_cast<size_t>(n_ctx)))) {
        return false;
    }
    show_rest();
    window->disarm(); // what is fed is no thinking
    feed(wait.use());
    window->arm();
    events.push_back({ id(), {} });
    events.back().what = NudgeEvent { window->sampled(), pending.size() };
    if (reads_stated) {
        for (const llama_token token : pending) {
            stated.push(model.pieces().text(token));
        }
    }
    return true;
}

} // namespace z1
