#include "engine/context/sequence-pool.h"

#include "check.h"
#include "context-rig.h"
#include "engine/context/batch.h"

#include <set>
#include <stdexcept>

using namespace z1;

namespace {

// A pool over a llama_context of the fake, which this thread uses.
struct Pool : BareContext {
    std::optional<SequencePool> pool;

    explicit Pool(uint32_t n_prompts, uint32_t n_spare = 0, bool unified = true, bool recurrent = false)
        : BareContext({ n_prompts + n_spare, 256, n_prompts + n_spare, unified, recurrent }) {
        pool.emplace(fake.api(), ctx,
                     SequencePool::Shape { n_prompts, n_spare, unified || recurrent, !unified || recurrent });
    }

    // Takes the best one and decodes the prompt in it.
    Sequence & fill(const Tokens & prompt) {
        Sequence * sequence = pool->best_for(prompt, true);
        CHECK(sequence != nullptr);
        pool->take(*sequence);
        sequence->sync(prompt, true, true);
        decode(*sequence, Tokens(prompt.begin() + sequence->size(), prompt.end()));
        return *sequence;
    }

    // Decodes the tokens at the end of the sequence; the logits after them must be those of all it should hold.
    void decode(Sequence & sequence, const Tokens & tokens, const Tokens & all = {}) {
        Batch batch;
        batch.add(tokens, sequence.size(), sequence.seq_ids(), 1);
        CHECK_EQ(fake.api().llama_decode(ctx, batch.get()), 0);
        sequence.append(tokens.data(), tokens.size());
        if (!all.empty()) {
            CHECK(has_seen(static_cast<int32_t>(tokens.size()) - 1, all));
        }
    }
};

Tokens with(Tokens tokens, const Tokens & more) {
    tokens.insert(tokens.end(), more.begin(), more.end());
    return tokens;
}

std::mt19937 random_source(1);
const Tokens talk = random_tokens(random_source, 60);
const Tokens question = random_tokens(random_source, 20);

} // namespace

TEST(each_sequence_is_taken_once) {
    Pool pool(3);
    std::set<llama_seq_id> ids;
    std::vector<Sequence *> taken;
    for (int i = 0; i < 3; ++i) {
        Sequence * sequence = pool.pool->best_for(question, true);
        CHECK(sequence != nullptr);
        pool.pool->take(*sequence);
        ids.insert(sequence->seq_id());
        taken.push_back(sequence);
    }
    CHECK_EQ(ids, (std::set<llama_seq_id> { 0, 1, 2 }));
    CHECK(pool.pool->best_for(question, true) == nullptr);
    CHECK_THROWS(std::logic_error, pool.pool->take(*taken[0]));
    pool.pool->give_back(*taken[1]);
    CHECK(pool.pool->best_for(question, true) == taken[1]);
    CHECK_THROWS(std::logic_error, pool.pool->give_back(*taken[1]));
}

TEST(the_best_is_the_one_that_holds_most_of_the_prompt) {
    Pool pool(3);
    Sequence & one = pool.fill(talk);
    Sequence & other = pool.fill(question);
    pool.pool->give_back(one);
    pool.pool->give_back(other);
    CHECK(pool.pool->best_for(with(talk, { 1 }), true) == &one);
    CHECK(pool.pool->best_for(with(question, { 1 }), true) == &other);
    // A prompt that nobody holds goes to the one that holds least, and so does one that may not be reused.
    Sequence * empty = pool.pool->best_for(Tokens(30, 1), true);
    CHECK(empty != &one && empty != &other);
    CHECK(pool.pool->best_for(with(talk, { 1 }), false) == empty);
}

TEST(a_fork_goes_on_by_itself) {
    for (const bool recurrent : { false, true }) {
        for (const bool unified : { false, true }) {
            Pool pool(2, 1, unified, recurrent);
            Sequence & parent = pool.fill(talk);
            Sequence * child = pool.pool->fork(parent);
            CHECK(child && child != &parent && child->seq_id() == 2);
            CHECK_EQ(child->size(), parent.size());
            pool.decode(*child, { 1, 2 }, with(talk, { 1, 2 }));
            pool.decode(parent, { 3 }, with(talk, { 3 }));
            pool.decode(*child, { 4 }, with(talk, { 1, 2, 4 }));
            CHECK_EQ(parent.size(), 61);
            CHECK_EQ(child->size(), 63);
            CHECK_EQ(parent.sync(with(talk, { 3, 9 }), true, true), 61);
        }
    }
}

TEST(a_fork_takes_no_cells_for_what_it_shares) {
    Pool pool(1, 3); // 256 cells
    Sequence & parent = pool.fill(with(talk, with(talk, talk)));
    for (int i = 0; i < 3; ++i) {
        Sequence * child = pool.pool->fork(parent);
        CHECK(child != nullptr);
        pool.decode(*child, { 1 });
    }
    CHECK(pool.pool->fork(parent) == nullptr); // none is free
}

