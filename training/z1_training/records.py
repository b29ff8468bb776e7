"""Reads trajectory records from JSON Lines and Parquet files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def read_records(paths: list[Path]) -> Iterator[Record]:
    """Yields the records of the files in order.

    A record holds `question` and `response` (strings) and may hold `id`, `answer`, `family`, `difficulty`.
    Raises ValueError naming file and line where a record is not one.
    """
    for path in paths:
        rows = _read_parquet(path) if path.suffix == ".parquet" else _read_jsonl(path)
        for number, record in rows:
            for field in ("question", "response"):
                if not isinstance(record, dict) or not isinstance(record.get(field), str):
                    raise ValueError(f"{path}:{number}: expected a record with a string `{field}`")
            yield record


def _read_jsonl(path: Path) -> Iterator[tuple[int, Record]]:
    opened = gzip.open if path.suffix == ".gz" else open
    # A byte-order mark at the beginning is no part of the text.
    with opened(path, "rt", encoding="utf-8-sig") as file:
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _parse(line, f"{path}:{number}")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8") from error


def _parse(line: str, location: str) -> Record:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{location}: not JSON: {error.msg}") from error


def _read_parquet(path: Path) -> Iterator[tuple[int, Record]]:
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ValueError(f"{path}: reading Parquet needs the package pyarrow") from error
    number = 0
    for batch in parquet.ParquetFile(path).iter_batches():
        for record in batch.to_pylist():
            number += 1
            yield number, record
