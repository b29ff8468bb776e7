"""Records, a tokenizer and a model small enough for a slow core, and training runs in processes of their own.

Imports PyTorch where it is used, so that the tests that need none run without it.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import random
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["OMP_NUM_THREADS"] = "1"  # threads that wait for busy cores take minutes

import pytest
import yaml

from z1_training.config import CutSettings, DataSettings, Hint

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

    from z1_training.corpus import Corpus
    from z1_training.dataset import Rows

WITHOUT_TORCH = {"test_config.py", "test_recipe.py", "test_records.py", "test_version.py"}
ABSENT = [name for name in ("torch", "transformers", "accelerate") if importlib.util.find_spec(name) is None]
if ABSENT:
    collect_ignore = [path.name for path in Path(__file__).parent.glob("test_*.py") if path.name not in WITHOUT_TORCH]

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["z1_training.train"])

PLAIN_HINT = "\n\nI overthought it, the final answer should be:\n\n"
BOXED_HINT = "\n\nI overthought it, the final answer in \\boxed{} should be:\n\n"
CUT = CutSettings(fraction=0.5, at_zero=0.2, hints=[Hint(PLAIN_HINT, 3), Hint(BOXED_HINT, 1)])
MODEL = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "tie_word_embeddings": True,
}


def pytest_report_header() -> str | None:
    return f"not installed: {', '.join(ABSENT)}; did not run: {', '.join(sorted(collect_ignore))}" if ABSENT else None


def make_records(count: int, seed: int = 0, think: bool = False) -> list[dict[str, Any]]:
    """Sums, programs and spelled words, of different lengths; every tenth has no answer."""
    rng = random.Random(seed)
    records = []
    for i in range(count):
        if i % 10 == 9:
            question, steps, answer = f"Who are you, number {i}?", "I can do sums.", None
        elif i % 2:
            a, b = rng.randrange(1000), rng.randrange(100)
            question = f"What is {a} + {b}?" if i % 4 == 1 else f"What does this show?\nprint({a} + {b})"
            steps, answer = f"Let me see: {a} + {b} = {a + b}", str(a + b)
        else:
            word = "".join(rng.choice("abcdefgh") for _ in range(rng.randrange(2, 8)))
            question, answer = f'How many letters are in "{word}"?', str(len(word))
            steps = "\n".join(f"{n} {letter}" for n, letter in enumerate(word, 1))
        ending = "No answer." if answer is None else f"The answer is\n\\boxed{{{answer}}}"
        response = f"<think>\n{steps}\n</think>\n\n{ending}" if think else f"{steps}\n\n{ending}"
        record = {"id": str(i), "question": question, "response": response}
        records.append(record if answer is None else {**record, "answer": answer})
    return records


def ids_of(tokenizer: PreTrainedTokenizerBase, *texts: str) -> list[int]:
    """Each text is tokenized on its own."""
    return [i for text in texts for i in tokenizer(text, add_special_tokens=False)["input_ids"]]


def samples_of(rows: Rows, count: int) -> list[tuple[list[int], list[int]]]:
    """Tokens and labels of the samples of the first rows, found by where positions start again."""
    samples = []
    for i in range(count):
        row = rows[i]
        starts = [*(row["position_ids"] == 0).nonzero()[0].tolist(), len(row["input_ids"])]
        for start, end in zip(starts, starts[1:], strict=False):
            part = slice(start, end)
            assert row["position_ids"][part].tolist() == list(range(end - start))
            samples.append((row["input_ids"][part].tolist(), row["labels"][part].tolist()))
    return samples


@pytest.fixture(scope="session")
def records() -> list[dict[str, Any]]:
    return make_records(300)


@pytest.fixture(scope="session")
def words(records: list[dict[str, Any]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Merges and chosen words."""
    from z1_training.tokenizer import build_merges, count_words

    return build_merges(count_words(((r["question"], r["response"]) for r in records), 0.01), 120)


