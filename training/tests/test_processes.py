"""Training in two processes on the CPU (gloo): plain, and sharded as configs/z1-7b.yaml says."""

from __future__ import annotations

import copy
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from accelerate import state
from accelerate.utils import DistributedType
from conftest import Workplace
from safetensors.torch import load_file
from test_train import kill_at
from transformers import Qwen2Config, Qwen2ForCausalLM

from z1_training import train
from z1_training.tokenizer import save_tokenizer
from z1_training.train import MetricsCallback

CONFIG_7B = Path(__file__).parent.parent / "configs" / "z1-7b.yaml"


def shard(then: Callable[[], None] | None) -> None:
    """accelerate shards on accelerators only (AcceleratorState.__init__); torch's fully_shard works on any device.

    Takes the CPU for one that accelerate shards on; all the rest is what runs on GPUs.
    """
    init = state.AcceleratorState.__init__

    def init_sharded(self: state.AcceleratorState, *args: Any, fsdp_plugin: Any = None, **more: Any) -> None:
        is_first = not state.AcceleratorState._shared_state
        init(self, *args, fsdp_plugin=fsdp_plugin, **more)
        if is_first and fsdp_plugin is not None:
            self.distributed_type = DistributedType.FSDP
            state.PartialState._shared_state["distributed_type"] = DistributedType.FSDP
            if self._mixed_precision != "no":
                fsdp_plugin.set_mixed_precision(self._mixed_precision)
            self.fsdp_plugin = fsdp_plugin

    def on_train_begin(self: MetricsCallback, *_: Any, model: torch.nn.Module, **more: Any) -> None:
        print("shards of", sum(p.to_local().numel() for p in model.parameters()), "parameters")

    state.AcceleratorState.__init__ = init_sharded
    MetricsCallback.on_train_begin = on_train_begin
    if then is not None:
        then()


def shard_on_cpu(then: Callable[[], None] | None = None) -> Callable[[], None]:
    return partial(shard, then)


@pytest.fixture(scope="module")
def config_7b(workplace: Workplace, tokenizer: Any) -> dict[str, Any]:
    """The settings of the 7B model with a small random one, few rows, and single precision to compare in."""
    folder = workplace.folder / "pretrained"
    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=len(tokenizer) + 3,  # padded, as Qwen2.5's
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=False,
        initializer_range=0.2,
        dtype="bfloat16",
    )
    Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    settings = yaml.safe_load(CONFIG_7B.read_text())
    settings["model"]["from_pretrained"] = str(folder)
    settings["optimizer"]["lr"] = 0.01
    settings["schedule"]["warmup"] = 2
    settings["train"] |= {
        "rows_per_step": 8,
        "rows_per_device": 2,
        "precision": "float32",
        "log_every": 1,
        "save_every": 4,
    }
    return settings


@pytest.fixture(scope="module")
def alone(workplace: Workplace, config_7b: dict[str, Any]) -> str:
    """The run of one process, without sharding."""
    config = copy.deepcopy(config_7b)
    del config["train"]["fsdp"]
    assert workplace.train("alone", config=config) == [0], workplace.log("alone")
    assert len(workplace.metrics("alone")) == 10
    return "alone"


def losses(workplace: Workplace, output: str) -> list[float]:
    return [line["loss"] for line in workplace.metrics(output)]


def expect_same_model(workplace: Workplace, one: str, other: str, atol: float) -> None:
    files = [workplace.folder / name / "model" / "model.safetensors" for name in (one, other)]
    torch.testing.assert_close(load_file(files[0]), load_file(files[1]), atol=atol, rtol=0)


def other_clock() -> None:
    if os.environ["RANK"] == "1":
        train.STARTED += 3600


def test_two_processes(workplace: Workplace, config_7b: dict[str, Any], alone: str) -> None:
    config = copy.deepcopy(config_7b)
    del config["train"]["fsdp"]

    stopped = workplace.train("two", "--minutes", "0", config=config, processes=2, prepare=other_clock)
    assert stopped == [0, 0] and workplace.run("two")["step"] == 1
    assert workplace.train("two", config=config, processes=2) == [0, 0], workplace.log("two")
    assert losses(workplace, "two") == pytest.approx(losses(workplace, alone), abs=1e-3)
    expect_same_model(workplace, "two", alone, 1e-3)


def test_sharded(workplace: Workplace, config_7b: dict[str, Any], alone: str) -> None:
    """Killed between checkpoints and resumed, it ends where one process ends."""
    dead = workplace.train("sharded", config=config_7b, processes=2, prepare=shard_on_cpu(kill_at(6)))
    assert dead[0] == -signal.SIGKILL and dead[1] != 0, workplace.log("sharded")
    assert (workplace.folder / "sharded" / "checkpoint-4" / "pytorch_model_fsdp.bin").exists()
    done = workplace.train("sharded", config=config_7b, processes=2, prepare=shard_on_cpu())
    assert done == [0, 0], workplace.log("sharded") + workplace.log("sharded", 1)
    assert [line["step"] for line in workplace.metrics("sharded")] == list(range(1, 11))
    assert losses(workplace, "sharded") == pytest.approx(losses(workplace, alone), abs=1e-3)
    expect_same_model(workplace, "sharded", alone, 1e-3)
    weights = load_file(workplace.folder / "sharded" / "model" / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    run = workplace.run("sharded")
    shards = [int(workplace.log("sharded", rank).partition("shards of ")[2].split()[0]) for rank in range(2)]
    assert sum(shards) == run["parameters"] and max(shards) < 0.6 * run["parameters"]
    assert [(segment["from_step"], segment["to_step"]) for segment in run["segments"]] == [(0, None), (4, 10)]


def test_sharded_in_bfloat16(workplace: Workplace, config_7b: dict[str, Any], alone: str) -> None:
    """As the 7B model is trained: computes in bfloat16, keeps float32."""
    config = copy.deepcopy(config_7b)
    config["train"] |= {"precision": "bfloat16"}
    assert workplace.train("bfloat16", config=config, processes=2, prepare=shard_on_cpu()) == [0, 0]
    assert losses(workplace, "bfloat16") == pytest.approx(losses(workplace, alone), rel=0.03)
    weights = load_file(workplace.folder / "bfloat16" / "model" / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
