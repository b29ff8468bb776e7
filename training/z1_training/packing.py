"""One pass over the corpus: the order of its samples, and which of them share a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .config import DataSettings
from .corpus import Corpus
from .cuts import draw_cuts


@dataclass
class Epoch:
    """What one pass over the corpus looks like."""

    keep: np.ndarray
    """[samples] response tokens kept before the hint; -1 where the sample is not cut"""
    hint: np.ndarray
    """[samples] which hint follows a cut"""
    order: np.ndarray
    """[samples] samples in the order of the rows"""
    row_at: np.ndarray
    """[rows + 1] row i holds the samples order[row_at[i]:row_at[i + 1]]"""
    tokens: np.ndarray
    """[rows] tokens of each row without padding"""

    @property
    def rows(self) -> int:
        return len(self.tokens)


def plan_epoch(corpus: Corpus, settings: DataSettings, seed: int, epoch: int, before: int | None = None) -> Epoch:
    """Draws the cuts and the order of one epoch and packs its rows; the same for the same arguments.

    `before` is the id of the token of `settings.cut.before`.
    """
    rng = np.random.default_rng((seed, epoch))
    cuts = draw_cuts(corpus, settings, rng, before)
    samples = len(corpus.prompts)
    block = settings.shuffle_block or samples
    shuffled = np.concatenate([at + rng.permutation(min(block, samples - at)) for at in range(0, samples, block)])
    if settings.row_length is None:
        rows = [[i] for i in shuffled.tolist()]
    else:
        rows = pack(shuffled.tolist(), cuts.lengths.tolist(), settings.row_length)
    row_at = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    order = np.fromiter((i for row in rows for i in row), np.int64, samples)
    return Epoch(cuts.keep, cuts.hint, order, row_at, np.add.reduceat(cuts.lengths[order], row_at[:-1]))


def pack(order: list[int], lengths: list[int], row_length: int, open_rows: int = 24) -> list[list[int]]:
    """Best fit with few open rows: a sample goes where least room is left over; of too many rows the fullest closes.

    Why not TRL's `pack_dataset(strategy="bfd")`:

    - It truncates what is longer than a row, and the answer stands at the end. Here nothing is truncated, ever: samples
      that are too long were left out and counted.
    - It sorts each thousand samples by length. Here rows come in the order of the samples, give or take the open ones,
      so that a curriculum stays one.
    - It packs once, into a data set. Here the rows follow from `order` and `lengths` alone, so that each epoch has its
      own cuts and a run resumes to the row.
    """
    rows: list[list[int]] = []
    free: list[int] = []
    opened: list[list[int]] = []
    for i in order:
        length = lengths[i]
        best, least = -1, row_length + 1
        for j, room in enumerate(free):
            if length <= room < least:
                best, least = j, room
        if best >= 0:
            free[best] -= length
            opened[best].append(i)
            continue
        if len(opened) == open_rows:
            fullest = free.index(min(free))
            rows.append(opened.pop(fullest))
            free.pop(fullest)
        opened.append([i])
        free.append(row_length - length)
    return rows + opened
