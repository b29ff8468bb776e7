"""Makes a Hugging Face folder of a Qwen2 model's GGUF file, quantized or not: to train it or an adapter of it."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer, GgufConfig, Qwen2ForCausalLM

from .tokenizer import save_tokenizer

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def dequantize(file: Path, output: Path, dtype: torch.dtype = torch.float32) -> None:
    """Writes weights, config, tokenizer and chat template; dequantizing is transformers' own.

    Raises ValueError for a file without a chat template, OSError for one that cannot be read.
    """
    source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    if tokenizer.chat_template is None:
        raise ValueError(f"{file} has no chat template")
    unpacked = GgufConfig(dequantize=True)
    model = Qwen2ForCausalLM.from_pretrained(**source, dtype=dtype, quantization_config=unpacked)
    model.save_pretrained(output)
    save_tokenizer(tokenizer, output)


def main() -> None:
    parser = argparse.ArgumentParser(prog="z1_training.dequantize", description=__doc__)
    parser.add_argument("file", type=Path, help="GGUF file")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    options = parser.parse_args()
    try:
        dequantize(options.file, options.output, DTYPES[options.dtype])
    except (ValueError, OSError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
