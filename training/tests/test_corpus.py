from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CUT, ids_of
from transformers import PreTrainedTokenizerBase

from z1_training.config import DataSettings
from z1_training.corpus import Corpus, encode_records, token_id

CorpusOf = Callable[[DataSettings], Corpus]


def test_share_of_prompts_with_a_system_text(corpus_of: CorpusOf, tokenizer: PreTrainedTokenizerBase) -> None:
    corpus = corpus_of(DataSettings(system="Think.", system_fraction=0.3))
    start = ids_of(tokenizer, "<|im_start|>system\nThink.<|im_end|>\n<|im_start|>user\n")
    having = sum(corpus.prompts[i][: len(start)].tolist() == start for i in range(300))
    assert 60 < having < 120


def test_nothing_is_truncated_and_what_is_dropped_is_counted(
    records: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase
) -> None:
    whole = encode_records(records, tokenizer, DataSettings(), seed=0)
    lengths = whole.prompts.lengths + whole.responses.lengths + 1
    limit = int(np.median(lengths))
    broken = [{"question": "a<|im_end|>", "response": "b"}, {"question": "a", "response": "<|im_start|>b"}]
    kept = encode_records([*broken, *records], tokenizer, DataSettings(max_length=limit), seed=0)
    fits = lengths <= limit
    assert kept.counts == {"read": 302, "kept": fits.sum(), "too_long": (~fits).sum(), "control_token": 2}
    assert kept.counts["too_long"] > 100
    expected = [whole.responses[i].tolist() for i in np.flatnonzero(fits)]
    assert [kept.responses[i].tolist() for i in range(kept.counts["kept"])] == expected
    with pytest.raises(ValueError, match="no record is left"):
        encode_records(records, tokenizer, DataSettings(max_length=5), seed=0)


def test_chunks_make_no_difference(records: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase) -> None:
    settings = DataSettings(system="S", system_fraction=0.5)
    one, many = (encode_records(records, tokenizer, settings, seed=0, chunk=c) for c in (20_000, 7))
    for name in ("prompts", "responses", "answers"):
        assert np.array_equal(getattr(one, name).tokens, getattr(many, name).tokens)
        assert np.array_equal(getattr(one, name).offsets, getattr(many, name).offsets)


def test_token_id(think_tokenizer: PreTrainedTokenizerBase, tokenizer: PreTrainedTokenizerBase) -> None:
    assert think_tokenizer.convert_ids_to_tokens(token_id(think_tokenizer, "</think>")) == "</think>"
    with pytest.raises(ValueError, match="one token for </think>"):
        token_id(tokenizer, "</think>")


def test_stored_tokens(corpus_of: CorpusOf, tmp_path: Path) -> None:
    corpus = corpus_of(DataSettings(cut=CUT))
    corpus.save(tmp_path / "tokens.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["tokens.npz"]
    loaded = Corpus.load(tmp_path / "tokens.npz")
    for name in ("prompts", "responses", "answers"):
        for part in ("tokens", "offsets"):
            assert np.array_equal(getattr(getattr(loaded, name), part), getattr(getattr(corpus, name), part))
    assert [hint.tolist() for hint in loaded.hints] == [hint.tolist() for hint in corpus.hints]
    assert (loaded.end, loaded.counts) == (corpus.end, corpus.counts)
