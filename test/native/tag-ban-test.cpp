#include "engine/sampling/tag-ban.h"

#include "check.h"
#include "engine/model/pieces.h"
#include "fake-llama.h"

#include <cmath>
#include <random>
#include <set>

using namespace z1;

namespace {

using Strings = std::vector<std::string>;
using Tokens = std::vector<llama_token>;

bool holds_a_tag(const std::string & text, const Strings & tags) {
    return std::any_of(tags.begin(), tags.end(), [&](const std::string & tag) { return text.find(tag) != text.npos; });
}

// A text that grows by the tokens of a vocabulary. After each token the banned ones must be exactly those that would
// complete a tag, by search in the whole text.
class Walk {
public:
    Walk(const Strings & vocabulary, const Strings & tags) : tags(tags) {
        for (const std::string & piece : vocabulary) {
            fake.vocabulary.push_back({ piece });
        }
        pieces = std::make_unique<Pieces>(fake.api(), fake.vocab());
        for (const std::string & tag : tags) {
            ban.add(std::make_shared<TagIndex>(tag, *pieces));
        }
    }

    /// The tokens that may be chosen.
    Tokens allowed() const {
        std::vector<float> logits(pieces->size());
        ban.apply(logits.data());
        Tokens tokens;
        for (llama_token token = 0; token < pieces->size(); ++token) {
            const bool completes = holds_a_tag(text + std::string((*pieces)[token]), tags);
            CHECK_EQ(logits[token], completes ? -INFINITY : 0.0f);
            if (!completes) {
                tokens.push_back(token);
            }
        }
        return tokens;
    }

    void choose(llama_token token) {
        text += (*pieces)[token];
        ban.accept((*pieces)[token]);
    }

    void add(const std::string & tag) {
        tags.push_back(tag);
        ban.add(std::make_shared<TagIndex>(tag, *pieces));
    }

private:
    FakeLlama fake;
    Strings tags;
    std::unique_ptr<Pieces> pieces;
    TagBan ban;
    std::string text;
};

} // namespace

TEST(a_tag_that_is_one_token) {
    Walk walk({ "<think>", "<", "think", ">", "x" }, { "<think>" });
    CHECK(walk.allowed() == Tokens { 1, 2, 3, 4 });
}

TEST(a_token_with_the_tag_inside) {
    Walk walk({ "a<think>", "<think>b", "a<think>b", " <think", "x" }, { "<think>" });
    CHECK(walk.allowed() == Tokens { 3, 4 });
}

TEST(only_the_token_that_completes_it) {
    Walk walk({ "<", "th", "in", "k", ">", ">\n", "x" }, { "<think>" });
    for (const llama_token token : { 0, 1, 2, 3 }) {
        CHECK_EQ(walk.allowed().size(), 7);
        walk.choose(token);
    }
    CHECK(walk.allowed() == Tokens { 0, 1, 2, 3, 6 });
    walk.choose(6);
    CHECK_EQ(walk.allowed().size(), 7);
}

TEST(a_tag_that_is_added_counts_from_there_on) {
    Walk walk({ "<think", ">", "x" }, { "x>" });
    CHECK_EQ(walk.allowed().size(), 3);
    walk.choose(2);
    CHECK(walk.allowed() == Tokens { 0, 2 });
    walk.add("<think>");
    CHECK(walk.allowed() == Tokens { 0, 2 });
    walk.choose(0);
    CHECK(walk.allowed() == Tokens { 0, 2 });
    walk.choose(0);
    walk.choose(2);
    CHECK(walk.allowed() == Tokens { 0, 2 });
}

TEST(every_split_of_a_tag) {
    for (const std::string tag : { "<think>", "</think>", "<<think>>", "aab", "aaaa", "abaabab" }) {
        for (unsigned cuts = 0; cuts < 1u << (tag.size() - 1); ++cuts) {
            Strings parts(1);
            for (size_t i = 0; i < tag.size(); ++i) {
                parts.back() += tag[i];
                if (cuts >> i & 1) {
                    parts.emplace_back();
                }
            }
            Strings vocabulary = parts;
            vocabulary.push_back("a");
            Walk walk(vocabulary, { tag });
            for (size_t part = 0; part + 1 < parts.size(); ++part) {
                walk.allowed();
                walk.choose(static_cast<llama_token>(part));
            }
            for (const llama_token token : walk.allowed()) {
                CHECK(token != static_cast<llama_token>(parts.size()) - 1);
            }
        }
    }
}