TEST(a_fork_of_a_fork_outlives_both) {
    for (const bool unified : { false, true }) {
        Pool pool(1, 2, unified);
        Sequence & parent = pool.fill(talk);
        Sequence * child = pool.pool->fork(parent);
        pool.decode(*child, { 1 });
        Sequence * grandchild = pool.pool->fork(*child);
        for (Sequence * one : { &parent, child }) {
            pool.pool->give_back(*one);
            one->clear();
        }
        pool.decode(*grandchild, { 2 }, with(talk, { 1, 2 }));
    }
}

TEST(what_a_spare_sequence_held_is_removed_before_it_becomes_a_fork) {
    for (const bool unified : { false, true }) {
        Pool pool(2, 1, unified);
        pool.pool->give_back(*pool.pool->fork(pool.fill(talk)));
        Sequence & parent = pool.fill(question);
        Sequence * child = pool.pool->fork(parent);
        CHECK_EQ(child->size(), 20);
        pool.decode(*child, { 5 }, with(question, { 5 }));
    }
}

TEST(prompts_and_forks_have_sequences_of_their_own) {
    Pool pool(2, 2);
    Sequence & parent = pool.fill(talk);
    pool.fill(question);
    CHECK(pool.pool->best_for(question, true) == nullptr);
    Sequence * first = pool.pool->fork(parent);
    Sequence * second = pool.pool->fork(parent);
    CHECK_EQ(first->seq_id(), 2);
    CHECK_EQ(second->seq_id(), 3);
    CHECK(pool.pool->fork(parent) == nullptr);
    pool.pool->give_back(*second);
    pool.pool->give_back(*first);
    CHECK(pool.pool->best_for(question, true) == nullptr);
    CHECK_EQ(pool.pool->fork(parent)->seq_id(), 2); // the lowest, whichever came back last
}

TEST(a_copy_that_llama_cpp_refuses_takes_nothing) {
    Pool pool(1, 1, false);
    Sequence & parent = pool.fill(talk);
    pool.fake.refuses_state = true;
    CHECK_THROWS(Error, pool.pool->fork(parent));
    pool.fake.refuses_state = false;
    Sequence * child = pool.pool->fork(parent);
    CHECK(child != nullptr);
    pool.decode(*child, { 1 }, with(talk, { 1 }));
}

TEST(sequences_in_use_are_neighbors_where_that_counts) {
    for (const bool unified : { false, true }) {
        Pool pool(6, 0, unified);
        std::vector<Sequence *> all;
        for (int i = 0; i < 6; ++i) {
            all.push_back(&pool.fill(Tokens(20 + 5 * i, 3 + i))); // 0 holds least
            CHECK_EQ(all[i]->seq_id(), i);
        }
        for (const int i : { 0, 1, 3, 4 }) {
            pool.pool->give_back(*all[i]);
        }
        // 2 and 5 are in use: 1, 3 and 4 have a neighbor, and 1 holds least of them; 0 holds least of all.
        const Sequence * taken = pool.pool->best_for(Tokens(30, 50), true);
        CHECK_EQ(taken->seq_id(), unified ? 0 : 1);
        // What holds the prompt comes first all the same.
        CHECK_EQ(pool.pool->best_for(Tokens(20, 3), true)->seq_id(), 0);
        pool.pool->take(*all[3]);
        CHECK_EQ(pool.pool->best_for(Tokens(30, 50), true)->seq_id(), unified ? 0 : 4); // closes the gap
    }
}

// What these tests rely on.
TEST(the_fake_complains_about_copies_that_llama_cpp_would_not_make) {
    std::vector<std::string> complaints;
    {
        FakeLlama fake;
        give_letters(fake);
        llama_model * model = fake.api().llama_model_load_from_file("fake.gguf", {});
        llama_context_params params = {};
        params.n_ctx = params.n_batch = params.n_ubatch = 64;
        params.n_seq_max = 2;
        params.n_outputs_max = 2;
        for (const bool unified : { true, false }) {
            params.kv_unified = unified;
            llama_context * ctx = fake.api().llama_init_from_model(model, params);
            const llama_memory_t memory = fake.api().llama_get_memory(ctx);
            fake.api().llama_memory_seq_cp(memory, 0, 1, -1, -1);
            if (unified) {
                fake.api().llama_memory_seq_cp(memory, 0, 2, -1, -1);
                fake.api().llama_memory_seq_cp(memory, 0, 1, 0, 4);
                Batch batch;
                batch.add(Tokens { 1 }, 0, std::vector<llama_seq_id> { 0, 1 }, 1);
                fake.api().llama_decode(ctx, batch.get());
                fake.api().llama_memory_seq_cp(memory, 0, 1, -1, -1);
            }
            fake.api().llama_free(ctx);
        }
        fake.api().llama_model_free(model);
        complaints = fake.complaints();
    }
    CHECK_EQ(complaints,
             (std::vector<std::string> { "llama_memory_seq_cp of sequence 0 to 2", "llama_memory_seq_cp of a part",
                                         "llama_memory_seq_cp to a sequence that holds something",
                                         "llama_memory_seq_cp between sequences that share no cells" }));
}
