from __future__ import annotations

import json
import random
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from z1_training import tokenizer as module
from z1_training.tokenizer import split_merged

Words = tuple[list[tuple[str, str]], list[str]]

TEXT = (
    "Grüße, Ελλάδα, Привет мир, שלום, नमस्ते, 你好,世界。こんにちは 한국어 🙂👩‍👩‍👧 e\u0301 ffi\n"
    "\tdef f(x):\r\n    return x + 1  # 12,345.67\n\n   \nI'm don't WON'T \\boxed{-3} <|im_start|> \x00\x7f\u2028"
)


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    return tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_words_are_tokens_and_data_is_letters(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    assert len(words[1]) > 40
    for word in words[1]:
        assert len(tokenizer.backend_tokenizer.model.tokenize(word)) == 1, word
    assert encode(tokenizer, "What is") == ["What", "Ġis"]
    assert encode(tokenizer, "\n\nThe answer is\n\\boxed{42}") == [
        *("ĊĊ", "The", "Ġanswer", "Ġis", "Ċ", "\\boxed", "{", "4", "2", "}"),
    ]
    assert encode(tokenizer, '"answer"') == ['"', *"answer", '"']
    assert encode(tokenizer, "show?\nprint(") == [*"show", "?Ċ", *"print", "("]
    assert encode(tokenizer, "answer(a, z)") == [*"answer", "(", "a", ",", "Ġz", ")"]


def test_merges_give_what_tokenizers_makes_of_them(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    ranks = {pair: i for i, pair in enumerate(words[0])}
    rng = random.Random(1)
    pieces = [piece for pair in words[0] for piece in pair]
    for _ in range(2000):
        word = "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 5)))
        expected = [token.value for token in tokenizer.backend_tokenizer.model.tokenize(word)]
        assert split_merged(word, ranks) == expected, word


def test_any_text_comes_back(tokenizer: PreTrainedTokenizerBase) -> None:
    ids = tokenizer(TEXT, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == unicodedata.normalize("NFC", TEXT)


def test_digits_stand_alone(tokenizer: PreTrainedTokenizerBase) -> None:
    tokens = encode(tokenizer, "907 + 1234 = 2141, x15")
    assert [token for token in tokens if any(c.isdigit() for c in token)] == list("907123421411" + "5")


@pytest.mark.parametrize(("think", "opened"), [(False, ""), (True, "<think>\n")])
def test_chat_template(
    tokenizer: PreTrainedTokenizerBase, think_tokenizer: PreTrainedTokenizerBase, think: bool, opened: str
) -> None:
    messages = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Q1"},
        {"role": "assistant", "content": "A"},
        {"role": "user", "content": "Q2"},
    ]
    chosen = think_tokenizer if think else tokenizer
    assert chosen.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) == (
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ1<|im_end|>\n"
        f"<|im_start|>assistant\nA<|im_end|>\n<|im_start|>user\nQ2<|im_end|>\n<|im_start|>assistant\n{opened}"
    )
    assert chosen.apply_chat_template(messages[:1], tokenize=False) == "<|im_start|>system\nS<|im_end|>\n"


def test_think_tags_are_text_of_one_token(
    tokenizer: PreTrainedTokenizerBase, think_tokenizer: PreTrainedTokenizerBase
) -> None:
    text = "<think>\n1 a\n</think>\n\nThe answer"
    assert encode(think_tokenizer, text) == ["<think>", "Ċ", "1", "Ġa", "Ċ", "</think>", "ĊĊ", "The", "Ġanswer"]
    ids = think_tokenizer(text, add_special_tokens=False)["input_ids"]
    assert think_tokenizer.decode(ids, skip_special_tokens=True) == text
    assert len(think_tokenizer) == len(tokenizer) + 2
    assert "</think>" not in encode(tokenizer, text)


@pytest.mark.parametrize("think", [False, True])
def test_command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    records: list[dict[str, Any]],
    think: bool,
) -> None:
    data = tmp_path / "data.jsonl"
    tagged = [
        {**record, "response": f"<think>\n{record['response']}\n</think>\n\n." if think else record["response"]}
        for record in records
    ]
    data.write_text("".join(json.dumps(record) + "\n" for record in tagged))
    folder = tmp_path / "tokenizer"
    arguments = ["tokenizer", "--data", str(data), "--output", str(folder), "--size", "330"]
    monkeypatch.setattr(sys, "argv", arguments + ["--think"] * think)
    module.main()
    assert capsys.readouterr().out.startswith("330 entries")

    loaded = AutoTokenizer.from_pretrained(folder)
    assert len(loaded) == 330
    assert loaded.eos_token == "<|im_end|>" and loaded.pad_token == "<|endoftext|>"
    assert [loaded.convert_tokens_to_ids(t) for t in ("<|endoftext|>", "<|im_end|>")] == (
        [325, 327] if think else [327, 329]
    )
    assert loaded("a")["input_ids"] == loaded("a", add_special_tokens=False)["input_ids"]
    template = (folder / "chat_template.jinja").read_text()
    assert json.loads((folder / "tokenizer_config.json").read_text())["chat_template"] == template
    assert ("<think>" in template) == think
    # Parts of tags would be words if they were counted.
    assert not any("think" in token or token == "</" for token in loaded.get_vocab() if token not in module.THINK)


def test_words_of_kinds_that_take_turns_are_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data.jsonl"
    kinds = [{"question": "Sort these", "response": "now"}, {"question": "Count those", "response": "here"}]
    data.write_text("".join(json.dumps(kind) + "\n" for kind in kinds * 100))
    arguments = ["tokenizer", "--data", str(data), "--output", str(tmp_path / "made"), "--sample", "50"]
    monkeypatch.setattr(sys, "argv", arguments)
    module.main()
    assert {"Sort", "Ġthese", "Count", "Ġthose"} <= set(capsys.readouterr().out.splitlines()[-1].split())
