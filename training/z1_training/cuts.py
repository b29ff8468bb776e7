"""Which samples end early, where, and with which hint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .config import DataSettings
from .corpus import Corpus
from .ragged import RaggedArray

LATE = 0.15
"""the part of a response where the late cuts come"""


@dataclass
class Cuts:
    keep: np.ndarray
    """[samples] response tokens kept before the hint; -1 where the sample is not cut"""
    hint: np.ndarray
    """[samples] which hint follows a cut"""
    lengths: np.ndarray
    """[samples] tokens of each sample, the cut ones as they are cut"""


def draw_cuts(corpus: Corpus, settings: DataSettings, rng: np.random.Generator, before: int | None = None) -> Cuts:
    """`before` is the id of the token of `settings.cut.before`."""
    cut = settings.cut
    samples = len(corpus.prompts)
    is_cut, kind, where, which = rng.random((4, samples))
    prompts, responses, answers = corpus.prompts.lengths, corpus.responses.lengths, corpus.answers.lengths
    lengths = prompts + responses + 1
    if cut.fraction == 0 or not corpus.hints:
        return Cuts(np.full(samples, -1, np.int64), np.zeros(samples, np.int64), lengths)

    weights = np.array([h.weight for h in cut.hints])
    hint = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], which, side="right")
    appended = np.array([len(h) for h in corpus.hints])[hint] + answers + 1
    # A cut sample may be longer than the whole one: the latest cuts are those that still fit.
    room = (settings.row_length or settings.max_length) - prompts - appended + 1
    places = np.minimum(_cut_places(corpus.responses, before), room)
    chosen = (is_cut < cut.fraction) & (answers > 0) & (places > 0)
    where = np.where(kind >= 1 - cut.late, 1 - LATE * where, where)
    kept = np.where(kind < cut.at_zero, 0, np.minimum(where * places, places - 1).astype(np.int64))
    return Cuts(np.where(chosen, kept, -1), hint, np.where(chosen, prompts + kept + appended, lengths))


def _cut_places(responses: RaggedArray, before: int | None) -> np.ndarray:
    """[samples] in how many places a response can be cut, the first of which keeps no token."""
    if before is None:
        return responses.lengths + 1
    starts, ends = responses.offsets[:-1], responses.offsets[1:]
    found = np.append(np.flatnonzero(responses.tokens == before), len(responses.tokens))
    first = found[np.searchsorted(found, starts)]
    return np.where(first < ends, first - starts + 1, 0)
