"""Tokenizes records: prompts, responses and answers, each on its own, as the runtime does it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .config import DataSettings
from .ragged import RaggedArray
from .records import Record

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Stand-ins for the contents of messages, which no text holds.
_QUESTION, _RESPONSE = "\x00question\x00", "\x00response\x00"


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
    """Tokenizes the records. Prompt, response, hint and answer are tokenized apart, as the runtime does it."""
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
    return Corpus(*(RaggedArray.concatenate(part) for part in parts), hints, tokenizer.eos_token_id, dict(counts))


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
