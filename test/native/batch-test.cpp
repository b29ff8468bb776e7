#include "engine/context/batch.h"

#include "check.h"
#include "context-rig.h"

using namespace z1;

namespace {

using SeqIds = std::vector<llama_seq_id>;

} // namespace

TEST(entries_stand_one_after_the_other) {
    Batch batch;
    CHECK_EQ(batch.add(Tokens { 4, 5, 6 }, 10, SeqIds { 2 }, 1), 0);
    CHECK_EQ(batch.add(Tokens { 7, 8 }, 0, SeqIds { 0 }, 0), 3);
    CHECK_EQ(batch.add(Tokens { 9, 10, 11 }, 5, SeqIds { 1, 3 }, 2), 5);
    CHECK_EQ(batch.n_tokens(), 8);
    const llama_batch made = batch.get();
    CHECK_EQ(made.n_tokens, 8);
    CHECK(!made.embd);
    const struct {
        llama_token token;
        llama_pos pos;
        SeqIds seq_ids;
        bool output;
    } table[] = { { 4, 10, { 2 }, false },   { 5, 11, { 2 }, false },  { 6, 12, { 2 }, true },
                  { 7, 0, { 0 }, false },    { 8, 1, { 0 }, false },   { 9, 5, { 1, 3 }, false },
                  { 10, 6, { 1, 3 }, true }, { 11, 7, { 1, 3 }, true } };
    for (int32_t i = 0; i < made.n_tokens; ++i) {
        CHECK_EQ(made.token[i], table[i].token);
        CHECK_EQ(made.pos[i], table[i].pos);
        CHECK_EQ(SeqIds(made.seq_id[i], made.seq_id[i] + made.n_seq_id[i]), table[i].seq_ids);
        CHECK_EQ(made.logits[i] != 0, table[i].output);
    }
}

TEST(a_batch_is_used_again) {
    Batch batch;
    batch.add(Tokens(100, 1), 0, SeqIds { 0, 1, 2 }, 100);
    batch.get();
    batch.clear();
    CHECK_EQ(batch.n_tokens(), 0);
    batch.add(Tokens { 3 }, 7, SeqIds { 1 }, 0);
    const llama_batch made = batch.get();
    CHECK_EQ(made.n_tokens, 1);
    CHECK_EQ(made.token[0], 3);
    CHECK_EQ(made.pos[0], 7);
    CHECK_EQ(made.n_seq_id[0], 1);
    CHECK_EQ(made.seq_id[0][0], 1);
    CHECK_EQ(made.logits[0], 0);
}

TEST(several_outputs_of_an_entry_each_see_what_stands_before_them) {
    BareContext bare({ 2, 64, 8 });
    bare.fake.most_outputs = 8;
    Batch batch;
    const int32_t first = batch.add(Tokens { 1, 2, 3, 4 }, 0, SeqIds { 0 }, 3);
    const int32_t other = batch.add(Tokens { 5, 6 }, 0, SeqIds { 1 }, 2);
    CHECK_EQ(bare.fake.api().llama_decode(bare.ctx, batch.get()), 0);
    CHECK(bare.has_seen(first + 1, { 1, 2 }));
    CHECK(bare.has_seen(first + 2, { 1, 2, 3 }));
    CHECK(bare.has_seen(first + 3, { 1, 2, 3, 4 }));
    CHECK(bare.has_seen(other, { 5 }));
    CHECK(bare.has_seen(other + 1, { 5, 6 }));
}

TEST(a_token_of_several_sequences_stands_in_each) {
    BareContext bare({ 3, 64, 8 });
    bare.fake.most_outputs = 8;
    Batch batch;
    batch.add(Tokens { 1, 2 }, 0, SeqIds { 0, 1, 2 }, 0);
    CHECK_EQ(bare.fake.api().llama_decode(bare.ctx, batch.get()), 0);
    batch.clear();
    for (llama_seq_id id = 0; id < 3; ++id) {
        batch.add(Tokens { 10 + id }, 2, SeqIds { id }, 1);
    }
    CHECK_EQ(bare.fake.api().llama_decode(bare.ctx, batch.get()), 0);
    for (llama_seq_id id = 0; id < 3; ++id) {
        CHECK(bare.has_seen(id, { 1, 2, 10 + id }));
    }
}

// What these tests rely on.
TEST(the_fake_complains_about_outputs_that_nobody_made_room_for) {
    FakeLlama fake;
    give_letters(fake);
    llama_model * model = fake.api().llama_model_load_from_file("fake.gguf", {});
    llama_context_params params = {};
    params.n_ctx = params.n_batch = params.n_ubatch = 64;
    params.n_seq_max = 2;
    params.n_outputs_max = 1;
    llama_context * ctx = fake.api().llama_init_from_model(model, params);
    Batch batch;
    batch.add(Tokens { 1, 2 }, 0, SeqIds { 0 }, 2);
    CHECK_EQ(fake.api().llama_decode(ctx, batch.get()), 0);
    batch.clear();
    batch.add(Tokens { 1 }, 2, SeqIds { 0, 1 }, 1); // no unified cells
    CHECK_EQ(fake.api().llama_decode(ctx, batch.get()), -1);
    fake.api().llama_free(ctx);
    fake.api().llama_model_free(model);
    CHECK_EQ(fake.complaints(), (std::vector<std::string> { "logits in the middle of an entry", "2 outputs",
                                                            "a token of several sequences that share no cells" }));
}
