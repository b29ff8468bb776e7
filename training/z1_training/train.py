"""Trains a Qwen2 model on trajectory records: from scratch or fine-tuned, in pieces that resume exactly."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import platform
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
import transformers
from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Qwen2Config,
    Qwen2ForCausalLM,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from .config import Config, ModelSettings, read_config
from .data import Corpus, Rows, collate, encode_records
from .optimizer import make_optimizer, schedule_factor
from .records import read_records
from .tokenizer import save_tokenizer

STARTED = time.monotonic()


def make_model(settings: ModelSettings, tokenizer: PreTrainedTokenizerBase, seed: int) -> Qwen2ForCausalLM:
    if settings.from_pretrained is not None:
        return Qwen2ForCausalLM.from_pretrained(
            settings.from_pretrained, dtype=torch.float32, attn_implementation=settings.attention
        )
    fields = dict(settings.from_scratch or {})
    theta = fields.pop("rope_theta", 10_000.0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        rope_parameters={"rope_type": "default", "rope_theta": float(theta)},
        attn_implementation=settings.attention,
        **fields,
    )
    torch.manual_seed(seed)
    model = Qwen2ForCausalLM(config)
    # Each layer starts as the identity: what it adds to the residual stream begins at zero.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                parameter.zero_()
            elif parameter.ndim == 2 and "embed" not in name and "lm_head" not in name:
                parameter.normal_(std=parameter.size(1) ** -0.5)
    return model


class RowTrainer(Trainer):
    """Trainer with the optimizer and schedule of the config."""

    def __init__(self, config: Config, **arguments: Any) -> None:
        self.config = config
        super().__init__(**arguments)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            self.optimizer = make_optimizer(model or self.model, self.config.optimizer)
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        if self.lr_scheduler is None:
            factor = schedule_factor(self.config.schedule, num_training_steps)
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, factor)
            self._created_lr_scheduler = True
        return self.lr_scheduler


class Journal(TrainerCallback):
    """Writes metrics.jsonl, and stops the run with a checkpoint when its minutes are over."""

    def __init__(self, path: Path, rows: Rows, rows_per_step: int, minutes: float | None, resumed_at: int) -> None:
        self.path = path
        self.rows = rows
        self.rows_per_step = rows_per_step
        self.deadline = None if minutes is None else STARTED + 60 * minutes
        self.seconds_before = 0.0
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= resumed_at]
        if kept:
            self.seconds_before = json.loads(kept[-1])["seconds"]
        path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self.mark = (time.monotonic(), self.tokens(resumed_at))

    def tokens(self, step: int) -> int:
        return self.rows.tokens_until(min(step * self.rows_per_step, len(self.rows) - 1))

    def seconds(self) -> float:
        return round(self.seconds_before + time.monotonic() - STARTED, 1)

    def on_log(self, args: TrainingArguments, state: Any, control: Any, logs: dict | None = None, **_: Any) -> None:
        if not state.is_world_process_zero or logs is None or "loss" not in logs:
            return
        now, tokens = time.monotonic(), self.tokens(state.global_step)
        row = min(state.global_step * self.rows_per_step, len(self.rows) - 1)
        line = {
            "step": state.global_step,
            "epoch": self.rows.epoch_of(row)[0],
            "loss": round(logs["loss"], 5),
            "grad_norm": round(logs.get("grad_norm", 0.0), 4),
            "learning_rate": logs["learning_rate"],
            "tokens": tokens,
            "tokens_per_second": round((tokens - self.mark[1]) / (now - self.mark[0])),
            "seconds": self.seconds(),
        }
        self.mark = (now, tokens)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(" ".join(f"{name} {value:g}" for name, value in line.items()), flush=True)

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            control.should_save = control.should_training_stop = True


def last_checkpoint(output: Path) -> Path | None:
    """The newest checkpoint that is whole: trainer_state.json is the last file written."""
    whole = [path.parent for path in output.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def data_digest(config: Config, files: list[Path], tokenizer: PreTrainedTokenizerBase) -> str:
    """Hash of all that decides which tokens a row holds."""
    digest = hashlib.sha256()
    parts = [dataclasses.asdict(config.data), config.seed, config.train.rows_per_step, tokenizer.chat_template]
    digest.update(json.dumps(parts).encode())
    digest.update(tokenizer.backend_tokenizer.to_str().encode())
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def load_corpus(config: Config, files: list[Path], tokenizer: PreTrainedTokenizerBase, cache: Path) -> Corpus:
    """Tokenises, or reads what an earlier piece of the run has tokenised."""
    if cache.exists():
        return Corpus.load(cache)
    corpus = encode_records(read_records(files), tokenizer, config.data, config.seed)
    for old in cache.parent.glob("tokens-*.npz"):
        old.unlink()
    corpus.save(cache)
    return corpus


def training_arguments(config: Config, output: Path, steps: int, device_rows: int, accumulate: int) -> TrainingArguments:
    train = config.train
    return TrainingArguments(
        output_dir=str(output),
        max_steps=steps,
        per_device_train_batch_size=device_rows,
        gradient_accumulation_steps=accumulate,
        train_sampling_strategy="sequential",
        bf16=train.precision == "bfloat16",
        torch_compile=train.compile,
        activation_checkpointing=train.gradient_checkpointing or None,
        max_grad_norm=train.max_grad_norm,
        logging_steps=train.log_every,
        save_steps=train.save_every,
        save_total_limit=train.keep_checkpoints,
        seed=config.seed,
        fsdp=train.fsdp is not None or None,
        fsdp_config=train.fsdp,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        logging_nan_inf_filter=False,
    )


def write_run(path: Path, facts: dict[str, Any]) -> None:
    """Adds this piece of the run to run.json."""
    pieces = json.loads(path.read_text(encoding="utf-8"))["pieces"] if path.exists() else []
    pieces.append(facts.pop("piece"))
    part = path.with_suffix(".part")
    part.write_text(json.dumps({**facts, "pieces": pieces}, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def run(options: argparse.Namespace) -> None:
    config = read_config(options.config, options.set)
    train = config.train
    if train.threads is not None:
        torch.set_num_threads(train.threads)
    output: Path = options.output
    output.mkdir(parents=True, exist_ok=True)
    source = options.tokenizer or config.model.from_pretrained
    if source is None:
        raise ValueError("a model from scratch needs --tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(source)

    digest = data_digest(config, options.data, tokenizer)
    checkpoint = last_checkpoint(output)
    run_file = output / "run.json"
    if checkpoint is not None and run_file.exists():
        before = json.loads(run_file.read_text(encoding="utf-8"))
        if before["data_digest"] != digest:
            raise ValueError(f"{output} holds a run on other data, tokenizer, seed or batch: choose another --output")
    corpus = load_corpus(config, options.data, tokenizer, output / f"tokens-{digest[:16]}.npz")
    print(" ".join(f"{name} {count}" for name, count in corpus.counts.items()), flush=True)

    rows = Rows(corpus, config.data, config.seed, tokenizer.pad_token_id)
    if train.epochs is not None:
        rows.set_epochs(train.epochs)
        steps = -(-len(rows) // train.rows_per_step)
    else:
        steps = train.steps or 0
        rows.set_rows(steps * train.rows_per_step)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    device_rows = train.rows_per_device or train.rows_per_step // world
    accumulate = train.rows_per_step // (device_rows * world)
    if accumulate * device_rows * world != train.rows_per_step:
        raise ValueError(
            f"rows_per_step {train.rows_per_step} is no multiple of {device_rows} rows on each of {world} devices"
        )

    model = make_model(config.model, tokenizer, config.seed)
    parameters = model.num_parameters()
    resumed_at = 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
    journal = Journal(output / "metrics.jsonl", rows, train.rows_per_step, options.minutes, resumed_at)
    trainer = RowTrainer(
        config,
        model=model,
        args=training_arguments(config, output, steps, device_rows, accumulate),
        train_dataset=rows,
        data_collator=partial(collate, pad=tokenizer.pad_token_id),
        callbacks=[journal],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))

    step = trainer.state.global_step
    trainer.model.config.use_cache = True  # Trainer turned it off
    trainer.save_model(str(output / "model"))
    if trainer.is_world_process_zero():
        save_tokenizer(tokenizer, output / "model")
        write_run(
            run_file,
            {
                "finished": step >= steps,
                "step": step,
                "steps": steps,
                "tokens": journal.tokens(step),
                "seconds": journal.seconds(),
                "parameters": parameters,
                "records": corpus.counts,
                "data_digest": digest,
                "config": dataclasses.asdict(config),
                "versions": {
                    "python": platform.python_version(),
                    "torch": torch.__version__,
                    "transformers": transformers.__version__,
                    "tokenizers": tokenizers.__version__,
                    "numpy": np.__version__,
                },
                "piece": {"command": sys.orig_argv, "from_step": resumed_at, "to_step": step},
            },
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="z1_training.train", description=__doc__)
    parser.add_argument("config", type=Path, help="YAML file, see configs/")
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="records, JSONL or Parquet")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run; resumes the run it holds")
    parser.add_argument("--tokenizer", type=Path, help="folder of the tokenizer, for a model from scratch")
    parser.add_argument("--minutes", type=float, help="stop with a checkpoint after this time")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="change the config: optimizer.lr=0.01")
    options = parser.parse_args()
    try:
        run(options)
    except ValueError as error:
        if os.environ.get("Z1_DEBUG"):
            raise
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
