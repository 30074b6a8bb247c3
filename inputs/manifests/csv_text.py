"""CSV as one dialect: UTF-8, commas, quotes doubled, every row as long as the header.

A byte-order mark, quoted line breaks and either kind of line end are accepted; other
dialects are refused where they first show.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as pa_csv

from inputs.findings import Findings, quoted
from inputs.jobs import Int64Array
from inputs.manifests.fields import MAX_JOBS

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"
_MAX_COLUMNS = 2_000
_HEADER_BYTES = 1 << 20


def parse_csv(data: bytes, findings: Findings) -> pa.Table:
    """Cells of a CSV file as text, null where empty; no rows if it is refused."""
    header = _header(data, findings)
    if header is None:
        return pa.table({})
    try:
        table = _read(data, header, threads=True)
    except pa.ArrowInvalid:
        _explain(data, header, findings)
        return pa.table({})
    if table.num_rows > MAX_JOBS:
        findings.add(found=f"{table.num_rows:,} rows", expected=f"at most {MAX_JOBS:,}")
        return pa.table({})
    return table


def spreadsheet_rows(data: bytes) -> Int64Array:
    """Row that a spreadsheet shows for each record, blank lines counted.

    Only called when there is something to tell about a row.
    """
    if b"\n\n" not in data and b"\r\n\r\n" not in data:
        return np.empty(0, dtype=np.int64)  # the usual case: row is index + 2
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    rows = [number for number, row in enumerate(csv.reader(text), start=1) if row]
    return np.asarray(rows[1:], dtype=np.int64)


def _header(data: bytes, findings: Findings) -> list[str] | None:
    if data.startswith(_UTF16) or b"\0" in data[:_HEADER_BYTES].partition(b"\n")[0]:
        findings.add(
            line=1,
            found="UTF-16 text",
            expected="UTF-8 text",
            hint='save it as "CSV UTF-8"',
        )
        return None
    try:
        start = data[:_HEADER_BYTES].removeprefix(_BOM)
        first = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        _explain_encoding(data, findings)
        return None
    header = next((row for row in csv.reader(io.StringIO(first, "")) if row), None)
    if header is None:
        findings.add(
            found="an empty file",
            expected="a header row",
            hint="keep the header row if no job is meant",
        )
        return None
    problem = _header_problem(header)
    if problem:
        findings.add(line=1, found=problem[0], expected=problem[1])
        return None
    return header


def _header_problem(header: list[str]) -> tuple[str, str] | None:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return quoted(header[0]), "columns separated by commas"
    if len(header) > _MAX_COLUMNS:
        return f"{len(header):,} columns", f"at most {_MAX_COLUMNS:,}"
    twice = [name for name, times in Counter(header).items() if times > 1]
    if twice:
        return f"the column {quoted(twice[0])} twice", "each column once"
    if "" in header:
        return f"column {header.index('') + 1} without a name", "a name in each column"
    return None


def _read(data: bytes, header: list[str], *, threads: bool, handler: Any = None) -> Any:
    return pa_csv.read_csv(
        pa.BufferReader(data),
        read_options=pa_csv.ReadOptions(use_threads=threads, block_size=8 << 20),
        parse_options=pa_csv.ParseOptions(
            newlines_in_values=True, invalid_row_handler=handler
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _explain(data: bytes, header: list[str], findings: Findings) -> None:
    """Say which rows keep the file from being read; it is read once more for that."""
    # Rows that are no UTF-8 text cannot even be handed over.
    if _explain_encoding(data, findings):
        return

    def count(row: Any) -> str:
        number = row.number
        findings.add(
            line=number,
            found=f"{row.actual_columns} columns: {quoted(row.text)}",
            expected=f"{row.expected_columns} columns as in the header",
            hint="quote cells that hold commas",
        )
        return "skip"

    try:
        _read(data, header, threads=False, handler=count)
    except pa.ArrowInvalid as error:
        if not findings:
            first = str(error).splitlines()[0]
            findings.add(found=quoted(first), expected="CSV")


def _explain_encoding(data: bytes, findings: Findings) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].removeprefix(_BOM).decode("utf-8")
        # A letter in place of the byte, which may be the first of its row.
        rows = list(csv.reader(io.StringIO(f"{before}?", "")))
        findings.add(
            line=len(rows),
            field=f"column {len(rows[-1])}",
            found=f"byte 0x{data[error.start]:02x}",
            expected="UTF-8 text",
            hint='save it as "CSV UTF-8"',
        )
        return True
    return False
