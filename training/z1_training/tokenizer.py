"""Makes the byte-level BPE tokenizer of a small model: frequent words of the trajectories, data left in letters."""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerBase, Qwen2Tokenizer

from .records import read_records

# tokenizer.json of Qwen/Qwen2.5-Coder-7B-Instruct
PRETOKENIZER = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
# Added tokens, but not special ones: they are part of the text.
THINK = ("<think>", "</think>")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# The prompt opens the thinking, as those of DeepSeek-R1's distilled models do.
THINK_TEMPLATE = CHAT_TEMPLATE.replace("assistant\\n", f"assistant\\n{THINK[0]}\\n")
# In the vocabulary whatever the counts say: letters after a space, and what every answer is put in.
ALWAYS = ["Ġ" + letter for letter in "abcdefghijklmnopqrstuvwxyz"] + ["\\boxed"]

# In the byte alphabet: Ġ is a space, Ċ a line feed. A pre-token that starts with a lower-case letter is never merged,
# so that words in quotes and in code stay letters, which a small model has to spell.
MERGEABLE = re.compile(r"Ġ[A-Za-z]+|[A-Z][A-Za-z]+|\\[a-z]+|'(s|t|re|ve|m|ll|d)|[^A-Za-z0-9\u00a1-\u00ff]{2,}")

Pair = tuple[str, str]


def byte_alphabet() -> list[str]:
    """The 256 characters that stand for bytes, in GPT-2's order of ids."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in shown] + [chr(0x100 + i) for i in range(256 - len(shown))]


def split_merged(word: str, ranks: dict[Pair, int]) -> list[str]:
    """The pieces of a pre-token (byte alphabet) after the merges, lowest rank first, as BPE does it."""
    pieces = list(word)
    while len(pieces) > 1:
        pairs = list(zip(pieces, pieces[1:], strict=False))
        best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        merged: list[str] = []
        i = 0
        while i < len(pieces):
            if i + 1 < len(pieces) and (pieces[i], pieces[i + 1]) == best:
                merged.append(pieces[i] + pieces[i + 1])
                i += 2
            else:
                merged.append(pieces[i])
                i += 1
        pieces = merged
    return pieces


def build_merges(counts: Counter[str], size: int) -> tuple[list[Pair], list[str]]:
    """Chooses words for at most `size` merges; returns the merges in order of rank and the words.

    `counts` maps pre-tokens (byte alphabet) to occurrences. A word of n pieces needs n - 1 entries and saves n - 1
    tokens each time, so the saving per entry is its count: the most frequent come first. A word is built left to
    right from the pieces it has at that moment; one whose merges would split an earlier word is left out.
    """
    ranks: dict[Pair, int] = {}
    chosen: list[str] = []
    vocabulary = set(byte_alphabet())
    for word in ALWAYS + sorted(counts, key=lambda w: (-counts[w], w)):
        pieces = split_merged(word, ranks)
        pairs: list[Pair] = []
        left = pieces[0]
        for piece in pieces[1:]:
            pairs.append((left, piece))
            left += piece
        tokens = [a + b for a, b in pairs]
        if not pairs or len(ranks) + len(pairs) > size or vocabulary.intersection(tokens):
            continue
        trial = ranks | {pair: len(ranks) + i for i, pair in enumerate(pairs)}
        touched = [w for w in [*chosen, word] if any(token in w for token in tokens)]
        if all(len(split_merged(w, trial)) == 1 for w in touched):
            ranks = trial
            vocabulary.update(tokens)
            chosen.append(word)
    return list(ranks), chosen


def count_words(texts: Iterable[tuple[str, ...]], share: float) -> Counter[str]:
    """Occurrences of the mergeable pre-tokens that stand in at least `share` of the records (tuples of texts)."""
    splitter = _pretokenizer()
    normalizer = normalizers.NFC()
    occurrences: Counter[str] = Counter()
    records: Counter[str] = Counter()
    total = 0
    for record in texts:
        words = Counter(w for text in record for w, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
        occurrences.update(words)
        records.update(words.keys())
        total += 1
    return Counter({w: n for w, n in occurrences.items() if records[w] >= share * total and MERGEABLE.fullmatch(w)})


def make_tokenizer(merges: list[Pair], think: bool = False) -> PreTrainedTokenizerBase:
    """A Qwen2 tokenizer: 256 bytes, the merges, three special tokens, ChatML; with `think`, think tags in both."""
    tokens = byte_alphabet() + [a + b for a, b in merges]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=merges, unk_token=None, eos_token=END, pad_token=PAD)
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, fuse_unk=False, byte_fallback=False))
    backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = _pretokenizer()
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in (PAD, START, END)])
    if think:
        backend.add_tokens([AddedToken(token, special=False, normalized=False) for token in THINK])
    tokenizer._tokenizer = backend
    tokenizer.chat_template = THINK_TEMPLATE if think else CHAT_TEMPLATE
    tokenizer.model_max_length = 2048
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, directory: Path) -> None:
    """Writes the folder with the template in both places: readers of transformers 4 look into the JSON only."""
    tokenizer.save_pretrained(directory)
    path = directory / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["chat_template"] = tokenizer.chat_template
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _pretokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZER), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="z1_training.tokenizer", description=__doc__)
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="records, JSONL or Parquet")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--size", type=int, default=700, help="entries of the vocabulary, special tokens included")
    parser.add_argument(
        "--think", action="store_true", help="think tags are tokens, and the chat template opens the thinking"
    )
    parser.add_argument("--share", type=float, default=0.002, help="least share of the records that hold a word")
    parser.add_argument("--sample", type=int, default=40_000, help="records to count, drawn at random")
    options = parser.parse_args()

    records = [(r["question"], r["response"]) for r in read_records(options.data)]
    if not records:
        parser.error("the files hold no record")
    # Not every n-th one: families take turns in generated files, and some would never be counted.
    sample = random.Random(0).sample(records, min(len(records), options.sample))
    # Tags are tokens already: what they are made of does not count.
    tag = re.compile("|".join(THINK) if options.think else r"(?!)")
    counts = count_words(
        (tuple(part for text in record for part in tag.split(text)) for record in sample), options.share
    )
    merges, words = build_merges(counts, options.size - 256 - 3 - (len(THINK) if options.think else 0))
    tokenizer = make_tokenizer(merges, options.think)
    backend = tokenizer.backend_tokenizer
    texts = [text for record in sample for text in record]
    encodings = backend.encode_batch(texts, add_special_tokens=False)
    for text, encoding in zip(texts, encodings, strict=True):
        if backend.decode(encoding.ids) != normalizers.NFC().normalize_str(text):
            raise RuntimeError(f"decode(encode(text)) is another text: {text!r}")
    for word in words:
        if len(backend.model.tokenize(word)) != 1:
            raise RuntimeError(f"{word!r} is not one token")
    save_tokenizer(tokenizer, options.output)
    letters = sum(len(text) for text in texts)
    tokens = sum(len(encoding.ids) for encoding in encodings)
    print(f"{len(tokenizer)} entries, {len(words)} words chosen of {len(counts)}")
    print(f"{tokens / len(sample):.1f} tokens a record, {letters / tokens:.2f} characters a token")
    print(" ".join(words))


if __name__ == "__main__":
    main()
