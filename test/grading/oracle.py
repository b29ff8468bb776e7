"""Verdicts of math-verify on the pairs of math-cases.json, for math-verify.json beside it.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install math-verify==0.9.0
    /tmp/oracle/bin/python test/grading/oracle.py && npx biome format --write test/grading
"""

import json
import logging
from importlib.metadata import version
from pathlib import Path

from math_verify import parse, verify

logging.disable(logging.CRITICAL)
folder = Path(__file__).parent
cases = json.loads((folder / "math-cases.json").read_text())
verdicts = {
    kind: [[gold, given, verify(parse(gold), parse(given))] for gold, given in pairs]
    for kind, pairs in cases.items()
}
lines = [
    f"    {json.dumps(kind)}: [\n"
    + ",\n".join("      " + json.dumps(case, ensure_ascii=False) for case in rows)
    + "\n    ]"
    for kind, rows in verdicts.items()
]
made = json.dumps(f"test/grading/oracle.py with math-verify {version('math-verify')}")
text = '{\n  "made": ' + made + ',\n  "verdicts": {\n' + ",\n".join(lines) + "\n  }\n}\n"
(folder / "math-verify.json").write_text(text)
