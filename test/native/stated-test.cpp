#include "engine/thinking/stated.h"

#include "check.h"

#include <initializer_list>
#include <random>
#include <string>

using namespace z1;

namespace {

void check_all(bool stands, std::initializer_list<const char *> texts) {
    for (const char * text : texts) {
        if (ends_with_answer(text) != stands) {
            CHECK_EQ(std::string(text), std::string(stands ? "(an answer at its end)" : "(no answer at its end)"));
        }
    }
}

void keeps(std::initializer_list<const char *> texts) {
    check_all(true, texts);
}

void asks(std::initializer_list<const char *> texts) {
    check_all(false, texts);
}

} // namespace

TEST(a_box_that_is_closed) {
    keeps({ "\\boxed{43}", "So it is $\\boxed{43}$.", "**\\boxed{43}**\n\n", "\\boxed{\\frac{1}{2}}", "\\fbox{25}",
            "\\[ \\boxed{25} \\]", "\\( \\boxed{25} \\).\n", "\\boxed {25}", "\\\\boxed{25}", "\\boxed{ 5 }",
            "\\boxed{\\boxed{5}}", "\\boxed{\\{1, 2\\}}", "\\boxed{1} no: \\boxed{2}", "<answer>\\boxed{5}</answer>" });
    asks({ "\\boxed{", "\\boxed{4", "\\boxed{}", "\\boxed{ }", "\\boxed", "{43}", "\\frac{1}{2}", "boxed{43}}", "}",
           "\\boxed{43} and", "\\boxed{43}\n\nLet me check.", "\\boxed{43}\n\nThe answer is correct.", "",
           "\\boxed{\\{1, 2\\}" });
}

TEST(a_sentence_that_ended) {
    keeps({ "The answer is 42.",
            "The answer is 42.\n",
            "So, the final answer is $4$.",
            "The answer is 3.14.",
            "The answer is 42\n",
            "The answer is: **25**.",
            "the correct option is (C).",
            "Final answer = 25\n",
            "The answer is 4, because 2+2=4.",
            "The answer is 3 apples.",
            "The answer is therefore 25.",
            "The answer is x. The answer is 25.",
            "The answer to the question should be 25.",
            "Ans: 25\n",
            "The answer is $\\boxed{7}$ apples.",
            "Answer: (C) 25\n",
            "<answer>25</answer>",
            "The answer is Dr. Strange.",
            "So **25** is the final answer.",
            "Thus $x <= 2$ is our answer.\n",
            "The answer is 25<|im_end|>",
            "The answer is (because of 2. and 3.) 25." });
    // A value that may go on is not stated yet.
    asks({ "The answer is 42", "The answer is", "The answer is ", "The answer is 3.1", "The answer is $42",
           "The answer is (1, 2", "The answer is 42,", "The answer is Dr.", "Answer: 25", "So **25** is the answer" });
}

TEST(headings_fences_and_formulas) {
    keeps({ "48+24 = 72\n#### 72\n", "#### C\n", "### Answer\n\n25\n", "**Final Answer**\n\n25.\n", "Answer\n\n25\n",
            "The answer is:\n\n25\n", "The answer is:\n\n```\n25\n```", "The answer is:\n\\[\n25\n\\]\n",
            "### Final Answer\n\n$$\n25\n$$", "**Answer:** 25\n", "**Answer:**\n\nHere it is:\n25\n" });
    asks({ "#### 72", "#### Step one\n", "#### 1. First we add\n", "#### 3 easy steps to do it\n", "### 72\n",
           "### Answer\n\n", "The answer is:\n\n```\n25\n", "The answer is:\n\\[\n25\n",
           "The answer is:\n\n```\n25\n```\nok", "the final\nanswer\n\nis unknown\n", "#### 72\nNext" });
}

TEST(reasoning_that_went_on) {
    asks({ "The answer is 42. Wait", "The answer is 42.\n\nLet me check.", "The answer is 5. No, the answer is",
           "The answer is 25. It is in France.\n", "\\boxed{5}\n\nWait, 7.", "#### 72\n\nHm.\n" });
    keeps({ "The answer is 5. No, the answer is 7.", "\\boxed{5}\n\nWait, \\boxed{7}",
            "\\boxed{5}. No, the answer is 7.\n" });
}

TEST(remarks_conditions_and_questions_state_nothing) {
    asks({ "The answer is correct.", "The answer is not 5.\n", "The answer is indeed correct.",
           "The answer is unclear.", "If the answer is 5.", "I wonder whether the answer is 24.",
           "Suppose the answer is 24.\n", "The answer is 24?", "Is the answer 24?", "The answer isn't 5.",
           "unanswered: 5\n", "The answers are below.", "\\boxed{25}\n\nThe answer is right.", "I have no answer.\n",
           "25.\n", "We look for the answer we need.\n" });
}