TEST(random_walks_never_spell_a_tag) {
    const std::vector<Strings> tag_sets = {
        { "<think>" },   { "<think>", "</think>" },        { "aab" },
        { "aaa", "ab" }, { "<<think>>", "<think>", "k>" }, { "abab", "babb", "a\xC3\xA9" },
        { "b" },
    };
    std::mt19937 random(1);
    for (int round = 0; round < 1500; ++round) {
        const Strings & tags = tag_sets[round % tag_sets.size()];
        const std::string letters = "<>/thinkab\xC3\xA9";
        Strings vocabulary;
        for (size_t n = 3 + random() % 16; n > 0; --n) {
            std::string piece;
            if (random() % 3 == 0) {
                piece += letters[random() % letters.size()];
            }
            if (random() % 4 != 0) {
                const std::string & tag = tags[random() % tags.size()];
                const size_t first = random() % tag.size();
                piece += tag.substr(first, 1 + random() % (tag.size() - first));
            }
            if (random() % 3 == 0) {
                piece += letters[random() % letters.size()];
            }
            vocabulary.push_back(piece); // may be empty, as that of an unused token
        }
        Walk walk(vocabulary, tags);
        for (int step = 0; step < 40; ++step) {
            const Tokens tokens = walk.allowed();
            if (tokens.empty()) {
                break;
            }
            walk.choose(tokens[random() % tokens.size()]);
        }
    }
}

TEST(no_tags_ban_nothing) {
    Walk walk({ "<think>", "" }, {});
    CHECK_EQ(walk.allowed().size(), 2);
    walk.choose(0);
    CHECK_EQ(walk.allowed().size(), 2);
}

TEST(pieces_are_the_bytes_of_the_tokens) {
    FakeLlama fake;
    fake.vocabulary = {
        { "<|end|>", LLAMA_TOKEN_ATTR_CONTROL },
        { "" },
        { std::string(200, 'x') }, // longer than what is first made room for
        { std::string("\0\xFF", 2), LLAMA_TOKEN_ATTR_BYTE },
        { "<unk>", LLAMA_TOKEN_ATTR_UNKNOWN },
        { "<user>", LLAMA_TOKEN_ATTR_USER_DEFINED },
    };
    const Pieces pieces(fake.api(), fake.vocab());
    CHECK_EQ(pieces.size(), 6);
    for (llama_token token = 0; token < pieces.size(); ++token) {
        const std::string & piece = fake.vocabulary[token].piece;
        CHECK_EQ(pieces[token], piece);
        CHECK_EQ(pieces.text(token), token == 0 || token == 4 ? "" : piece);
    }
}

TEST(beyond_a_tag_are_the_tokens_that_go_on_after_it) {
    FakeLlama fake;
    const Strings vocabulary = { "<", "t>", "t", ">", "<t>", "<t>x", ">x", "x<t>", "t>y", "x<t>x" };
    for (const std::string & piece : vocabulary) {
        fake.vocabulary.push_back({ piece });
    }
    const Pieces pieces(fake.api(), fake.vocab());
    TagBan ban;
    ban.add(std::make_shared<TagIndex>(TagIndex("<t>", pieces).beyond(pieces)));
    const auto banned = [&] {
        std::vector<float> logits(pieces.size());
        ban.apply(logits.data());
        std::set<std::string> found;
        for (llama_token token = 0; token < pieces.size(); ++token) {
            if (logits[token] == -INFINITY) {
                found.insert(std::string(pieces[token]));
            }
        }
        return found;
    };
    CHECK_EQ(banned(), (std::set<std::string> { "<t>x", "x<t>x" }));
    ban.accept("<");
    CHECK_EQ(banned(), (std::set<std::string> { "<t>x", "x<t>x", "t>y" }));
    ban.accept("t");
    CHECK_EQ(banned(), (std::set<std::string> { "<t>x", "x<t>x", ">x" }));
    ban.lift("<t>");
    CHECK_EQ(banned(), std::set<std::string> {});
}
