"""The rows that a run trains on, with their labels: loss on the response only.

What row n holds depends on the records, the settings and the seed alone, so a resumed run reads what an
uninterrupted one would have read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from .config import DataSettings
from .corpus import Corpus
from .packing import plan_epoch

IGNORE_INDEX = -100  # the label that cross_entropy leaves out


class Rows(Dataset):
    """The rows of a whole run, epoch after epoch, by their number in the run."""

    def __init__(self, corpus: Corpus, settings: DataSettings, seed: int, pad: int, before: int | None = None) -> None:
        longest = int((corpus.prompts.lengths + corpus.responses.lengths).max()) + 1
        if settings.row_length is not None and longest > settings.row_length:
            raise ValueError(f"a sample of {longest} tokens does not fit rows of {settings.row_length}")
        self.corpus = corpus
        self.settings = settings
        self.pad = pad
        self.plan = lru_cache(maxsize=2)(lambda epoch: plan_epoch(corpus, settings, seed, epoch, before))
        self.first_row = [0]  # of each epoch that has been planned, and of the one after
        self.tokens_before = [0]
        self.length = 0

    def set_epochs(self, epochs: int) -> None:
        self._plan_until(lambda: len(self.first_row) > epochs)
        self.length = self.first_row[epochs]

    def set_rows(self, rows: int) -> None:
        self.length = rows

    def __len__(self) -> int:
        return self.length

    def epoch_of(self, row: int) -> tuple[int, int]:
        """Epoch of a row of the run, and its place there."""
        self._plan_until(lambda: self.first_row[-1] > row)
        epoch = int(np.searchsorted(self.first_row, row, side="right")) - 1
        return epoch, row - self.first_row[epoch]

    def tokens_until(self, row: int) -> int:
        """Tokens without padding of all rows before this one."""
        if row == 0:
            return 0
        epoch, place = self.epoch_of(row - 1)
        return self.tokens_before[epoch] + int(self.plan(epoch).tokens[: place + 1].sum())

    def _plan_until(self, done: Any) -> None:
        while not done():
            plan = self.plan(len(self.first_row) - 1)
            self.first_row.append(self.first_row[-1] + plan.rows)
            self.tokens_before.append(self.tokens_before[-1] + int(plan.tokens.sum()))

    def __getitem__(self, row: int) -> dict[str, np.ndarray]:
        epoch, place = self.epoch_of(row)
        plan = self.plan(epoch)
        samples = plan.order[plan.row_at[place] : plan.row_at[place + 1]]
        size = self.settings.row_length or int(plan.tokens[place])
        ids = np.full(size, self.pad, np.int64)
        labels = np.full(size, IGNORE_INDEX, np.int64)
        positions = np.zeros(size, np.int64)
        at = 0
        for i in samples.tolist():
            tokens, learned = self.sample(i, int(plan.keep[i]), int(plan.hint[i]))
            until = at + len(tokens)
            ids[at:until] = tokens
            labels[at:until] = np.where(learned, tokens, IGNORE_INDEX)
            positions[at:until] = np.arange(len(tokens))
            at = until
        positions[at:] = np.arange(size - at)  # padding is one more sample, which nothing else sees
        return {"input_ids": ids, "labels": labels, "position_ids": positions}

    def sample(self, i: int, keep: int, hint: int) -> tuple[np.ndarray, np.ndarray]:
        """Tokens of a sample, and which of them are learned. `keep` is -1 for a whole one."""
        corpus = self.corpus
        prompt, response, end = corpus.prompts[i], corpus.responses[i], [corpus.end]
        if keep < 0:
            parts = [(prompt, False), (response, True), (end, True)]
        else:
            thinking = (response[:keep], self.settings.cut.learn_thinking)
            parts = [(prompt, False), thinking, (corpus.hints[hint], False), (corpus.answers[i], True), (end, True)]
        tokens = np.concatenate([np.asarray(part, np.int64) for part, _ in parts])
        return tokens, np.concatenate([np.full(len(part), learned) for part, learned in parts])


def collate(rows: list[dict[str, np.ndarray]], pad: int) -> dict[str, torch.Tensor]:
    """Stacks rows to [rows, tokens]; shorter ones are filled to the longest."""
    size = max(len(row["input_ids"]) for row in rows)
    filling = {"input_ids": pad, "labels": IGNORE_INDEX, "position_ids": None}
    batch = {}
    for name, value in filling.items():
        stacked = []
        for row in rows:
            tail = size - len(row[name])
            stacked.append(np.concatenate([row[name], np.arange(tail) if value is None else np.full(tail, value)]))
        batch[name] = torch.from_numpy(np.stack(stacked))
    return batch