TEST(other_languages) {
    keeps({ "答案是：25\n", "答案是25。", "最终答案是25。", "**答案：25**\n", "因此，故选：B\n", "答えは25です。",
            "정답은 25입니다.", "La respuesta final es 25.", "La réponse est 25.", "Die Antwort lautet: 25\n",
            "Also ist die Antwort 25.", "La risposta è 25.", "A resposta é 25.", "Ответ: **25**.", "ответ — 25.",
            "Відповідь: 25\n", "Het antwoord is 25.", "Odpowiedź: 25\n" });
    asks({ "答案是25", "答案是25。不", "Ответ: 25" });
}

TEST(any_bytes_are_a_text) {
    std::mt19937 random(7);
    const std::string alphabet = "\\boxed{}the answer is.$`\n*#<|42 \xE7\xAD\x94\xFF:";
    for (int i = 0; i < 3000; ++i) {
        std::string text;
        for (size_t n = random() % 80; n > 0; --n) {
            text += alphabet[random() % alphabet.size()];
        }
        ends_with_answer(text);
    }
    // As long as it gets, and as repetitive.
    ends_with_answer(std::string(2048, '$'));
    ends_with_answer("The answer is " + std::string(2048, '('));
    for (std::string text; text.size() < 2048;) {
        text += "the answer to ";
        ends_with_answer(text);
    }
}

TEST(the_end_is_kept_however_it_is_cut_and_however_long_the_text) {
    StatedAnswer stated;
    for (int i = 0; i < 1000; ++i) {
        stated.push("We add 1 and 2. ");
    }
    CHECK(!stated.stands());
    for (const char * piece : { "The an", "swer", " is", " 42" }) {
        stated.push(piece);
        CHECK(!stated.stands());
    }
    stated.push(".");
    CHECK(stated.stands());
    stated.push(" \n");
    CHECK(stated.stands());
    stated.push("Wait");
    CHECK(!stated.stands());
}

TEST(in_a_block_of_code_nothing_is_stated) {
    StatedAnswer stated;
    const auto stands = [&](const char * piece) {
        stated.push(piece);
        return stated.stands();
    };
    CHECK(!stands("```python\n# Final answer\nprint(x)\n"));
    CHECK(!stands("\\boxed{4}\n"));
    CHECK(!stands("x = 4\n"));
    CHECK(!stands("``"));
    CHECK(!stands("`\n"));
    CHECK(stands("The answer is 4.\n"));
    // However it is cut, and with more than three.
    CHECK(!stands("```"));
    CHECK(!stands("`\nThe answer is 4.\n"));
    CHECK(!stands("x = 4\n````\n"));
    CHECK(stands("The answer is `4`.\n"));
}

TEST(a_statement_has_settled_where_its_sentence_or_line_ended) {
    const auto settles = [](std::initializer_list<const char *> pieces) {
        StatedAnswer stated;
        std::vector<int> at;
        int n = 0;
        for (const char * piece : pieces) {
            stated.push(piece);
            ++n;
            if (stated.settles(piece)) {
                at.push_back(n);
            }
        }
        return at;
    };
    CHECK_EQ(settles({ "It is \\(", "\\boxed{4}", "\\)", ".", " Now", " x." }), (std::vector<int> { 4 }));
    CHECK_EQ(settles({ "The answer is $4$", ".\n", "So" }), (std::vector<int> { 2 }));
    // It may be 4.5.
    CHECK_EQ(settles({ "The answer is 4", ".", "5", " apples", ".", "\n" }), (std::vector<int> { 5, 6 }));
    CHECK_EQ(settles({ "The answer is 4", ".", "\n" }), (std::vector<int> { 3 }));
    CHECK_EQ(settles({ "We add", ".", "\n", "The answer is 4" }), (std::vector<int> {}));
}

TEST(a_box_is_closed_by_its_last_piece) {
    StatedAnswer stated;
    const auto closes = [&](const char * piece) {
        stated.push(piece);
        return stated.closes_box(piece);
    };
    CHECK(!closes("\\frac{1}{2} "));
    CHECK(!closes("\\boxed{\\frac{1}{2}"));
    CHECK(closes("}"));
    CHECK(!closes("$"));
    CHECK(!closes(" {x}"));
}

TEST(a_word_that_says_wait) {
    StatedAnswer stated;
    const auto waits = [&](const char * piece) {
        stated.push(piece);
        return stated.says_wait(piece);
    };
    CHECK(waits("Wait"));
    CHECK(!waits(","));
    CHECK(!waits(" wait"));
    CHECK(waits(" Wait,"));
    CHECK(!waits(" "));
    CHECK(!waits("xWait"));
    CHECK(!waits(". W"));
    CHECK(waits("ait"));
    CHECK(!waits("ing"));
    CHECK(!waits(""));
    CHECK(waits("\n\nWait"));
}
