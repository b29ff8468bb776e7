"""Whole runs of the training command, also interrupted and killed ones."""

from __future__ import annotations

import copy
import json
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import MODEL, Workplace
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from z1_training import train
from z1_training.config import ModelSettings, read_config
from z1_training.corpus import Corpus
from z1_training.dataset import Rows
from z1_training.train import MetricsCallback, last_checkpoint, make_model


def kill_itself(step: int) -> None:
    """Makes a run kill itself after a step."""
    go_on = MetricsCallback.on_step_end

    def on_step_end(self: MetricsCallback, args: Any, state: Any, control: Any, **more: Any) -> None:
        go_on(self, args, state, control, **more)
        if state.global_step == step:
            os.kill(os.getpid(), signal.SIGKILL)

    MetricsCallback.on_step_end = on_step_end


def kill_at(step: int) -> Callable[[], None]:
    return partial(kill_itself, step)


@pytest.fixture(scope="module")
def whole(workplace: Workplace) -> str:
    """A run that was not interrupted, with a line for each step."""
    config = copy.deepcopy(workplace.config)
    config["train"]["log_every"] = 1
    assert workplace.train("whole", *tokenizer_of(workplace), config=config) == [0], workplace.log("whole")
    return "whole"


def tokenizer_of(workplace: Workplace) -> tuple[str, str]:
    return "--tokenizer", str(workplace.folder / "tokenizer")


def expect_equal_runs(workplace: Workplace, one: str, other: str) -> None:
    """To the bit: weights, optimizer, schedule."""
    folders = [workplace.folder / name for name in (one, other)]
    weights = [load_file(folder / "model" / "model.safetensors") for folder in folders]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    for file in ("optimizer.pt", "scheduler.pt"):
        a, b = (torch.load(folder / "checkpoint-10" / file, weights_only=False) for folder in folders)
        torch.testing.assert_close(a, b, atol=0, rtol=0)


def expect_means(workplace: Workplace, output: str, whole: str) -> list[int]:
    """Each line has the mean loss of the steps since the line before. Returns the steps with lines."""
    losses = {line["step"]: line for line in workplace.metrics(whole)}
    before = 0
    steps = []
    for line in workplace.metrics(output):
        step = line["step"]
        since = [losses[s]["loss"] for s in range(before + 1, step + 1)]
        assert line["loss"] == pytest.approx(sum(since) / len(since), abs=2e-5)
        assert (line["tokens"], line["epoch"]) == (losses[step]["tokens"], losses[step]["epoch"])
        assert line["learning_rate"] == losses[step]["learning_rate"]
        before = step
        steps.append(step)
    return steps


def test_whole_run(workplace: Workplace, whole: str) -> None:
    lines = workplace.metrics(whole)
    assert [line["step"] for line in lines] == list(range(1, 11))
    assert lines[-1]["epoch"] >= 1 and lines[-1]["loss"] < lines[0]["loss"]
    assert [line["learning_rate"] for line in lines] == pytest.approx(
        [0.01, 0.02, *[0.02] * 4, 0.016, 0.012, 0.008, 0.004]
    )
    run = workplace.run(whole)
    assert run["finished"] and run["step"] == run["steps"] == 10
    assert run["records"] == {"read": 40, "kept": 40, "too_long": 0, "control_token": 0}
    assert run["tokens"] == lines[-1]["tokens"]
    assert run["config"]["optimizer"]["name"] == "muon" and run["versions"]["torch"] == torch.__version__
    assert len(run["segments"]) == 1 and run["segments"][0]["to_step"] == 10

    folder = workplace.folder / whole / "model"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}
    assert model.num_parameters() == run["parameters"] and model.config.use_cache
    assert (model.config.eos_token_id, model.config.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)
    assert model.config.tie_word_embeddings
    assert tokenizer.apply_chat_template([{"role": "user", "content": "a"}], tokenize=False).startswith("<|im_start|>")


def test_tokens_and_losses(workplace: Workplace, whole: str) -> None:
    """The loss of step 9 by a plain loop over the samples of its rows, each alone."""
    folder = workplace.folder / whole
    config = read_config(workplace.folder / f"{whole}.yaml", [])
    tokenizer = AutoTokenizer.from_pretrained(workplace.folder / "tokenizer")
    (stored,) = folder.glob("tokens-*.npz")
    rows = Rows(Corpus.load(stored), config.data, config.seed, tokenizer.pad_token_id)
    used = [rows[i]["input_ids"] != tokenizer.pad_token_id for i in range(20)]
    assert workplace.run(whole)["tokens"] == sum(row.sum() for row in used)

    model = AutoModelForCausalLM.from_pretrained(folder / "checkpoint-8")
    total, count = 0.0, 0
    for row in (16, 17):
        epoch, place = rows.epoch_of(row)
        plan = rows.plan(epoch)
        for i in plan.order[plan.row_at[place] : plan.row_at[place + 1]]:
            tokens, is_learned = rows.sample(i, plan.keep[i], plan.hint[i])
            with torch.no_grad():
                logits = model(input_ids=torch.tensor(tokens)[None]).logits[0]
            for at in is_learned.nonzero()[0]:
                total -= logits[at - 1].log_softmax(-1)[tokens[at]].item()
                count += 1
    assert workplace.metrics(whole)[8]["loss"] == pytest.approx(total / count, abs=2e-5)


