"""What the originals say of a checkpoint: transformers' logits, tokenizers' ids, and llama.cpp's own converter.

  oracle.py save SOURCE TARGET   loads a checkpoint and saves it again, as the installed transformers writes one
  oracle.py check                reads {"converter": DIR, "cases": [...]} from standard input, writes an answer to each

converter: a checkout of llama.cpp with convert_hf_to_gguf.py. A case has `folder`, `gguf` (our conversion), `type` (its
type), `pre` (our name of the pre-tokenizer, where the converter has no hash for it; else null), `texts`, and, for F32,
`tokens` with `logits` (a file of floats that llama.cpp computed for them). An answer has `ids` of the texts, `logits`
(the largest absolute difference, and the largest logit) and `differences` (between the two GGUF files, in words).
"""

from __future__ import annotations

import json
import logging
import runpy
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer


def save(source: str, target: str) -> None:
    AutoModelForCausalLM.from_pretrained(source, dtype="auto").save_pretrained(target, max_shard_size="100KB")
    AutoTokenizer.from_pretrained(source).save_pretrained(target)


def ids_of(folder: str, texts: list[str]) -> list[list[int]]:
    # Not AutoTokenizer: for this architecture it puts Qwen2's pre-tokenizer in the place of another.
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]


def compare_logits(folder: str, tokens: list[int], file: str) -> list[float]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        expected = model(torch.tensor([tokens])).logits[0].numpy()
    found = np.fromfile(file, dtype="<f4").reshape(expected.shape)
    return [float(np.abs(expected - found).max()), float(np.abs(expected).max())]


def convert_with_script(converter: str, case: dict[str, Any], target: Path) -> None:
    from conversion.base import TextModel

    if case["pre"] is not None:
        TextModel.get_vocab_base_pre = lambda *_: case["pre"]
    arguments = [case["folder"], "--outfile", str(target), "--outtype", case["type"]]
    argv, sys.argv = sys.argv, ["convert_hf_to_gguf.py", *arguments]
    try:
        runpy.run_path(str(Path(converter) / "convert_hf_to_gguf.py"), run_name="__main__")
    finally:
        sys.argv = argv


def differences(ours: Path, theirs: Path) -> list[str]:
    from gguf import GGUFReader

    a, b = GGUFReader(ours), GGUFReader(theirs)
    found = []

    def keys(reader: Any) -> dict[str, Any]:
        # The name and authorship under general.* are guessed from the folder's name.
        wanted = (
            "qwen2.",
            "tokenizer.",
            "general.architecture",
            "general.type",
            "general.file_type",
            "general.quantization_version",
            "general.sampling.",
            "general.size_label",
        )
        return {
            name: (field.types, field.contents()) for name, field in reader.fields.items() if name.startswith(wanted)
        }

    ours_keys, theirs_keys = keys(a), keys(b)
    for name in sorted(ours_keys.keys() | theirs_keys.keys()):
        left, right = ours_keys.get(name), theirs_keys.get(name)
        if left != right:
            found.append(f"{name}: {str(left)[:200]} and {str(right)[:200]}")

    if [tensor.name for tensor in a.tensors] != [tensor.name for tensor in b.tensors]:
        found.append("the tensors' names or order")
    for left, right in zip(a.tensors, b.tensors, strict=False):
        if left.tensor_type != right.tensor_type or left.shape.tolist() != right.shape.tolist():
            found.append(
                f"{left.name}: {left.tensor_type.name} {left.shape} and {right.tensor_type.name} {right.shape}"
            )
        elif left.data.tobytes() != right.data.tobytes():
            found.append(f"{left.name}: its data")
    return found


def check(request: dict[str, Any]) -> list[dict[str, Any]]:
    converter = request["converter"]
    sys.path[:0] = [converter, str(Path(converter) / "gguf-py")]
    # The converter tries SentencePiece first, and finds no file of it.
    sentencepiece = types.ModuleType("sentencepiece")
    sentencepiece.SentencePieceProcessor = None
    sys.modules.setdefault("sentencepiece", sentencepiece)
    from conversion.base import TextModel

    original = TextModel.get_vocab_base_pre
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        for case in request["cases"]:
            answer: dict[str, Any] = {"ids": ids_of(case["folder"], case["texts"])}
            if case.get("logits"):
                answer["logits"] = compare_logits(case["folder"], case["tokens"], case["logits"])
            target = Path(folder) / "theirs.gguf"
            TextModel.get_vocab_base_pre = original
            convert_with_script(converter, case, target)
            answer["differences"] = differences(Path(case["gguf"]), target)
            answers.append(answer)
    return answers


if __name__ == "__main__":
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    if sys.argv[1] == "save":
        save(*sys.argv[2:])
    else:
        # The converter prints to standard output too.
        out, sys.stdout = sys.stdout, sys.stderr
        json.dump(check(json.load(sys.stdin)), out)
