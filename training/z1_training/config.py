"""The settings of a run: a YAML file, changed by --set, checked field by field.

Needs neither PyTorch nor transformers, so that a config can be read where nothing is trained.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# What a field was called before, and its name now.
RENAMED = {"data.row_tokens": "data.row_length"}


@dataclass
class LoraSettings:
    """An adapter is trained, and the model stays as it is: PEFT's LoraConfig."""

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    targets: list[str] = field(
        default_factory=lambda: ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    )
    """names of the linear layers that it changes"""


@dataclass
class ModelSettings:
    from_pretrained: str | None = None
    """name or folder of a model to fine-tune"""
    lora: LoraSettings | None = None
    """what is trained of it; None: all of it"""
    dtype: str = "float32"
    """of the weights that are read, float32 or bfloat16; an adapter's own are float32"""
    from_scratch: dict[str, Any] | None = None
    """fields of Qwen2Config for a model with random weights"""
    attention: str = "sdpa"
    """a name of transformers' attention implementations, or chunked (attention.py), which is faster on a CPU"""


@dataclass
class Hint:
    text: str
    weight: float = 1.0


@dataclass
class CutSettings:
    """The share of the samples that end early, as the shifted thinking window ends them."""

    fraction: float = 0.0
    """share of the samples with an answer that are cut, 0 to 1"""
    at_zero: float = 0.15
    """share of the cuts that keep no token of the response"""
    late: float = 0.0
    """share of the cuts that come in the last 15% of the response, its end included; the others come anywhere"""
    learn_thinking: bool = True
    """whether the tokens before the cut are learned too"""
    before: str | None = None
    """a token such as </think>: cuts come before the first one of a response, and there is none in others"""
    hints: list[Hint] = field(default_factory=list)
    answer: str = "\\boxed{{{answer}}}"
    """what follows the hint, as a Python format of `answer`"""


@dataclass
class DataSettings:
    row_length: int | None = None
    """tokens of a row, into which samples are packed; None gives each sample a row of its own"""
    max_length: int = 2048
    """samples of more tokens are dropped and counted, never truncated"""
    shuffle_block: int | None = None
    """records are shuffled within blocks of so many, which stay in the order of the files: a curriculum; None: all"""
    system: str | None = None
    """system text of some prompts"""
    system_fraction: float = 0.0
    """share of the prompts that have it, 0 to 1"""
    cut: CutSettings = field(default_factory=CutSettings)


@dataclass
class OptimizerSettings:
    name: str = "adamw"
    """adamw, or muon: Muon for the layers' matrices and AdamW for embeddings, norms and biases"""
    lr: float = 1e-5
    """peak learning rate; of the matrices with muon"""
    adamw_lr: float | None = None
    """with muon, peak learning rate of what AdamW updates"""
    weight_decay: float = 0.0
    """of matrices; never of norms and biases"""
    momentum: float = 0.95
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    orthogonal_steps: int = 5
    """Newton-Schulz steps of muon"""


@dataclass
class ScheduleSettings:
    name: str = "cosine"
    """cosine, linear (to zero), or wsd: constant, then linear to zero over the share `decay` of the steps"""
    warmup: int = 100
    """steps"""
    decay: float = 0.3


@dataclass
class TrainSettings:
    steps: int | None = None
    """optimizer steps of the run; or give epochs"""
    epochs: int | None = None
    rows_per_step: int = 4
    """rows of one optimizer step, over all processes and accumulated batches"""
    rows_per_device: int | None = None
    """rows of one forward pass; None: no accumulation"""
    precision: str = "float32"
    """float32, or bfloat16 (autocast; weights stay float32 unless sharded with FSDP)"""
    compile: bool = False
    gradient_checkpointing: bool = False
    max_grad_norm: float = 1.0
    """0: no clipping"""
    log_every: int = 50
    """steps"""
    save_every: int = 1000
    """steps"""
    keep_checkpoints: int = 2
    threads: int | None = None
    """of PyTorch on the CPU; None: its own choice"""
    fsdp: dict[str, Any] | None = None
    """fsdp_config of transformers' TrainingArguments: full sharding over the processes of the launcher"""


@dataclass
class Config:
    model: ModelSettings
    seed: int = 42
    data: DataSettings = field(default_factory=DataSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    train: TrainSettings = field(default_factory=TrainSettings)


def read_config(path: Path, changes: list[str]) -> Config:
    """Reads the file and applies changes such as `optimizer.lr=0.01`.

    Raises ValueError for unknown or ill-typed fields.
    """
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise ValueError(f"expected key=value for --set but received {change}")
        *parents, last = name.split(".")
        place = values
        for parent in parents:
            if place.get(parent) is None:
                place[parent] = {}
            place = place[parent]
        place[last] = yaml.safe_load(text)
    config = _build(Config, values, "")
    if (config.model.from_pretrained is None) == (config.model.from_scratch is None):
        raise ValueError("expected either model.from_pretrained or model.from_scratch")
    if config.model.lora is not None and config.model.from_pretrained is None:
        raise ValueError("model.lora needs model.from_pretrained: an adapter belongs to a model")
    if config.model.dtype not in ("float32", "bfloat16"):
        raise ValueError(f"expected float32 or bfloat16 for model.dtype but received {config.model.dtype}")
    if config.model.dtype == "bfloat16" and config.model.lora is None:
        raise ValueError("model.dtype bfloat16 needs model.lora: weights that are trained stay float32")
    if config.model.lora is not None and config.train.fsdp is not None:
        raise ValueError("expected either model.lora or train.fsdp: an adapter is trained in each process as a whole")
    if (config.train.steps is None) == (config.train.epochs is None):
        raise ValueError("expected either train.steps or train.epochs")
    if config.train.precision not in ("float32", "bfloat16"):
        raise ValueError(f"expected float32 or bfloat16 for train.precision but received {config.train.precision}")
    if config.train.fsdp is not None and config.optimizer.name == "muon":
        raise ValueError("muon needs whole matrices, which train.fsdp shards: expected adamw for optimizer.name")
    return config


def _build(kind: Any, value: Any, name: str) -> Any:
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"expected a mapping for {name or 'the file'} but received {value!r}")
        hints = typing.get_type_hints(kind)
        unknown = sorted(".".join(filter(None, [name, k])) for k in set(value) - set(hints))
        if unknown and unknown[0] in RENAMED:
            raise ValueError(f"{unknown[0]} is now called {RENAMED[unknown[0]]}")
        if unknown:
            raise ValueError(f"unknown field {unknown[0]}")
        required = {f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING}
        missing = sorted(required - set(value))
        if missing:
            raise ValueError(f"expected the field {'.'.join(filter(None, [name, missing[0]]))}")
        return kind(**{k: _build(hints[k], v, ".".join(filter(None, [name, k]))) for k, v in value.items()})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        if value is None:
            return None
        return _build(next(a for a in arguments if a is not type(None)), value, name)
    if origin is list and isinstance(value, list):
        return [_build(arguments[0], v, f"{name}[{i}]") for i, v in enumerate(value)]
    if origin is tuple and isinstance(value, list) and len(value) == len(arguments):
        return tuple(_build(a, v, name) for a, v in zip(arguments, value, strict=True))
    if origin is dict and isinstance(value, dict):
        return value
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML 1.1 reads 1e-5 as a string
        except ValueError:
            pass
    elif isinstance(kind, type) and type(value) is kind:
        return value
    raise ValueError(f"expected {getattr(kind, '__name__', kind)} for {name} but received {value!r}")
