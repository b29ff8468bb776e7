from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import BOXED_HINT, CUT, PLAIN_HINT, ids_of, make_records, samples_of
from transformers import PreTrainedTokenizerBase

from z1_training.config import CutSettings, DataSettings, Hint
from z1_training.corpus import Corpus, encode_records, token_id
from z1_training.dataset import IGNORE_INDEX, Rows
from z1_training.packing import plan_epoch

CorpusOf = Callable[[DataSettings], Corpus]


def test_cut_samples(corpus_of: CorpusOf, tokenizer: PreTrainedTokenizerBase, records: list[dict[str, Any]]) -> None:
    settings = DataSettings(row_length=192, max_length=128, cut=CUT)
    rows = Rows(corpus_of(settings), settings, seed=0, pad=tokenizer.pad_token_id)
    rows.set_epochs(1)
    hints = [ids_of(tokenizer, PLAIN_HINT), ids_of(tokenizer, BOXED_HINT)]
    by_prompt = {}
    for record in records:
        prompt = f"<|im_start|>user\n{record['question']}<|im_end|>\n<|im_start|>assistant\n"
        by_prompt[tuple(ids_of(tokenizer, prompt))] = record
    used: Counter[int] = Counter()
    kept_shares, whole, zero = [], 0, 0
    for tokens, labels in samples_of(rows, len(rows)):
        if set(tokens) == {tokenizer.pad_token_id}:
            assert set(labels) == {IGNORE_INDEX}
            continue
        end = tokens.index(tokenizer.convert_tokens_to_ids("<|im_start|>"), 1)
        prompt = next(n for n in range(end, len(tokens)) if tuple(tokens[:n]) in by_prompt)
        record = by_prompt[tuple(tokens[:prompt])]
        response = ids_of(tokenizer, record["response"])
        if tokens[prompt:] == [*response, tokenizer.eos_token_id]:
            whole += "answer" in record
            assert labels == [IGNORE_INDEX] * prompt + tokens[prompt:]
            continue
        answer = [*ids_of(tokenizer, f"\\boxed{{{record['answer']}}}"), tokenizer.eos_token_id]
        which = next(i for i in (1, 0) if tokens[-len(answer) - len(hints[i]) : -len(answer)] == hints[i])
        keep = len(tokens) - prompt - len(hints[which]) - len(answer)
        assert tokens == [*tokens[:prompt], *response[:keep], *hints[which], *answer]
        assert labels == [IGNORE_INDEX] * prompt + response[:keep] + [IGNORE_INDEX] * len(hints[which]) + answer
        used[which] += 1
        zero += keep == 0
        kept_shares.append(keep / len(response))
    cuts = len(kept_shares)
    assert cuts + whole == 270  # the others have no answer
    assert 105 < cuts < 165
    assert 0.12 < used[1] / cuts < 0.4
    assert 0.12 < zero / cuts < 0.4  # a fifth, and those of the others that fall there
    histogram = np.histogram([share for share in kept_shares if share > 0], 4, (0, 1))[0]
    assert histogram.min() > 0.1 * histogram.sum()


def test_late_cuts_come_near_the_end_and_after_it(corpus_of: CorpusOf) -> None:
    def shares(late: float) -> np.ndarray:
        settings = DataSettings(cut=CutSettings(fraction=1, at_zero=0.1, late=late, hints=[Hint(PLAIN_HINT)]))
        corpus = corpus_of(settings)
        plans = [plan_epoch(corpus, settings, seed=3, epoch=epoch) for epoch in range(20)]
        answered = corpus.answers.lengths > 0
        return np.concatenate([plan.keep[answered] / corpus.responses.lengths[answered] for plan in plans])

    without, some, most = shares(0), shares(0.3), shares(0.9)
    # A place of n + 1 more is a share of 1 / (n + 1): of short responses a larger one.
    assert 0.1 < np.mean(without >= 0.85) < 0.25
    assert 0.35 < np.mean(some >= 0.8) < 0.55
    assert np.mean(most >= 0.7) > 0.85
    for kept in (without, some, most):
        assert kept.min() == 0 and kept.max() == 1  # the whole response, and nothing of it
        assert 0.05 < np.mean(kept == 0) < 0.25
    assert np.mean(most == 1) > 2 * np.mean(without == 1)


