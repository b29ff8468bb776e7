"""Turns records into rows of tokens: loss on the response only, cuts with hints, several samples to a row.

What row n holds depends on the records, the settings and the seed alone, so a resumed run reads what an
uninterrupted one would have read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase

from .config import DataSettings
from .records import Record

IGNORE_INDEX = -100  # the label that cross_entropy leaves out
# Stand-ins for the contents of messages, which no text holds.
_QUESTION, _RESPONSE = "\x00question\x00", "\x00response\x00"


@dataclass
class RaggedArray:
    """Many token sequences in one array: sequence i is tokens[offsets[i]:offsets[i + 1]]."""

    tokens: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, sequences: list[list[int]], dtype: type) -> RaggedArray:
        lengths = np.fromiter((len(s) for s in sequences), np.int64, len(sequences))
        tokens = np.fromiter((t for s in sequences for t in s), dtype, int(lengths.sum()))
        return cls(tokens, np.concatenate([[0], np.cumsum(lengths)]))

    def __getitem__(self, i: int) -> np.ndarray:
        return self.tokens[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)


@dataclass
class Corpus:
    """The tokens of all samples; `answers` is empty where a record has none."""

    prompts: RaggedArray
    responses: RaggedArray
    answers: RaggedArray
    hints: list[np.ndarray]
    end: int
    """id of the token that ends a response"""
    counts: dict[str, int]
    """records read, kept, and dropped by reason"""

    def save(self, path: Path) -> None:
        arrays: dict[str, Any] = {f"hint{i}": hint for i, hint in enumerate(self.hints)}
        for name in ("prompts", "responses", "answers"):
            ragged: RaggedArray = getattr(self, name)
            arrays |= {name: ragged.tokens, f"{name}_at": ragged.offsets}
        arrays |= {"end": self.end, "count_names": list(self.counts), "count_values": list(self.counts.values())}
        part = path.with_name(f"{path.name}.part")
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Corpus:
        with np.load(path) as stored:
            arrays = [RaggedArray(stored[name], stored[f"{name}_at"]) for name in ("prompts", "responses", "answers")]
            hints = [stored[f"hint{i}"] for i in range(sum(name.startswith("hint") for name in stored.files))]
            counts = dict(zip(stored["count_names"].tolist(), stored["count_values"].tolist(), strict=True))
            return cls(*arrays, hints, int(stored["end"]), counts)


def encode_records(
    records: Iterable[Record],
    tokenizer: PreTrainedTokenizerBase,
    settings: DataSettings,
    seed: int,
    chunk: int = 20_000,
) -> Corpus:
    """Tokenises the records. Prompt, response, hint and answer are tokenised apart, as the runtime does it."""
    dtype = np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32
    backend = tokenizer.backend_tokenizer
    specials = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    opening = _opening(tokenizer)
    frames = [_prompt_frame(tokenizer, None)]
    if settings.system is not None:
        frames.append(_prompt_frame(tokenizer, settings.system))
    rng = np.random.default_rng((seed, 0xC0FFEE))
    counts: Counter[str] = Counter(read=0, kept=0, too_long=0, control_token=0)
    parts: tuple[list[RaggedArray], ...] = ([], [], [])

    def encode(texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in backend.encode_batch_fast(texts, add_special_tokens=False)]

    def flush(batch: list[tuple[str, str, str]]) -> None:
        prompts, responses, answers = (encode([sample[i] for sample in batch]) for i in range(3))
        fits = [len(p) + len(r) + 1 <= settings.max_length for p, r in zip(prompts, responses, strict=True)]
        counts["kept"] += sum(fits)
        counts["too_long"] += len(fits) - sum(fits)
        for part, sequences in zip(parts, (prompts, responses, answers), strict=True):
            part.append(RaggedArray.of([s for s, fit in zip(sequences, fits, strict=True) if fit], dtype))

    batch: list[tuple[str, str, str]] = []
    for record in records:
        counts["read"] += 1
        question, response, answer = record["question"], record["response"], record.get("answer")
        if any(token in question or token in response for token in specials):
            counts["control_token"] += 1
            continue
        before, after = frames[int(rng.random() < settings.system_fraction and len(frames) > 1)]
        ending = "" if answer in (None, "") else settings.cut.answer.format(answer=answer)
        batch.append((before + question + after, response.removeprefix(opening), ending))
        if len(batch) == chunk:
            flush(batch)
            batch = []
    if batch:
        flush(batch)
    if not counts["kept"]:
        raise ValueError(f"no record is left to train on: {dict(counts)}")
    hints = [np.array(ids, dtype) for ids in encode([hint.text for hint in settings.cut.hints])]
    return Corpus(*(_joined(part) for part in parts), hints, tokenizer.eos_token_id, dict(counts))


def _joined(arrays: list[RaggedArray]) -> RaggedArray:
    lengths = np.concatenate([ragged.lengths for ragged in arrays])
    return RaggedArray(np.concatenate([ragged.tokens for ragged in arrays]), np.concatenate([[0], np.cumsum(lengths)]))


def _prompt_frame(tokenizer: PreTrainedTokenizerBase, system: str | None) -> tuple[str, str]:
    """What the chat template puts before and after a question; rendering it for every record takes minutes."""
    messages = [] if system is None else [{"role": "system", "content": system}]
    messages.append({"role": "user", "content": _QUESTION})
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before, found, after = text.partition(_QUESTION)
    if not found or _QUESTION in after:
        raise ValueError("the chat template does not hold the question once, unchanged")
    return before, after


def _opening(tokenizer: PreTrainedTokenizerBase) -> str:
    """What the prompt writes of the response itself, such as an open think tag; mostly empty."""
    question = {"role": "user", "content": _QUESTION}
    prompt = tokenizer.apply_chat_template([question], tokenize=False, add_generation_prompt=True)
    answered = [question, {"role": "assistant", "content": _RESPONSE}]
    before, _, _ = tokenizer.apply_chat_template(answered, tokenize=False).partition(_RESPONSE)
    return prompt[len(before) :] if prompt.startswith(before) else ""


def token_id(tokenizer: PreTrainedTokenizerBase, text: str) -> int:
    """Raises ValueError where the text is not one token."""
    ids = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    if len(ids) != 1:
        raise ValueError(f"expected one token for {text} but the tokenizer makes {len(ids)} of it")
    return ids[0]


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


def _cut_places(responses: RaggedArray, before: int | None) -> np.ndarray:
    """[samples] in how many places a response can be cut, the first of which keeps no token."""
    if before is None:
        return responses.lengths
    starts, ends = responses.offsets[:-1], responses.offsets[1:]
    found = np.append(np.flatnonzero(responses.tokens == before), len(responses.tokens))
    first = found[np.searchsorted(found, starts)]
    return np.where(first < ends, first - starts + 1, 0)


def plan_epoch(corpus: Corpus, settings: DataSettings, seed: int, epoch: int, before: int | None = None) -> Epoch:
    """Draws the cuts and the order of one epoch and packs its rows; the same for the same arguments.

    `before` is the id of the token of `settings.cut.before`.
    """
    cut = settings.cut
    rng = np.random.default_rng((seed, epoch))
    samples = len(corpus.prompts.offsets) - 1
    is_cut, is_at_zero, place, which = rng.random((4, samples))
    prompts, responses, answers = corpus.prompts.lengths, corpus.responses.lengths, corpus.answers.lengths
    places = _cut_places(corpus.responses, before)

    keep = np.full(samples, -1, np.int64)
    hint = np.zeros(samples, np.int64)
    lengths = prompts + responses + 1
    if cut.fraction > 0 and corpus.hints:
        weights = np.array([h.weight for h in cut.hints])
        hint = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], which, side="right")
        appended = np.array([len(h) for h in corpus.hints])[hint] + answers + 1
        # A cut sample may be longer than the whole one: the latest cuts are those that still fit.
        room = np.minimum(places, (settings.row_length or settings.max_length) - prompts - appended + 1)
        chosen = (is_cut < cut.fraction) & (answers > 0) & (room > 0)
        kept = np.where(is_at_zero < cut.at_zero, 0, (place * room).astype(np.int64))
        keep = np.where(chosen, kept, -1)
        lengths = np.where(chosen, prompts + kept + appended, lengths)

    block = settings.shuffle_block or samples
    shuffled = np.concatenate([at + rng.permutation(min(block, samples - at)) for at in range(0, samples, block)])
    if settings.row_length is None:
        rows = [[i] for i in shuffled.tolist()]
    else:
        rows = pack(shuffled.tolist(), lengths.tolist(), settings.row_length)
    row_at = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    order = np.fromiter((i for row in rows for i in row), np.int64, samples)
    return Epoch(keep, hint, order, row_at, np.add.reduceat(lengths[order], row_at[:-1]))


def pack(order: list[int], lengths: list[int], row_length: int, open_rows: int = 24) -> list[list[int]]:
    """Puts each sample into the open row where least room is left over.

    When too many rows are open, the fullest one closes.
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