@pytest.fixture(scope="session")
def tokenizer(words: tuple[list[tuple[str, str]], list[str]]) -> PreTrainedTokenizerBase:
    from z1_training.tokenizer import make_tokenizer

    return make_tokenizer(words[0])


@pytest.fixture(scope="session")
def think_tokenizer(words: tuple[list[tuple[str, str]], list[str]]) -> PreTrainedTokenizerBase:
    from z1_training.tokenizer import make_tokenizer

    return make_tokenizer(words[0], think=True)


@pytest.fixture
def corpus_of(records: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase) -> Callable[[DataSettings], Corpus]:
    from z1_training.corpus import encode_records

    return lambda settings: encode_records(records, tokenizer, settings, seed=1)


@pytest.fixture(scope="session")
def model(tokenizer: PreTrainedTokenizerBase) -> Qwen2ForCausalLM:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    config = Qwen2Config(vocab_size=len(tokenizer), attn_implementation="sdpa", initializer_range=0.3, **MODEL)
    return Qwen2ForCausalLM(config).eval()


@dataclass
class Workplace:
    """A folder with data, tokenizer and config for training runs."""

    folder: Path
    config: dict[str, Any]

    def train(
        self,
        output: str,
        *more: str,
        config: dict[str, Any] | None = None,
        prepare: Callable[[], None] | None = None,
        processes: int = 1,
    ) -> list[int]:
        """Runs training to its end; returns the exit code of each process, negative for the signal that ended it.

        Runs are forked from a process that has imported torch, which takes longer than they do, and has not used it:
        its threads do not survive a fork. Several processes find each other through the variables that torchrun sets.
        `prepare`, which can be pickled, is called in each.
        """
        path = self.folder / f"{output}.yaml"
        path.write_text(yaml.safe_dump(config or self.config))
        arguments = [
            str(path),
            "--data",
            str(self.folder / "train.jsonl"),
            "--output",
            str(self.folder / output),
            *more,
        ]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
        children = []
        for rank in range(processes):
            ranks = {**world, "RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(processes)}
            log = self.folder / f"{output}.{rank}.log"
            child = FORKS.Process(target=_run, args=(arguments, ranks if processes > 1 else {}, log, prepare))
            child.start()
            children.append(child)
        for child in children:
            child.join(300)
            if child.is_alive():
                child.kill()
                child.join()
        return [child.exitcode for child in children]

    def log(self, output: str, rank: int = 0) -> str:
        return (self.folder / f"{output}.{rank}.log").read_text()

    def metrics(self, output: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / output / "metrics.jsonl").read_text().splitlines()]

    def run(self, output: str) -> dict[str, Any]:
        return json.loads((self.folder / output / "run.json").read_text())


def _run(arguments: list[str], environment: dict[str, str], log: Path, prepare: Callable[[], None] | None) -> None:
    from z1_training import train

    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout = sys.stderr = open(file, "w", buffering=1)  # noqa: SIM115 - pytest's own ones do not end in a file
    os.environ.update(environment)
    train.STARTED = time.monotonic()
    if prepare is not None:
        prepare()
    sys.argv = ["train", *arguments]
    train.main()


@pytest.fixture(scope="session")
def workplace(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], tokenizer: PreTrainedTokenizerBase
) -> Workplace:
    """Ten steps of the embedded model's kind: cuts, packing, Muon; more than one epoch."""
    from z1_training.tokenizer import save_tokenizer

    folder = tmp_path_factory.mktemp("train")
    (folder / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records[:40]))
    save_tokenizer(tokenizer, folder / "tokenizer")
    config = {
        "seed": 5,
        "model": {"from_scratch": MODEL},
        "data": {
            "row_length": 192,
            "max_length": 128,
            "cut": {"fraction": 0.3, "hints": [{"text": PLAIN_HINT}]},
        },
        "optimizer": {"name": "muon", "lr": 0.02, "adamw_lr": 0.01},
        "schedule": {"name": "wsd", "warmup": 2, "decay": 0.5},
        "train": {"steps": 10, "rows_per_step": 2, "log_every": 3, "save_every": 4},
    }
    return Workplace(folder, config)