def test_thinking_before_a_cut_need_not_be_learned(corpus_of: CorpusOf, tokenizer: PreTrainedTokenizerBase) -> None:
    settings = DataSettings(cut=CutSettings(fraction=1, learn_thinking=False, hints=[Hint(PLAIN_HINT)]))
    rows = Rows(corpus_of(settings), settings, seed=0, pad=tokenizer.pad_token_id)
    tokens, is_learned = rows.sample(0, 4, 0)
    assert tokenizer.decode(tokens[is_learned]) == f"{tokenizer.decode(rows.corpus.answers[0])}<|im_end|>"


def test_cuts_are_drawn_by_seed_epoch_and_record(corpus_of: CorpusOf) -> None:
    settings = DataSettings(row_length=192, max_length=128, cut=CUT)
    corpus = corpus_of(settings)
    first = plan_epoch(corpus, settings, seed=1, epoch=0)
    again = plan_epoch(corpus_of(settings), settings, seed=1, epoch=0)
    for name in ("keep", "hint", "order", "row_at", "tokens"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    for other in (plan_epoch(corpus, settings, seed=1, epoch=1), plan_epoch(corpus, settings, seed=2, epoch=0)):
        assert np.mean(first.keep != other.keep) > 0.3
        assert np.mean(first.order != other.order) > 0.9


@pytest.mark.parametrize("row_length", [None, 96])
def test_a_cut_sample_fits_too(corpus_of: CorpusOf, tokenizer: PreTrainedTokenizerBase, row_length: int | None) -> None:
    settings = DataSettings(row_length, max_length=96, cut=CutSettings(fraction=1, at_zero=0, hints=CUT.hints))
    rows = Rows(corpus_of(settings), settings, seed=0, pad=tokenizer.pad_token_id)
    rows.set_epochs(1)
    assert max(len(rows[i]["input_ids"]) for i in range(len(rows))) <= 96
    assert rows.plan(0).tokens.max() <= 96


def test_think_tags(think_tokenizer: PreTrainedTokenizerBase) -> None:
    """The template has written the open tag; a cut closes the thinking that it is in."""
    records = make_records(200, think=True)
    records[1]["response"] = "No tags\n\nThe answer is\n\\boxed{1}"
    hint = "\n</think>\n\n"
    cut = CutSettings(fraction=1, at_zero=0.1, before="</think>", hints=[Hint(hint)], answer="It is {answer}")
    settings = DataSettings(cut=cut)
    corpus = encode_records(records, think_tokenizer, settings, seed=0)
    prompt = f"<|im_start|>user\n{records[0]['question']}<|im_end|>\n<|im_start|>assistant\n<think>\n"
    assert think_tokenizer.decode(corpus.prompts[0]) == prompt
    assert think_tokenizer.decode(corpus.responses[0]) == records[0]["response"].removeprefix("<think>\n")
    assert think_tokenizer.decode(corpus.responses[1]) == records[1]["response"]

    close = token_id(think_tokenizer, "</think>")
    rows = Rows(corpus, settings, seed=0, pad=think_tokenizer.pad_token_id, before=close)
    rows.set_epochs(1)
    keeps = rows.plan(0).keep
    assert keeps[1] == -1  # thinking that is not closed cannot be closed early
    latest = [r.tolist().index(close) if close in r else -1 for r in map(corpus.responses.__getitem__, range(200))]
    assert all(keep <= last for keep, last in zip(keeps, latest, strict=True))
    assert any(keep == last > 0 for keep, last in zip(keeps, latest, strict=True))
    assert sum(keeps >= 0) == 179
    tokens, _ = rows.sample(0, int(keeps[0]), 0)
    kept = corpus.responses[0][: keeps[0]].tolist()
    answer = f"It is {records[0]['answer']}"
    assert tokens.tolist() == ids_of(think_tokenizer, prompt) + kept + ids_of(
        think_tokenizer, hint, answer, "<|im_end|>"
    )
