from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PLAIN_HINT, make_records
from transformers import PreTrainedTokenizerBase

from z1_training.config import CutSettings, DataSettings, Hint
from z1_training.data import (
    IGNORE_INDEX,
    Corpus,
    Rows,
    collate,
    encode_records,
    pack,
    plan_epoch,
    token_id,
)

CorpusOf = Callable[[DataSettings], Corpus]
BOXED_HINT = "\n\nI overthought it, the final answer in \\boxed{} should be:\n\n"
CUT = CutSettings(fraction=0.5, at_zero=0.2, hints=[Hint(PLAIN_HINT, 3), Hint(BOXED_HINT, 1)])


def learned(row: dict[str, np.ndarray]) -> list[int]:
    labels = row["labels"]
    assert np.array_equal(labels[labels != IGNORE_INDEX], row["input_ids"][labels != IGNORE_INDEX])
    return labels[labels != IGNORE_INDEX].tolist()


def ids_of(tokenizer: PreTrainedTokenizerBase, *texts: str) -> list[int]:
    """Each text is tokenised on its own."""
    return [i for text in texts for i in tokenizer(text, add_special_tokens=False)["input_ids"]]


def samples_of(rows: Rows, count: int) -> list[tuple[list[int], list[int]]]:
    """Tokens and labels of the samples of the first rows, found by where positions start again."""
    samples = []
    for i in range(count):
        row = rows[i]
        starts = [*np.flatnonzero(row["position_ids"] == 0).tolist(), len(row["input_ids"])]
        for start, end in zip(starts, starts[1:], strict=False):
            part = slice(start, end)
            assert row["position_ids"][part].tolist() == list(range(end - start))
            samples.append((row["input_ids"][part].tolist(), row["labels"][part].tolist()))
    return samples


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
        # As apply_chat_template tokenises it.
        messages = [{"role": "user", "content": record["question"]}]
        expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True)["input_ids"]
        assert row["input_ids"].tolist()[: len(expected)] == expected
    assert len(seen) == 5


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


def test_token_id(think_tokenizer: PreTrainedTokenizerBase, tokenizer: PreTrainedTokenizerBase) -> None:
    assert think_tokenizer.convert_ids_to_tokens(token_id(think_tokenizer, "</think>")) == "</think>"
    with pytest.raises(ValueError, match="one token for </think>"):
        token_id(tokenizer, "</think>")


def test_packing_keeps_every_sample_once() -> None:
    rng = random.Random(0)
    lengths = [rng.randrange(1, 100) for _ in range(2000)]
    order = rng.sample(range(2000), 2000)
    rows = pack(order, lengths, 100)
    assert sorted(i for row in rows for i in row) == list(range(2000))
    assert max(sum(lengths[i] for i in row) for row in rows) <= 100
    assert sum(lengths) / (100 * len(rows)) > 0.95
    assert pack(order, lengths, 100) == rows


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


def test_blocks_stay_in_order(corpus_of: CorpusOf) -> None:
    settings = DataSettings(shuffle_block=70)
    corpus = corpus_of(settings)
    order = plan_epoch(corpus, settings, seed=1, epoch=0).order.tolist()
    blocks = [order[at : at + 70] for at in range(0, 300, 70)]
    assert [sorted(block) for block in blocks] == [list(range(at, min(at + 70, 300))) for at in range(0, 300, 70)]
    assert all(block != sorted(block) for block in blocks)
    assert order != plan_epoch(corpus, settings, seed=1, epoch=1).order.tolist()


def test_rows_too_short_for_a_sample(corpus_of: CorpusOf) -> None:
    with pytest.raises(ValueError, match="does not fit rows of 32"):
        Rows(corpus_of(DataSettings()), DataSettings(row_length=32), seed=0, pad=0)


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