def test_interrupted_run(workplace: Workplace, whole: str) -> None:
    """Stopped after each of the first two steps, then by a kill between checkpoints, then with half a checkpoint."""
    more = tokenizer_of(workplace)
    assert workplace.train("segments", *more, "--minutes", "0") == [0], workplace.log("segments")
    assert workplace.train("segments", *more, "--minutes", "0") == [0], workplace.log("segments")
    assert workplace.run("segments")["step"] == 2 and not workplace.run("segments")["finished"]
    assert workplace.train("segments", *more, prepare=kill_at(7)) == [-signal.SIGKILL], workplace.log("segments")
    assert [line["step"] for line in workplace.metrics("segments")] == [1, 2, 3, 4, 6]
    torn = workplace.folder / "segments" / "checkpoint-6"
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"torn")
    with (workplace.folder / "segments" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 7, "los')

    assert workplace.train("segments", *more) == [0], workplace.log("segments")
    expect_equal_runs(workplace, whole, "segments")
    assert expect_means(workplace, "segments", whole) == [1, 2, 3, 4, 6, 8, 9, 10]
    run = workplace.run("segments")
    assert run["finished"] and run["tokens"] == workplace.run(whole)["tokens"]
    assert [(segment["from_step"], segment["to_step"]) for segment in run["segments"]] == [
        (0, 1),
        (1, 2),
        (2, None),
        (4, 10),
    ]


def test_killed_run_without_a_checkpoint(workplace: Workplace, whole: str) -> None:
    more = tokenizer_of(workplace)
    assert workplace.train("killed", *more, prepare=kill_at(3)) == [-signal.SIGKILL]
    assert workplace.train("killed", *more) == [0], workplace.log("killed")
    expect_equal_runs(workplace, whole, "killed")
    assert expect_means(workplace, "killed", whole) == [3, 4, 6, 8, 9, 10]


def test_other_data_is_refused(workplace: Workplace, whole: str) -> None:
    before = (workplace.folder / whole / "run.json").read_text()
    assert workplace.train(whole, *tokenizer_of(workplace), "--set", "data.cut.fraction=0.4") == [1]
    assert "holds a run on other data" in workplace.log(whole)
    assert (workplace.folder / whole / "run.json").read_text() == before


def test_accumulated_rows(workplace: Workplace, whole: str) -> None:
    """One row at a time gives the losses of both together, though they hold unequal numbers of learned tokens."""
    more = (*tokenizer_of(workplace), "--set", "train.rows_per_device=1", "train.log_every=1", "train.steps=3")
    config = {**workplace.config, "schedule": {"name": "linear", "warmup": 10}}
    assert workplace.train("accumulated", *more, config=config) == [0], workplace.log("accumulated")
    assert workplace.train("together", *more[:-3], "train.log_every=1", "train.steps=3", config=config) == [0]
    ours, expected = (workplace.metrics(name) for name in ("accumulated", "together"))
    assert [line["loss"] for line in ours] == pytest.approx([line["loss"] for line in expected], abs=5e-4)
    assert ours[0]["loss"] == pytest.approx(expected[0]["loss"], abs=2e-5)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--tokenizer", "", "--set", "train.rows_per_device=3"), "not a multiple of 3 rows on each of 1 devices"),
        (("--set", "seed=1"), "needs --tokenizer"),
        (("--tokenizer", "", "--data", "/nowhere.jsonl"), "No such file or directory: '/nowhere.jsonl'"),
        (("--tokenizer", "", "--set", "data.cut.before=</think>"), "one token for </think>"),
        (("--tokenizer", "", "--set", "optimizer.name=sgd"), "adamw or muon"),
    ],
)
def test_misuse(workplace: Workplace, more: tuple[str, ...], message: str) -> None:
    filled = [part or str(workplace.folder / "tokenizer") for part in more]
    assert workplace.train("misuse", *filled) == [1]
    assert workplace.log("misuse").strip().endswith(message) or message in workplace.log("misuse")
    assert "Traceback" not in workplace.log("misuse")


def test_new_model(tokenizer: PreTrainedTokenizerBase) -> None:
    """Its weights depend on the seed alone, and its layers pass on what they receive."""
    settings = ModelSettings(from_scratch={**MODEL, "rope_theta": 5000})
    one, same, other = [], [], []
    for before, seed, found in ((1, 5, one), (2, 5, same), (2, 6, other)):
        torch.manual_seed(before)
        found += make_model(settings, tokenizer, seed).parameters()
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])

    model = make_model(settings, tokenizer, 5)
    ids = torch.arange(20)[None]
    with torch.no_grad():
        states = model(ids, output_hidden_states=True).hidden_states
    assert torch.equal(states[0], states[1])
    assert model.config.rope_parameters["rope_theta"] == 5000 and model.config.vocab_size == len(tokenizer)


def test_last_whole_checkpoint(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    for step, state in ((900, "{}\n"), (1000, "{}\n"), (1100, '{"epoch": {'), (1200, "")):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    (tmp_path / "checkpoint-1300").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-1000"


def test_settings_that_are_not_set_leave_the_hash(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else runs from before a setting existed could not be resumed."""
    path = workplace.folder / "digest.yaml"
    path.write_text(json.dumps(workplace.config))
    tokenizer = AutoTokenizer.from_pretrained(workplace.folder / "tokenizer")
    seen: list[str] = []
    dumps = json.dumps
    monkeypatch.setattr(train.json, "dumps", lambda value: seen.append(dumps(value)) or seen[-1])
    plain = train.data_digest(read_config(path, []), [], tokenizer)
    changed = train.data_digest(read_config(path, ["data.system=a"]), [], tokenizer)
    assert "before" not in seen[0] and '"system": "a"' in seen[1]
    assert plain != changed
