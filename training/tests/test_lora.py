"""Runs that train an adapter of a model, and the folders that GGUF files become."""

from __future__ import annotations

import copy
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import PLAIN_HINT, Workplace
from safetensors.torch import load_file
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen2ForCausalLM

from z1_training.config import LoraSettings, ModelSettings
from z1_training.tokenizer import save_tokenizer
from z1_training.train import make_model

Z1 = Path(__file__).parent.parent.parent / "dist" / "cli" / "main.js"
needs_peft = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="peft is not installed")
needs_gguf = pytest.mark.skipif(
    importlib.util.find_spec("gguf") is None or shutil.which("node") is None or not Z1.exists(),
    reason="gguf or node is not installed, or z1 is not built",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase) -> Path:
    folder = tmp_path_factory.mktemp("base")
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder)
    return folder


def config_of(workplace: Workplace, base: Path, **model: Any) -> dict[str, Any]:
    config = copy.deepcopy(workplace.config)
    config["model"] = {"from_pretrained": str(base), "lora": {"rank": 4}, **model}
    config["data"]["cut"] = {"fraction": 0.5, "late": 0.3, "hints": [{"text": PLAIN_HINT}]}
    config["optimizer"] = {"name": "adamw", "lr": 0.01}
    config["schedule"] = {"name": "cosine", "warmup": 2}
    config["train"]["log_every"] = 1
    return config


@needs_peft
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_only_the_adapter_is_trained(workplace: Workplace, base: Path, dtype: str) -> None:
    config = config_of(workplace, base, dtype=dtype)
    before = load_file(base / "model.safetensors")
    name = f"lora-{dtype}"
    assert workplace.train(name, config=config) == [0], workplace.log(name)
    assert load_file(base / "model.safetensors").keys() == before.keys()
    folder = workplace.folder / name / "model"
    adapter = load_file(folder / "adapter_model.safetensors")
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == 4
    assert {tensor.dtype for tensor in adapter.values()} == {torch.float32}
    assert all(".lora_" in key for key in adapter)
    # B begins at zero: where it is not zero any more, it was trained.
    assert all(tensor.abs().max() > 0 for key, tensor in adapter.items() if "lora_B" in key)
    assert workplace.run(name)["parameters"] == sum(tensor.numel() for tensor in adapter.values())
    losses = [line["loss"] for line in workplace.metrics(name)]
    assert losses[-1] < losses[0]


@needs_peft
def test_a_run_that_was_stopped_goes_on_to_the_same_adapter(workplace: Workplace, base: Path) -> None:
    config = config_of(workplace, base)
    config["train"]["steps"] = 6
    config["train"]["save_every"] = 2
    assert workplace.train("lora-whole", config=config) == [0], workplace.log("lora-whole")
    for _ in range(8):
        assert workplace.train("lora-parts", "--minutes", "0", config=config) == [0], workplace.log("lora-parts")
    folders = [workplace.folder / name / "model" for name in ("lora-whole", "lora-parts")]
    whole, parts = (load_file(folder / "adapter_model.safetensors") for folder in folders)
    assert len(workplace.run("lora-parts")["segments"]) > 4 and workplace.run("lora-parts")["finished"]
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


@needs_peft
def test_checkpointed_activations_give_the_same_gradients(workplace: Workplace, base: Path) -> None:
    config = config_of(workplace, base)
    config["train"]["steps"] = 2
    assert workplace.train("lora-plain", config=config) == [0], workplace.log("lora-plain")
    config["train"]["gradient_checkpointing"] = True
    assert workplace.train("lora-again", config=config) == [0], workplace.log("lora-again")
    plain, again = (
        load_file(workplace.folder / n / "model" / "adapter_model.safetensors") for n in ("lora-plain", "lora-again")
    )
    assert all(torch.allclose(plain[key], again[key], atol=1e-6) for key in plain)


