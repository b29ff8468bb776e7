from __future__ import annotations

import json
import re
from pathlib import Path

TRAINING = Path(__file__).parent.parent


def test_one_version_everywhere() -> None:
    project = (TRAINING / "pyproject.toml").read_text(encoding="utf-8")
    package = json.loads((TRAINING.parent / "package.json").read_text(encoding="utf-8"))
    assert re.findall(r'^version = "([^"]+)"', project, re.MULTILINE) == [package["version"]]
