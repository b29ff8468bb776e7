from __future__ import annotations

import random
from collections.abc import Callable

from z1_training.config import DataSettings
from z1_training.corpus import Corpus
from z1_training.packing import pack, plan_epoch


def test_packing_keeps_every_sample_once() -> None:
    rng = random.Random(0)
    lengths = [rng.randrange(1, 100) for _ in range(2000)]
    order = rng.sample(range(2000), 2000)
    rows = pack(order, lengths, 100)
    assert sorted(i for row in rows for i in row) == list(range(2000))
    assert max(sum(lengths[i] for i in row) for row in rows) <= 100
    assert sum(lengths) / (100 * len(rows)) > 0.95
    assert pack(order, lengths, 100) == rows


def test_rows_come_in_the_order_of_the_samples() -> None:
    """Of what has been read, only the samples of the 24 open rows are still to come; no row holds more than 5."""
    rng = random.Random(0)
    lengths = [rng.randrange(20, 100) for _ in range(2000)]
    packed, read = 0, 0
    for row in pack(list(range(2000)), lengths, 100):
        packed += len(row)
        read = max(read, *(i + 1 for i in row))
        assert read - packed <= 24 * 5


def test_blocks_stay_in_order(corpus_of: Callable[[DataSettings], Corpus]) -> None:
    settings = DataSettings(shuffle_block=70)
    corpus = corpus_of(settings)
    order = plan_epoch(corpus, settings, seed=1, epoch=0).order.tolist()
    blocks = [order[at : at + 70] for at in range(0, 300, 70)]
    assert [sorted(block) for block in blocks] == [list(range(at, min(at + 70, 300))) for at in range(0, 300, 70)]
    assert all(block != sorted(block) for block in blocks)
    assert order != plan_epoch(corpus, settings, seed=1, epoch=1).order.tolist()
