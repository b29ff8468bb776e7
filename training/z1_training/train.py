"""Trains a Qwen2 model on trajectory records: from scratch or fine-tuned, in segments that resume exactly."""

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
import torch.distributed as dist
import transformers
import yaml
from transformers import (
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Qwen2Config,
    Qwen2ForCausalLM,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from . import attention
from .config import Config, LoraSettings, ModelSettings, TrainSettings, read_config
from .corpus import Corpus, encode_records, token_id
from .dataset import Rows, collate
from .optimizer import make_optimizer, schedule_factor
from .records import read_records
from .tokenizer import save_tokenizer

STARTED = time.monotonic()

attention.register()


def make_model(settings: ModelSettings, tokenizer: PreTrainedTokenizerBase, seed: int) -> torch.nn.Module:
    if settings.from_pretrained is not None:
        dtype = torch.bfloat16 if settings.dtype == "bfloat16" else torch.float32
        model = Qwen2ForCausalLM.from_pretrained(
            settings.from_pretrained, dtype=dtype, attn_implementation=settings.attention
        )
        return model if settings.lora is None else with_adapter(model, settings.lora, seed)
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


def with_adapter(model: Qwen2ForCausalLM, settings: LoraSettings, seed: int) -> torch.nn.Module:
    """The model with an adapter that changes nothing yet, in float32 whatever the model is in."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ValueError("model.lora needs the package peft: pip install 'training[lora]'") from error
    linear = {name.rpartition(".")[2] for name, part in model.named_modules() if isinstance(part, torch.nn.Linear)}
    unknown = sorted(set(settings.targets) - linear)
    if unknown:
        raise ValueError(f"expected linear layers of {', '.join(sorted(linear))} for targets but received {unknown[0]}")
    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.targets,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


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


class MetricsCallback(TrainerCallback):
    """Writes metrics.jsonl, and stops the run with a checkpoint when its minutes are over."""

    def __init__(
        self, path: Path, rows: Rows, rows_per_step: int, minutes: float | None, resumed_at: int, is_main: bool
    ) -> None:
        self.path = path
        self.rows = rows
        self.rows_per_step = rows_per_step
        self.deadline = None if minutes is None else STARTED + 60 * minutes
        self.seconds_before = 0.0
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= resumed_at]
        if kept:
            self.seconds_before = json.loads(kept[-1])["seconds"]
        if is_main:
            write_whole(path, "".join(f"{line}\n" for line in kept))
        self.mark = (time.monotonic(), self.tokens(resumed_at))

    def rows_until(self, step: int) -> int:
        return min(step * self.rows_per_step, len(self.rows))

    def tokens(self, step: int) -> int:
        return self.rows.tokens_until(self.rows_until(step))

    def seconds(self) -> float:
        return round(self.seconds_before + time.monotonic() - STARTED, 1)

    def on_log(self, args: TrainingArguments, state: Any, control: Any, logs: dict | None = None, **_: Any) -> None:
        if not state.is_world_process_zero or logs is None or "loss" not in logs:
            return
        now, tokens = time.monotonic(), self.tokens(state.global_step)
        line = {
            "step": state.global_step,
            "epoch": self.rows.epoch_of(self.rows_until(state.global_step) - 1)[0],
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
        if self.deadline is not None:
            is_over = torch.tensor(time.monotonic() >= self.deadline, device=args.device)
            if dist.is_initialized():
                dist.broadcast(is_over, 0)  # each process has its own clock, and all must stop after the same step
            if is_over:
                control.should_save = control.should_training_stop = True
        # A checkpoint does not hold the losses since the last line, so a line comes before each checkpoint.
        control.should_log |= control.should_save


def last_checkpoint(output: Path) -> Path | None:
    """The newest checkpoint that is whole: trainer_state.json is the last file written, and ends with a brace."""
    states = output.glob("checkpoint-*/trainer_state.json")
    whole = [path.parent for path in states if path.read_bytes().rstrip().endswith(b"}")]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def data_digest(config: Config, files: list[Path], tokenizer: PreTrainedTokenizerBase) -> str:
    """Hash of all that decides which tokens a row holds."""
    digest = hashlib.sha256()
    # Settings that are not set do not count: a new one leaves the runs that there are as they are.
    data = dataclasses.asdict(config.data, dict_factory=lambda items: {k: v for k, v in items if v is not None})
    parts = [data, config.seed, config.train.rows_per_step, tokenizer.chat_template]
    digest.update(json.dumps(parts).encode())
    digest.update(tokenizer.backend_tokenizer.to_str().encode())
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def load_corpus(config: Config, files: list[Path], tokenizer: PreTrainedTokenizerBase, cache: Path) -> Corpus:
    """Tokenizes, or reads what an earlier segment of the run has tokenized."""
    if cache.exists():
        return Corpus.load(cache)
    corpus = encode_records(read_records(files), tokenizer, config.data, config.seed)
    for old in cache.parent.glob("tokens-*.npz"):
        old.unlink()
    corpus.save(cache)
    return corpus


def training_arguments(config: Config, output: Path, device_rows: int, accumulate: int) -> TrainingArguments:
    """All but max_steps. In a distributed run, joins the processes."""
    train = config.train
    fsdp = None if train.fsdp is None else {**train.fsdp, "activation_checkpointing": train.gradient_checkpointing}
    if fsdp is not None:
        os.environ["ACCELERATE_USE_FSDP"] = "true"  # early, so that only one process reads a pretrained model
    return TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=device_rows,
        gradient_accumulation_steps=accumulate,
        train_sampling_strategy="sequential",
        bf16=train.precision == "bfloat16",
        torch_compile=train.compile,
        activation_checkpointing=train.gradient_checkpointing and fsdp is None,
        max_grad_norm=train.max_grad_norm,
        logging_steps=train.log_every,
        save_steps=train.save_every,
        save_total_limit=train.keep_checkpoints,
        seed=config.seed,
        fsdp=fsdp is not None or None,
        fsdp_config=fsdp,
        use_cpu=not torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        use_cache=False,  # with a cache, transformers lets the samples of a row see each other
        report_to="none",
        disable_tqdm=True,
        logging_nan_inf_filter=False,
    )


def write_whole(path: Path, text: str) -> None:
    """Killed at any moment, it leaves the old text or the new one."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def rows_of_device(train: TrainSettings, devices: int) -> tuple[int, int]:
    """Rows of one forward pass on each device, and how many passes make a step."""
    rows = train.rows_per_device or train.rows_per_step // devices
    passes = train.rows_per_step // max(1, rows * devices)
    if passes * rows * devices != train.rows_per_step:
        raise ValueError(
            f"rows_per_step {train.rows_per_step} is not a multiple of {max(1, rows)} rows on each of {devices} devices"
        )
    return rows, passes


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
    resumed_at = 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
    run_file = output / "run.json"
    earlier = json.loads(run_file.read_text(encoding="utf-8")) if run_file.exists() else {}
    if checkpoint is not None and earlier.get("data_digest", digest) != digest:
        raise ValueError(f"{output} holds a run on other data, tokenizer, seed or batch: choose another --output")

    device_rows, passes = rows_of_device(train, int(os.environ.get("WORLD_SIZE", "1")))
    arguments = training_arguments(config, output, device_rows, passes)
    with arguments.main_process_first():
        corpus = load_corpus(config, options.data, tokenizer, output / f"tokens-{digest[:16]}.npz")
    before = None if config.data.cut.before is None else token_id(tokenizer, config.data.cut.before)
    rows = Rows(corpus, config.data, config.seed, tokenizer.pad_token_id, before)
    if train.epochs is not None:
        rows.set_epochs(train.epochs)
        steps = -(-len(rows) // train.rows_per_step)
    else:
        steps = train.steps or 0
        rows.set_rows(steps * train.rows_per_step)
    arguments.max_steps = steps

    is_main = arguments.process_index == 0
    model = make_model(config.model, tokenizer, config.seed)
    if config.model.lora is not None and train.gradient_checkpointing:
        model.enable_input_require_grads()  # else nothing before the first adapter is computed a second time
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    metrics = MetricsCallback(output / "metrics.jsonl", rows, train.rows_per_step, options.minutes, resumed_at, is_main)

    def write_run(step: int | None) -> None:
        """`step` is None at the beginning, and stays so in run.json when this segment is killed."""
        facts = {
            "finished": step is not None and step >= steps,
            "step": resumed_at if step is None else step,
            "steps": steps,
            "tokens": metrics.tokens(resumed_at if step is None else step),
            "seconds": metrics.seconds(),
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
            "segments": [
                *earlier.get("segments", []),
                {"command": sys.orig_argv, "from_step": resumed_at, "to_step": step},
            ],
        }
        write_whole(run_file, json.dumps(facts, indent=2) + "\n")

    if is_main:
        print(" ".join(f"{name} {count}" for name, count in corpus.counts.items()), flush=True)
        write_run(None)
    trainer = RowTrainer(
        config,
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=partial(collate, pad=tokenizer.pad_token_id),
        callbacks=[metrics],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))

    trainer.model.config.use_cache = True  # for those who load it
    trainer.save_model(str(output / "model"))
    if is_main:
        save_tokenizer(tokenizer, output / "model")
        write_run(trainer.state.global_step)


def main() -> None:
    parser = argparse.ArgumentParser(prog="z1_training.train", description=__doc__)
    parser.add_argument("config", type=Path, help="YAML file, see configs/")
    parser.add_argument("--data", nargs="+", type=Path, required=True, help="records, JSONL or Parquet")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run; resumes the run it holds")
    parser.add_argument("--tokenizer", type=Path, help="folder of the tokenizer, for a model from scratch")
    parser.add_argument("--minutes", type=float, help="stop with a checkpoint after this time")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="change the config: optimizer.lr=1e-3; may be given several times",
    )
    options = parser.parse_args()
    try:
        run(options)
    except (ValueError, OSError, yaml.YAMLError) as error:
        if os.environ.get("Z1_DEBUG"):
            raise
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
