from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from z1_training.config import read_config

CONFIGS = Path(__file__).parent.parent / "configs"
MINIMAL = "model: {from_pretrained: x}\ntrain: {epochs: 1}\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_configs_of_this_folder(path: Path) -> None:
    config = read_config(path, [])
    rows = config.data.row_length
    assert rows is None or config.data.max_length <= rows


def test_settings_are_read_without_torch() -> None:
    """Nor what comes with it; `None` in sys.modules is how Python notes that a module cannot be imported."""
    heavy = ("torch", "transformers", "tokenizers", "accelerate", "safetensors", "numpy", "pyarrow")
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({heavy}))\n"
        "from pathlib import Path\n"
        "from z1_training.config import read_config\n"
        "for path in sys.argv[1:]: print(read_config(Path(path), ['seed=7']).seed)\n"
    )
    paths = sorted(map(str, CONFIGS.glob("*.yaml")))
    result = subprocess.run(
        [sys.executable, "-c", program, *paths], cwd=CONFIGS.parent, capture_output=True, text=True, timeout=60
    )
    assert result.stdout.split() == ["7"] * len(paths) and len(paths) >= 3, result.stderr


def test_delimited_differs_where_it_must() -> None:
    """The comparison is of two ways to think: the models and what they are trained with are the same."""
    ours, other = (read_config(CONFIGS / f"{name}.yaml", []) for name in ("z1-mini", "z1-mini-delimited"))
    assert ours.train.rows_per_step * ours.data.row_length == other.train.rows_per_step * other.data.row_length
    assert (ours.data.cut.fraction, ours.data.cut.at_zero) == (other.data.cut.fraction, other.data.cut.at_zero)
    assert ours.data.shuffle_block == other.data.shuffle_block
    ours.train.rows_per_step, ours.data = other.train.rows_per_step, other.data
    assert ours == other


def test_7b_is_the_papers() -> None:
    config = read_config(CONFIGS / "z1-7b.yaml", [])
    assert config.model.from_pretrained == "Qwen/Qwen2.5-Coder-7B-Instruct"
    assert (config.seed, config.train.epochs, config.train.precision) == (42, 2, "bfloat16")
    assert (config.optimizer.name, config.optimizer.lr, config.optimizer.weight_decay) == ("adamw", 1e-5, 0)
    assert (config.schedule.name, config.schedule.warmup) == ("cosine", 100)
    assert config.data.max_length > 8192 and config.data.cut.fraction == 0
    # 107,173 records make the paper's 836 steps.
    assert 2 * 107_173 // config.train.rows_per_step in (836, 837)


def test_changes(write) -> None:
    changes = ["optimizer.lr=1e-3", "model.from_scratch.hidden_size=8", "model.from_pretrained=null"]
    config = read_config(write(MINIMAL), [*changes, "optimizer.betas=[0.9, 0.98]", "data.cut.fraction=1"])
    assert config.optimizer.lr == 0.001 and config.optimizer.betas == (0.9, 0.98)
    assert config.model.from_scratch == {"hidden_size": 8}
    assert config.data.cut.fraction == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimizer.rate=1", "unknown field optimizer.rate"),
        ("data.row_tokens=448", "data.row_tokens is now called data.row_length"),
        ("train.steps=1.5", "expected int for train.steps but received 1.5"),
        ("train.compile=1", "expected bool for train.compile but received 1"),
        ("optimizer.lr=fast", "expected float for optimizer.lr but received 'fast'"),
        ("data.cut.hints=[{text: 1}]", r"expected str for data.cut.hints\[0\].text but received 1"),
        ("data=3", "expected a mapping for data but received 3"),
        ("seed", "expected key=value"),
        ("data.cut.hints=[{weight: 1}]", r"expected the field data.cut.hints\[0\].text"),
        ("train.epochs=null", "either train.steps or train.epochs"),
        ("model.from_pretrained=null", "either model.from_pretrained or model.from_scratch"),
        ("train.precision=float16", "float32 or bfloat16"),
        ("model.dtype=float16", "float32 or bfloat16 for model.dtype"),
        ("model.dtype=bfloat16", "bfloat16 needs model.lora"),
        ("model.lora.rank=0.5", "expected int for model.lora.rank"),
    ],
)
def test_misuse(write, change: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_config(write(MINIMAL), [change])


def test_no_model(write) -> None:
    with pytest.raises(ValueError, match="expected the field model"):
        read_config(write("seed: 1"), [])


def test_an_adapter_belongs_to_a_model_and_is_not_sharded(write) -> None:
    config = read_config(write(MINIMAL), ["model.lora={rank: 8}", "model.dtype=bfloat16"])
    assert (config.model.lora.rank, config.model.lora.alpha) == (8, 32.0)
    with pytest.raises(ValueError, match="model.lora needs model.from_pretrained"):
        read_config(write(MINIMAL), ["model={from_scratch: {}, lora: {}}"])
    with pytest.raises(ValueError, match="either model.lora or train.fsdp"):
        read_config(write(MINIMAL), ["model.lora={}", "train.fsdp={}"])


def test_muon_is_not_sharded(write) -> None:
    with pytest.raises(ValueError, match="muon"):
        read_config(write(MINIMAL), ["optimizer.name=muon", "train.fsdp={}"])
