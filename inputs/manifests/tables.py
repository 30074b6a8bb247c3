"""Manifests that are tables: CSV and Parquet, one row a job, read by columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.findings import Findings, Unreadable, nearest, quoted
from inputs.jobs import Int64Array
from inputs.manifests.cells import Reading, read_cells
from inputs.manifests.csv_text import parse_csv, spreadsheet_rows
from inputs.manifests.draft import Column, Draft, Entries
from inputs.manifests.fields import FIELDS, MAP_KEYS, MAPS
from inputs.manifests.parquet_data import parse_parquet
from inputs.timegrid import TimeGrid

MAX_TABLE_BYTES = 8 << 30
"""Largest CSV or Parquet manifest."""

SUFFIXES = (".csv", ".parquet")

_KNOWN = frozenset(FIELDS) | {f"{name}.NAME" for name in MAPS}


def read_table(data: bytes, *, path: str, suffix: str, grid: TimeGrid) -> Draft:
    """Columns of a table's jobs, with every problem found on the way.

    Parameters
    ----------
    data
        The whole file.
    path
        The manifest, as the user named it.
    suffix
        One of ``SUFFIXES``.
    grid
        Planned date, for clock times.
    """
    findings = Findings(path)
    text = suffix == ".csv"
    table = (parse_csv if text else parse_parquet)(data, findings)
    locate = _CsvRows(data) if text else _row_number
    return _Columns(table, findings, locate, text=text, grid=grid).draft(path)


def _row_number(row: int, field: str | None) -> int:
    return row + 2


class _CsvRows:
    """Spreadsheet rows of records, which differ only where lines are blank."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._rows: Int64Array | None = None

    def __call__(self, row: int, field: str | None) -> int:
        if self._rows is None:
            self._rows = spreadsheet_rows(self._data)
        return int(self._rows[row]) if row < len(self._rows) else row + 2


class _Columns:
    """Reads each column by the kind of its field."""

    def __init__(
        self,
        table: pa.Table,
        findings: Findings,
        locate: Callable[[int, str | None], int | None],
        *,
        text: bool,
        grid: TimeGrid,
    ) -> None:
        self._table = table
        self._findings = findings
        self._locate = locate
        self._text = text
        self._grid = grid
        self._ids: pa.Array | None = None
        self._columns: dict[str, Column] = {}
        self._parts: dict[str, list[tuple[str, pa.Array]]] = {}

    def draft(self, path: str) -> Draft:
        names = self._table.column_names
        for name in sorted(names, key=lambda name: name != "id"):
            self._read(name)
        return Draft(
            path=path,
            n_jobs=self._table.num_rows,
            columns=self._columns,
            maps={name: _entries(parts) for name, parts in self._parts.items()},
            locate=self._locate,
            findings=self._findings,
            tabular=True,
        )

    def _read(self, name: str) -> None:
        map_, _, key = name.partition(".")
        if name in FIELDS:
            cells = self._nothing_asked(name, self._cells(name))
            reading = read_cells(
                FIELDS[name].kind, cells, text=self._text, grid=self._grid
            )
            self._columns[name] = reading.column
            if name == "id":
                self._ids = reading.column.values
            self._refuse(name, reading)
        elif map_ in MAPS and key:
            self._read_part(name, map_, key)
        else:
            self._findings.add(
                line=1,
                field=name,
                found="an unknown column",
                expected="a field of the schema",
                hint=nearest(name, _KNOWN),
            )

    def _read_part(self, name: str, map_: str, key: str) -> None:
        try:
            MAP_KEYS[map_].parse(key, self._grid)
        except Unreadable as error:
            self._findings.add(
                line=1,
                field=name,
                found=f"the name {quoted(key)}",
                expected=error.expected,
                hint=error.hint,
            )
            return
        kind = MAPS[map_].kind
        reading = read_cells(kind, self._cells(name), text=self._text, grid=self._grid)
        self._parts.setdefault(map_, []).append((key, reading.column.values))
        self._refuse(name, reading)

    def _cells(self, name: str) -> pa.Array:
        cells = self._table[name].combine_chunks()
        if pa.types.is_dictionary(cells.type):
            return cells.dictionary_decode()
        return cells

    def _nothing_asked(self, name: str, cells: pa.Array) -> pa.Array:
        """Cells of a field for later planning, those that ask for nothing emptied."""
        if not FIELDS[name].later:
            return cells
        if pa.types.is_boolean(cells.type):
            asks = cells
        elif pa.types.is_list(cells.type):
            asks = pc.greater(pc.list_value_length(cells), 0)
        elif self._text and FIELDS[name].kind.arrow == pa.bool_():
            asks = pc.not_equal(pc.utf8_lower(pc.utf8_trim_whitespace(cells)), "false")
        else:
            return cells
        return pc.if_else(asks, cells, pa.scalar(None, cells.type))

    def _refuse(self, name: str, reading: Reading) -> None:
        bad = reading.bad

        def add(row: int) -> None:
            raw, why = bad[row]
            self._findings.add(
                line=self._locate(row, name),
                job=self._ids[row].as_py() if self._ids is not None else None,
                field=name,
                found=quoted(raw),
                expected=why.expected,
                hint=why.hint,
            )

        self._findings.add_rows(np.fromiter(bad, dtype=np.intp, count=len(bad)), add)


def _entries(parts: list[tuple[str, pa.Array]]) -> Entries:
    rows, keys, values = [], [], []
    for key, column in parts:
        here = column.is_valid().to_numpy(zero_copy_only=False)
        rows.append(np.flatnonzero(here))
        keys.append(pa.repeat(key, len(rows[-1])))
        values.append(column.drop_null())
    order = np.argsort(np.concatenate(rows), kind="stable")
    return Entries(
        rows=np.concatenate(rows)[order].astype(np.int64),
        keys=pa.concat_arrays(keys).take(pa.array(order)),
        values=pa.concat_arrays(values).take(pa.array(order)),
    )
