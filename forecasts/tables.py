"""CSV and Parquet files read once, whole and bounded."""

from __future__ import annotations

import io
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from forecasts.columns import MAX_SHOWN, ColumnFile
from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from inputs.errors import Finding

MAX_BYTES = 256 * 2**20
"""Largest file, and largest unpacked Parquet data, that is read."""

MAX_ROWS = 5_000_000
"""Most rows: 100 regions with ten issues of five years of hours fit."""


def read_columns(root: Path, name: str) -> ColumnFile:
    """Read a CSV (``.csv``) or Parquet (``.parquet``) file whole.

    Parameters
    ----------
    root
        Folder that a relative name is relative to.
    name
        As the user wrote it.

    Raises
    ------
    ForecastUnavailableError
        If there is no such file, or it cannot be opened.
    ForecastFormatError
        If it is too large or is not what its ending says.
    """
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".pq": _read_parquet}
    path = root / name
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _refusal(name, f"the ending {path.suffix!r}", ".csv or .parquet")
    content = _read_bytes(path, name)
    try:
        table = reader(content, name)
    except UnicodeDecodeError as error:
        raise _refusal(name, "a name that is not UTF-8", "UTF-8 text") from error
    except (pa.ArrowException, OSError) as error:
        kind = path.suffix.lstrip(".").upper()
        first_line = str(error).strip().splitlines()[0][:200]
        raise _refusal(name, first_line, f"a {kind} file with columns") from error
    if table.num_rows > MAX_ROWS:
        raise _refusal(name, f"{table.num_rows} rows", f"at most {MAX_ROWS}")
    _refuse_repeated(table.column_names, name)
    return ColumnFile(path=name, sha256=sha256(content).hexdigest(), table=table)


def _read_bytes(path: Path, name: str) -> bytes:
    """Content of a file that did not change while it was read."""
    try:
        for _ in range(3):
            before = path.stat()
            if before.st_size > MAX_BYTES:
                size = f"{before.st_size / 2**20:.0f} MiB"
                raise _refusal(name, size, f"at most {MAX_BYTES / 2**20:.0f} MiB")
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            after = path.stat()
            same = (before.st_mtime_ns, before.st_ino) == (
                after.st_mtime_ns, after.st_ino,
            )  # fmt: skip
            if same and len(content) == before.st_size == after.st_size:
                return content
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ForecastUnavailableError(f"{name}: {reason or error}") from error
    raise ForecastUnavailableError(f"{name}: is being written; try again")


def _read_csv(content: bytes, name: str) -> Any:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refusal(name, "UTF-16", "UTF-8 text")
    _refuse_other_bytes(content, name)
    content = content.rstrip(b"\r\n")
    if b"\n" not in content:
        raise _refusal(name, "no rows", "a header and at least one row")
    header = (
        content.removeprefix(b"\xef\xbb\xbf")
        .split(b"\n", 1)[0]
        .decode("utf-8", "replace")
    )
    if ";" in header and "," not in header:
        raise _refusal(name, "columns separated by ';'", "columns separated by ','")
    faults: list[Finding] = []

    def refuse_row(row: Any) -> str:
        faults.append(
            Finding(path=name, line=row.number,
                    found=f"{row.actual_columns} cells",
                    expected=f"{row.expected_columns} cells as in the header")
        )  # fmt: skip
        return "skip"

    columns = {cell.strip().strip('"'): pa.string() for cell in header.split(",")}
    table = pa_csv.read_csv(
        io.BytesIO(content),
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=2**24),
        parse_options=pa_csv.ParseOptions(
            ignore_empty_lines=False, invalid_row_handler=refuse_row
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=columns, strings_can_be_null=False
        ),
    )
    if faults:
        raise ForecastFormatError(faults[:MAX_SHOWN])
    return table.rename_columns([column.strip() for column in table.column_names])


def _refuse_other_bytes(content: bytes, name: str) -> None:
    """Text alone: pyarrow would stumble over the rest where it calls us back."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        finding = Finding(path=name, line=row, found=found, expected="UTF-8 text")
        raise ForecastFormatError([finding]) from error


def _read_parquet(content: bytes, name: str) -> Any:
    file = pa_parquet.ParquetFile(
        pa.BufferReader(content), page_checksum_verification=True
    )
    meta = file.metadata
    unpacked = sum(
        meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)
    )
    if meta.num_rows > MAX_ROWS or unpacked > MAX_BYTES:
        found = f"{meta.num_rows} rows in {unpacked / 2**20:.0f} MiB"
        limit = f"at most {MAX_ROWS} rows in {MAX_BYTES / 2**20:.0f} MiB"
        raise _refusal(name, found, limit)
    return file.read()


def _refuse_repeated(names: Iterable[str], path: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise _refusal(path, f"the column {name!r} twice", "each column once")
        seen.add(name)


def _refusal(path: str, found: str, expected: str) -> ForecastFormatError:
    return ForecastFormatError([Finding(path=path, found=found, expected=expected)])
