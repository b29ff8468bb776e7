"""Muon for matrices and AdamW for the rest as one optimizer, and the learning-rate schedules."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.adamw import adamw

from .config import OptimizerSettings, ScheduleSettings

# Coefficients, step and learning-rate rule of torch.optim.Muon (torch/optim/_muon.py), which takes the matrices one
# by one; small ones of the same shape are orthogonalized here in one batch, several times as fast.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


class MuonAdamW(Optimizer):
    """Parameter groups with `muon` true hold matrices, the others hold what AdamW updates."""

    def __init__(self, groups: Iterable[dict], settings: OptimizerSettings) -> None:
        self.settings = settings
        super().__init__(groups, {"lr": settings.lr, "weight_decay": 0.0, "muon": False})

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> None:
        if closure is not None:
            raise ValueError("MuonAdamW takes no closure")
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if params:
                (self._muon if group["muon"] else self._adamw)(params, group)

    def _muon(self, params: list[Tensor], group: dict) -> None:
        momentum = self.settings.momentum
        by_shape: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for p in params:
            state = self.state[p]
            if not state:
                state["momentum_buffer"] = torch.zeros_like(p)
            buffer = state["momentum_buffer"]
            buffer.lerp_(p.grad, 1 - momentum)
            by_shape[p.shape].append((p, p.grad.lerp(buffer, momentum)))
        for (height, width), pairs in by_shape.items():
            updates = orthogonalize(torch.stack([update for _, update in pairs]), self.settings.orthogonal_steps)
            step_size = group["lr"] * math.sqrt(max(1, height / width))
            for (p, _), update in zip(pairs, updates.to(pairs[0][0].dtype), strict=True):
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-step_size)

    def _adamw(self, params: list[Tensor], group: dict) -> None:
        for p in params:
            state = self.state[p]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32)
                state["exp_avg"] = torch.zeros_like(p)
                state["exp_avg_sq"] = torch.zeros_like(p)
        states = [self.state[p] for p in params]
        adamw(
            params,
            [p.grad for p in params],
            [s["exp_avg"] for s in states],
            [s["exp_avg_sq"] for s in states],
            [],
            [s["step"] for s in states],
            foreach=True,
            amsgrad=False,
            beta1=self.settings.betas[0],
            beta2=self.settings.betas[1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=self.settings.eps,
            maximize=False,
        )


def orthogonalize(matrices: Tensor, steps: int) -> Tensor:
    """[n, rows, columns] → bfloat16 of the same shape, singular values near 1 (https://kellerjordan.github.io/posts/muon)."""
    a, b, c = NEWTON_SCHULZ
    x = matrices.bfloat16()
    tall = x.size(1) > x.size(2)
    if tall:
        x = x.mT.contiguous()
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        update = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, update, x, beta=a)
    return x.mT if tall else x


def make_optimizer(model: nn.Module, settings: OptimizerSettings) -> Optimizer:
    """Raises ValueError for an unknown name."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    is_hidden = {name: p.ndim == 2 and "embed" not in name and "lm_head" not in name for name, p in named}
    if settings.name == "adamw":
        groups = [
            {"params": [p for _, p in named if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        return AdamW(groups, lr=settings.lr, betas=settings.betas, eps=settings.eps)
    if settings.name == "muon":
        rest = settings.lr if settings.adamw_lr is None else settings.adamw_lr
        return MuonAdamW(
            [
                {
                    "params": [p for name, p in named if is_hidden[name]],
                    "lr": settings.lr,
                    "weight_decay": settings.weight_decay,
                    "muon": True,
                },
                {"params": [p for name, p in named if not is_hidden[name]], "lr": rest},
            ],
            settings,
        )
    raise ValueError(f"expected adamw or muon for optimizer.name but received {settings.name}")


def schedule_factor(settings: ScheduleSettings, steps: int) -> Callable[[int], float]:
    """The factor on the peak learning rate as a function of the step, for a run of `steps`."""
    if settings.name not in ("cosine", "linear", "wsd"):
        raise ValueError(f"expected cosine, linear or wsd for schedule.name but received {settings.name}")

    def factor(step: int) -> float:
        if step < settings.warmup:
            return (step + 1) / settings.warmup
        progress = min(1.0, (step - settings.warmup) / max(1, steps - settings.warmup))
        if settings.name == "cosine":
            return 0.5 * (1 + math.cos(math.pi * progress))
        if settings.name == "linear":
            return 1 - progress
        return min(1.0, (steps - step) / max(1.0, settings.decay * steps)) if step < steps else 0.0

    return factor