@needs_peft
def test_a_layer_that_does_not_exist_is_told(base: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    settings = ModelSettings(from_pretrained=str(base), lora=LoraSettings(targets=["q_proj", "w_proj"]))
    with pytest.raises(ValueError, match="for targets but received w_proj"):
        make_model(settings, tokenizer, seed=0)


@needs_gguf
@pytest.mark.parametrize(("kind", "tolerance"), [("f32", 0.0), ("f16", 1e-3), ("q8_0", 0.02)])
def test_a_file_becomes_the_folder_that_it_was_made_of(
    tmp_path: Path, base: Path, tokenizer: PreTrainedTokenizerBase, kind: str, tolerance: float
) -> None:
    from z1_training.dequantize import dequantize

    file = tmp_path / "base.gguf"
    command = ["node", str(Z1), "convert", str(base), "--type", kind, "--output", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    dequantize(file, tmp_path / "folder")
    first, second = load_file(base / "model.safetensors"), load_file(tmp_path / "folder" / "model.safetensors")
    for key, weights in second.items():
        # An output layer that shares its weights with the embedding may be written for itself.
        given = first.get(key, first["model.embed_tokens.weight"])
        assert weights.shape == given.shape and weights.dtype == torch.float32
        assert (weights - given).abs().max() <= tolerance * given.abs().max(), key
    again = AutoTokenizer.from_pretrained(tmp_path / "folder")
    messages = [{"role": "user", "content": "What is 12 + 345? héllo"}]
    for options in ({"tokenize": False}, {"tokenize": True, "return_dict": False}):
        rendered = [
            each.apply_chat_template(messages, add_generation_prompt=True, **options) for each in (tokenizer, again)
        ]
        assert rendered[0] == rendered[1]


ASK = """
import { Z1 } from %s
const z1 = await Z1.load({ threads: 1, contextSize: 512 })
const { tokens: prompt } = await z1.renderPrompt('What is 382 + 47?')
const { tokens, logprobs } = await z1.reason('What is 382 + 47?', { logprobs: { top: 5, thinking: true } })
await z1.dispose()
console.log(JSON.stringify({ prompt, reasoning: tokens.reasoning, logprobs: logprobs.reasoning }))
"""


@needs_gguf
def test_the_folder_of_a_file_has_the_logits_of_the_addon(tmp_path: Path) -> None:
    from z1_training.dequantize import dequantize

    root = Z1.parent.parent.parent
    index = json.dumps((Z1.parent.parent / "index.js").as_uri())
    command = ["node", "--input-type=module", "--eval", ASK % index]
    asked = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    dequantize(root / "models" / "z1-mini.gguf", tmp_path / "folder")
    model = Qwen2ForCausalLM.from_pretrained(tmp_path / "folder", dtype=torch.float32)
    ids = torch.tensor([asked["prompt"] + asked["reasoning"]])
    with torch.no_grad():
        rows = model(ids).logits[0, len(asked["prompt"]) - 1 : -1].log_softmax(-1)
    assert len(asked["logprobs"]) == len(rows) > 20
    for row, token, entry in zip(rows, asked["reasoning"], asked["logprobs"], strict=True):
        assert row[token].item() == pytest.approx(entry["logprob"], abs=0.02)
        for other in entry["top"]:
            # Where a token is all but impossible, F16 arithmetic of the addon shows.
            if other["logprob"] > -8:
                assert row[other["token"]].item() == pytest.approx(other["logprob"], abs=0.05)


LLAMA_CPP = Path(__file__).parent.parent.parent / "out" / "llama.cpp"
needs_converter = pytest.mark.skipif(
    not (LLAMA_CPP / "convert_lora_to_gguf.py").exists(), reason="llama.cpp's source with its converters is not fetched"
)


@needs_peft
@needs_gguf
@needs_converter
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj", "down_proj"]])
def test_an_adapter_of_peft_is_converted_as_llama_cpp_does(base: Path, tmp_path: Path, targets: Any) -> None:
    from gguf import GGUFReader
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(5)
    settings = LoraConfig(r=4, lora_alpha=6, target_modules=targets, task_type="CAUSAL_LM")
    peft = get_peft_model(Qwen2ForCausalLM.from_pretrained(base), settings)
    for name, parameter in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    peft.save_pretrained(tmp_path / "adapter")
    ours, theirs = tmp_path / "ours.gguf", tmp_path / "theirs.gguf"
    z1 = ["node", str(Z1), "convert", str(tmp_path / "adapter"), "--base", str(base), "--type", "f32"]
    subprocess.run([*z1, "--output", str(ours)], check=True, capture_output=True)
    converter = [sys.executable, str(LLAMA_CPP / "convert_lora_to_gguf.py"), str(tmp_path / "adapter")]
    options = ["--base", str(base), "--outtype", "f32", "--outfile", str(theirs)]
    subprocess.run([*converter, *options], check=True, capture_output=True)
    want, have = ({tensor.name: tensor.data for tensor in GGUFReader(path).tensors} for path in (theirs, ours))
    assert want.keys() == have.keys() and len(want) >= 2 * 3
    for name, data in want.items():
        assert (have[name] == data).all(), name
    alphas = [GGUFReader(path).get_field("adapter.lora.alpha").contents() for path in (theirs, ours)]
    assert alphas[0] == alphas[1]
