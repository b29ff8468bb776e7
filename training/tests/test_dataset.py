from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import CUT, samples_of
from transformers import PreTrainedTokenizerBase

from z1_training.config import DataSettings
from z1_training.corpus import Corpus, encode_records
from z1_training.dataset import IGNORE_INDEX, Rows, collate

CorpusOf = Callable[[DataSettings], Corpus]


def learned(row: dict[str, np.ndarray]) -> list[int]:
    labels = row["labels"]
    assert np.array_equal(labels[labels != IGNORE_INDEX], row["input_ids"][labels != IGNORE_INDEX])
    return labels[labels != IGNORE_INDEX].tolist()


def test_loss_is_on_the_response_and_its_end(records: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase) -> None:
    corpus = encode_records(records[:5], tokenizer, DataSettings(), seed=0)
    rows = Rows(corpus, DataSettings(), seed=0, pad=tokenizer.pad_token_id)
    rows.set_epochs(1)
    assert len(rows) == 5
    seen = set()
    for i in range(5):
        row = rows[i]
        text = tokenizer.decode(row["input_ids"])
        record = next(r for r in records[:5] if r["question"] in text)
        seen.add(record["id"])
        prompt = f"<|im_start|>user\n{record['question']}<|im_end|>\n<|im_start|>assistant\n"
        assert text == prompt + record["response"] + "<|im_end|>"
        assert tokenizer.decode(learned(row)) == record["response"] + "<|im_end|>"
        assert learned(row)[-1] == tokenizer.eos_token_id
        assert row["labels"].tolist() == [IGNORE_INDEX] * (len(row["labels"]) - len(learned(row))) + learned(row)
        # As apply_chat_template tokenizes it.
        messages = [{"role": "user", "content": record["question"]}]
        expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]
        assert row["input_ids"].tolist()[: len(expected)] == expected
    assert len(seen) == 5


def test_rows_do_not_depend_on_what_was_read_before(corpus_of: CorpusOf, tokenizer: PreTrainedTokenizerBase) -> None:
    settings = DataSettings(row_length=192, max_length=128, cut=CUT)
    corpus = corpus_of(settings)
    in_order, jumping = (Rows(corpus, settings, seed=4, pad=tokenizer.pad_token_id) for _ in range(2))
    expected = [in_order[i] for i in range(300)]
    epochs = [in_order.epoch_of(i)[0] for i in range(300)]
    assert epochs[0] == 0 and epochs[-1] >= 2
    for i in (299, 150, 3, 60, 0):
        for name, value in jumping[i].items():
            assert np.array_equal(value, expected[i][name])
    tokens = [int((row["input_ids"] != tokenizer.pad_token_id).sum()) for row in expected]
    for i in (0, 1, 120, 299):
        assert jumping.tokens_until(i) == sum(tokens[:i])


def test_each_epoch_holds_each_sample_once(corpus_of: CorpusOf, tokenizer: PreTrainedTokenizerBase) -> None:
    settings = DataSettings(row_length=192, max_length=128)
    rows = Rows(corpus_of(settings), settings, seed=4, pad=tokenizer.pad_token_id)
    rows.set_epochs(2)
    samples = Counter(tuple(ids) for ids, _ in samples_of(rows, len(rows)) if set(ids) != {tokenizer.pad_token_id})
    assert sum(samples.values()) == 600
    expected = Counter()
    for i in range(300):
        expected[tuple(rows.sample(i, -1, 0)[0].tolist())] += 2
    assert samples == expected


def test_rows_too_short_for_a_sample(corpus_of: CorpusOf) -> None:
    with pytest.raises(ValueError, match="does not fit rows of 32"):
        Rows(corpus_of(DataSettings()), DataSettings(row_length=32), seed=0, pad=0)


def test_collate_fills_with_a_sample_of_padding(corpus_of: CorpusOf, tokenizer: PreTrainedTokenizerBase) -> None:
    rows = Rows(corpus_of(DataSettings()), DataSettings(), seed=0, pad=tokenizer.pad_token_id)
    rows.set_epochs(1)
    short, long = sorted((rows[i] for i in range(10)), key=lambda row: len(row["input_ids"]))[::9]
    batch = collate([short, long], tokenizer.pad_token_id)
    n, size = len(short["input_ids"]), len(long["input_ids"])
    assert n < size and {tuple(value.shape) for value in batch.values()} == {(2, size)}
    assert batch["input_ids"][0].tolist() == [*short["input_ids"], *[tokenizer.pad_token_id] * (size - n)]
    assert batch["labels"][0].tolist() == [*short["labels"], *[IGNORE_INDEX] * (size - n)]
    assert batch["position_ids"][0].tolist() == [*range(n), *range(size - n)]
