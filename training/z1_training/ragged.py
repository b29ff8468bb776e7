"""Sequences of tokens of unequal lengths, in one array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class RaggedArray:
    """Sequence i is tokens[offsets[i]:offsets[i + 1]]."""

    tokens: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, sequences: list[list[int]], dtype: type) -> RaggedArray:
        lengths = np.fromiter((len(s) for s in sequences), np.int64, len(sequences))
        tokens = np.fromiter((t for s in sequences for t in s), dtype, int(lengths.sum()))
        return cls(tokens, _offsets(lengths))

    @classmethod
    def concatenate(cls, parts: list[RaggedArray]) -> RaggedArray:
        return cls(np.concatenate([p.tokens for p in parts]), _offsets(np.concatenate([p.lengths for p in parts])))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        return self.tokens[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)])
