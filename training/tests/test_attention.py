"""Samples in one row do not see each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from conftest import MODEL, PLAIN_HINT
from transformers import PreTrainedTokenizerBase, Qwen2Config, Qwen2ForCausalLM

from z1_training import attention
from z1_training.config import CutSettings, DataSettings, Hint
from z1_training.corpus import Corpus
from z1_training.dataset import Rows, collate

attention.register()


@pytest.fixture
def batch(corpus_of: Callable[[DataSettings], Corpus], tokenizer: PreTrainedTokenizerBase) -> dict[str, torch.Tensor]:
    """Two rows of several samples each."""
    settings = DataSettings(row_length=192, max_length=128, cut=CutSettings(fraction=0.5, hints=[Hint(PLAIN_HINT)]))
    rows = Rows(corpus_of(settings), settings, seed=0, pad=tokenizer.pad_token_id)
    return collate([rows[0], rows[1]], tokenizer.pad_token_id)


def spans(batch: dict[str, torch.Tensor]) -> list[tuple[int, int, int]]:
    """Row, start, end of each sample."""
    found = []
    for row, positions in enumerate(batch["position_ids"].numpy()):
        starts = [*np.flatnonzero(positions == 0).tolist(), len(positions)]
        found += [(row, start, end) for start, end in zip(starts, starts[1:], strict=False)]
    return found


def logits_of(model: Qwen2ForCausalLM, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits


@pytest.mark.parametrize("implementation", ["sdpa", "eager", "chunked"])
def test_logits_are_those_of_each_sample_alone(
    model: Qwen2ForCausalLM, batch: dict[str, torch.Tensor], implementation: str
) -> None:
    model.set_attn_implementation(implementation)
    logits = logits_of(model, batch)
    samples = spans(batch)
    assert len(samples) >= 6
    for row, start, end in samples:
        with torch.no_grad():
            alone = model(input_ids=batch["input_ids"][row : row + 1, start:end]).logits[0]
        torch.testing.assert_close(logits[row, start:end], alone, atol=1e-5, rtol=0)
    model.set_attn_implementation("sdpa")


def test_a_change_stays_in_its_sample(model: Qwen2ForCausalLM, batch: dict[str, torch.Tensor]) -> None:
    before = logits_of(model, batch)
    row, start, end = spans(batch)[1]
    changed = {**batch, "input_ids": batch["input_ids"].clone()}
    changed["input_ids"][row, start] += 1
    is_other = (logits_of(model, changed) == before).all(-1)
    expected = torch.ones_like(is_other)
    expected[row, start:end] = False
    assert torch.equal(is_other, expected)


def test_no_gradient_leaks(model: Qwen2ForCausalLM, batch: dict[str, torch.Tensor]) -> None:
    row, start, end = spans(batch)[1]
    embeddings = model.get_input_embeddings()(batch["input_ids"]).detach().requires_grad_()
    logits = model(inputs_embeds=embeddings, position_ids=batch["position_ids"], use_cache=False).logits
    (gradient,) = torch.autograd.grad(logits[row, start:end].square().sum(), embeddings)
    reached = gradient.abs().sum(-1) > 0
    expected = torch.zeros_like(reached)
    expected[row, start:end] = True
    assert torch.equal(reached, expected)


def test_chunked_attention_has_the_logits_and_gradients_of_sdpa(
    tokenizer: PreTrainedTokenizerBase, batch: dict[str, torch.Tensor]
) -> None:
    size = batch["input_ids"].size(1) - 1
    assert size % attention.CHUNKS
    labels = batch["labels"][:, :size]
    found = []
    for name in ("sdpa", "chunked"):
        torch.manual_seed(1)
        fields = {**MODEL, "num_attention_heads": 4, "vocab_size": len(tokenizer)}
        model = Qwen2ForCausalLM(Qwen2Config(**fields, attn_implementation=name))
        for parameter in model.parameters():
            parameter.data.normal_(std=0.3)
        output = model(
            input_ids=batch["input_ids"][:, :size],
            position_ids=batch["position_ids"][:, :size],
            labels=labels,
            use_cache=False,
        )
        output.loss.backward()
        found.append([output.logits.detach(), *(parameter.grad for parameter in model.parameters())])
    for expected, actual in zip(*found, strict=True):
        torch.testing.assert_close(actual, expected, atol=2e-5, rtol=1e-3)
