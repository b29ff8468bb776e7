from __future__ import annotations

import numpy as np

from z1_training.ragged import RaggedArray

SEQUENCES = [[3, 1], [], [65535], [], []]


def test_sequences_come_back() -> None:
    array = RaggedArray.of(SEQUENCES, np.uint16)
    assert len(array) == 5 and array.tokens.dtype == np.uint16
    assert [array[i].tolist() for i in range(5)] == SEQUENCES
    assert array.lengths.tolist() == [2, 0, 1, 0, 0]


def test_parts_in_order() -> None:
    parts = [RaggedArray.of(part, np.uint16) for part in (SEQUENCES[:2], [], SEQUENCES[2:])]
    whole = RaggedArray.concatenate(parts)
    assert [whole[i].tolist() for i in range(len(whole))] == SEQUENCES
    assert whole.tokens.dtype == np.uint16
