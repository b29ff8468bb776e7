from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from z1_training.records import read_records

RECORDS = [{"question": "a", "response": "b"}, {"question": "ü", "response": "\n", "answer": "1"}]


def test_jsonl_files_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_text('{"question":"a","response":"b"}\n\n')
    second.write_text('{"question":"ü","response":"\\n","answer":"1"}', encoding="utf-8")
    assert list(read_records([first, second])) == RECORDS


def test_compressed(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(record)}\n" for record in RECORDS)
    assert list(read_records([tmp_path / "a.jsonl.gz"])) == RECORDS


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_byte_order_mark(tmp_path: Path, name: str) -> None:
    opened = gzip.open if name.endswith(".gz") else open
    with opened(tmp_path / name, "wb") as file:
        file.write("".join(f"{json.dumps(record)}\n" for record in RECORDS).encode("utf-8-sig"))
    assert list(read_records([tmp_path / name])) == RECORDS


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"question":"ü","response":"b"}'.encode(encoding))
    with pytest.raises(ValueError, match="a.jsonl: not UTF-8"):
        list(read_records([tmp_path / "a.jsonl"]))


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    rows = [{"answer": None, **record} for record in RECORDS]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert list(read_records([tmp_path / "a.parquet"])) == rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "a"', "not JSON"),
        ('{"question": "a"}', "`response`"),
        ('{"question": 1, "response": "b"}', "`question`"),
        ("[]", "`question`"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(f'{{"question":"a","response":"b"}}\n{line}\n')
    with pytest.raises(ValueError, match=f"a.jsonl:2: .*{message}"):
        list(read_records([file]))
