"""The recipe of the embedded model from nothing to a GGUF file that answers, with few records, steps and layers."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ABSENT

TRAINING = Path(__file__).parent.parent
RECIPE = TRAINING / "recipes" / "z1-mini.sh"
SMALL = ["--set", "train.steps=3", "train.compile=false", "train.threads=1", "model.from_scratch.num_hidden_layers=1"]


def missing() -> str | None:
    if ABSENT:
        return f"not installed: {', '.join(ABSENT)}"
    if shutil.which("node") is None:
        return "node is not installed"
    if not (TRAINING.parent / "dist" / "cli" / "main.js").exists():
        return "z1 is not built: npm run compile"
    return None


needs_all = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def cook(folder: Path, *arguments: str, style: str = "z1", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "STYLE": style,
        "RECORDS": "60 60 60",
        "ITEMS": "2",
        "PYTHON": sys.executable,
        "PYTHONPATH": str(TRAINING),
        "HF_HUB_OFFLINE": "1",
        **more,
    }
    return subprocess.run(
        [RECIPE, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def expect_a_model(output: Path, name: str) -> None:
    run = json.loads((output / "run" / "run.json").read_text())
    assert run["finished"] and run["steps"] == 3 and run["records"]["kept"] == 180
    assert (output / f"{name}.gguf").read_bytes()[:4] == b"GGUF"
    results = [json.loads(line) for line in (output / "eval" / "results.jsonl").read_text().splitlines()]
    assert len(results) == 6 * 2  # windows and items


@needs_all
def test_stopped_after_a_step_and_called_again(tmp_path: Path) -> None:
    """The output is a folder in a folder that is not there, relative to where the caller stands."""
    output = tmp_path / "out" / "mini"
    stopped = cook(tmp_path, "out/mini", *SMALL, "--minutes", "0")
    assert stopped.returncode == 75, stopped.stderr
    assert "call again" in stopped.stderr and not list(output.glob("*.gguf"))

    done = cook(tmp_path, "out/mini", *SMALL)
    assert done.returncode == 0, done.stderr
    assert re.search(re.escape(f"{output / 'z1-mini.gguf'}: ") + r"6\d\d K parameters", done.stdout)
    expect_a_model(output, "z1-mini")

    files = {
        path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file() and path.parent.name != "eval"
    }
    again = cook(tmp_path, "out/mini", *SMALL)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in files} == files


@needs_all
def test_the_model_it_is_compared_with(tmp_path: Path) -> None:
    done = cook(tmp_path, "out", *SMALL, style="delimited")
    assert done.returncode == 0, done.stderr
    expect_a_model(tmp_path / "out", "z1-mini-delimited")
    assert "<think>" in (tmp_path / "out" / "run" / "model" / "chat_template.jinja").read_text()


@needs_all
@pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="gguf is not installed")
def test_a_model_goes_on(tmp_path: Path) -> None:
    """From the embedded one, by a path that is relative to where the caller stands, with its own tokenizer."""
    shutil.copy(TRAINING.parent / "models" / "z1-mini.gguf", tmp_path / "old.gguf")
    few = ["--set", "train.steps=3", "train.compile=false", "train.threads=1", "optimizer.lr=0.0001"]
    done = cook(tmp_path, "out", *few, RECORDS="1 1 60", FROM="old.gguf", SEED="9")
    assert done.returncode == 0, done.stderr
    output = tmp_path / "out"
    run = json.loads((output / "run" / "run.json").read_text())
    assert run["finished"] and run["records"]["read"] == 60
    assert run["config"]["model"]["from_scratch"] is None and run["config"]["optimizer"]["lr"] == 0.0001
    assert not (output / "1.jsonl").exists()
    # Three steps leave it what it was.
    losses = [json.loads(line)["loss"] for line in (output / "run" / "metrics.jsonl").read_text().splitlines()]
    assert losses[0] < 3


@pytest.mark.parametrize(
    ("arguments", "style", "message"),
    [([], "z1", "usage: "), (["out"], "long", "expected z1 or delimited for STYLE but received long")],
)
def test_misuse(tmp_path: Path, arguments: list[str], style: str, message: str) -> None:
    refused = cook(tmp_path, *arguments, style=style)
    assert refused.returncode == 2 and message in refused.stderr
