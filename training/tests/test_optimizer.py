from __future__ import annotations

import copy
import math

import pytest
import torch
from transformers import Qwen2ForCausalLM

from z1_training.config import OptimizerSettings, ScheduleSettings
from z1_training.optimizer import make_optimizer, orthogonalize, schedule_factor


class Layers(torch.nn.Module):
    """Two matrices of one shape, a tall one, a vector, an embedding."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first = torch.nn.Linear(16, 8)
        self.second = torch.nn.Linear(16, 8, bias=False)
        self.tall = torch.nn.Linear(8, 24, bias=False)
        self.embed_tokens = torch.nn.Embedding(10, 16)

    def backward(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for p in self.parameters():
            p.grad = torch.randn(p.shape, generator=generator)


MUON = OptimizerSettings(name="muon", lr=0.02, adamw_lr=0.01, weight_decay=0.1, betas=(0.9, 0.98))


def test_muon_is_torchs() -> None:
    ours, theirs = Layers(), Layers()
    optimizer = make_optimizer(ours, MUON)
    matrices = [theirs.first.weight, theirs.second.weight, theirs.tall.weight]
    muon = torch.optim.Muon(matrices, lr=0.02, weight_decay=0.1, momentum=0.95, nesterov=True)
    rest = [theirs.first.bias, theirs.embed_tokens.weight]
    adamw = torch.optim.AdamW(rest, lr=0.01, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(4):
        for model in (ours, theirs):
            model.backward(step)
        optimizer.step()
        muon.step()
        adamw.step()
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        # Both orthogonalize in bfloat16, where the order of sums shows; a step moves by up to 0.02.
        torch.testing.assert_close(a, b, atol=4e-4 if a.ndim == 2 and "embed" not in name else 1e-6, rtol=0)


def test_orthogonal_updates() -> None:
    torch.manual_seed(0)
    for shape in ((3, 8, 16), (2, 24, 8)):
        values = torch.linalg.svdvals(orthogonalize(torch.randn(shape), 5).float())
        assert values.min() > 0.6 and values.max() < 1.3


def test_groups_of_a_model(model: Qwen2ForCausalLM) -> None:
    named = dict(model.named_parameters())
    names = {id(p): name for name, p in named.items()}
    hidden, rest = make_optimizer(model, MUON).param_groups
    assert {names[id(p)].split(".")[-2] for p in hidden["params"]} == {
        *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
    }
    assert len(hidden["params"]) + len(rest["params"]) == len(named)
    assert (hidden["lr"], hidden["weight_decay"], rest["lr"], rest["weight_decay"]) == (0.02, 0.1, 0.01, 0.0)

    decayed, others = make_optimizer(model, OptimizerSettings(weight_decay=0.1)).param_groups
    assert all(p.ndim == 2 for p in decayed["params"]) and all(p.ndim == 1 for p in others["params"])
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.1, 0.0)


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_state_round_trip(name: str) -> None:
    settings = OptimizerSettings(name=name, lr=0.02, weight_decay=0.1)
    model = Layers()
    optimizer = make_optimizer(model, settings)
    for step in range(2):
        model.backward(step)
        optimizer.step()

    resumed = copy.deepcopy(model)
    other = make_optimizer(resumed, settings)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for step in range(2, 4):
        for m, o in ((model, optimizer), (resumed, other)):
            m.backward(step)
            o.step()
    for a, b in zip(model.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            ScheduleSettings("cosine", warmup=4),
            {0: 0.25, 3: 1, 4: 1, 12: 0.5, 8: (1 + math.sqrt(0.5)) / 2, 20: 0, 25: 0},
        ),
        (ScheduleSettings("linear", warmup=4), {1: 0.5, 4: 1, 8: 0.75, 19: 1 / 16, 20: 0}),
        (ScheduleSettings("wsd", warmup=4, decay=0.5), {2: 0.75, 4: 1, 10: 1, 15: 0.5, 19: 0.1, 20: 0}),
        (ScheduleSettings("wsd", warmup=0, decay=0.5), {0: 1}),
    ],
)
def test_schedules_of_20_steps(settings: ScheduleSettings, expected: dict[int, float]) -> None:
    factor = schedule_factor(settings, 20)
    assert {step: factor(step) for step in expected} == pytest.approx(expected)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="adamw or muon"):
        make_optimizer(Layers(), OptimizerSettings(name="sgd"))
    with pytest.raises(ValueError, match="cosine, linear or wsd"):
        schedule_factor(ScheduleSettings(name="step"), 10)
