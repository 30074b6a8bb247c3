"""Columns of a table file as arrays, with every unreadable cell named by its row."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.errors import ForecastFormatError
from forecasts.provider import Int64Array
from forecasts.series import FloatArray
from inputs.errors import Finding

NULLS = ("", "na", "n/a", "nan", "null", "none")
"""Cells that mean "nothing", in any case of letters."""

INSTANT = "an ISO 8601 instant with an offset, such as 2026-11-22T00:00+01:00"

_INSTANT = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
MAX_SHOWN = 20
"""Findings of one kind that are told; more would help nobody."""

_HEADER_ROWS = 2  # the header is row 1, so index 0 is row 2


@dataclass(slots=True, kw_only=True, eq=False)
class ColumnFile:
    """One table file in memory; reading a column collects what is wrong with it.

    Parameters
    ----------
    path
        As the user named it.
    sha256
        Digest of the bytes that were parsed.
    table
        The columns; those of a CSV file are all text.
    findings
        What was wrong so far; ``finish`` raises them.
    """

    path: str
    sha256: str
    table: Any
    findings: list[Finding] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Column names in the order of the file."""
        return list(self.table.column_names)

    def finish(self) -> None:
        """Raise everything that was found.

        Raises
        ------
        ForecastFormatError
            If there is any finding.
        """
        if self.findings:
            raise ForecastFormatError(self.findings)

    def report(self, name: str, found: str, expected: str, row: int | None) -> None:
        """Note one fault; ``row`` counts data rows from 0."""
        line = None if row is None else row + _HEADER_ROWS
        self.findings.append(
            Finding(path=self.path, line=line, field=name, found=found,
                    expected=expected)
        )  # fmt: skip

    def texts(self, name: str) -> tuple[Int64Array, list[str]]:
        """A column of names as codes and the list they point into; none empty."""
        column = self.table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not _is_text(column.type):
            self.report(name, f"a column of {column.type}", "text", None)
            return np.zeros(len(column), dtype=np.int64), [""]
        column = pc.utf8_trim_whitespace(column)
        empty = pc.fill_null(pc.equal(column, ""), True)
        self._report_rows(name, empty, column, "a name")
        encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return codes, encoded.dictionary.to_pylist()

    def instants(self, name: str, *, missing: int | None = None) -> Int64Array:
        """A column of aware instants, shape (n_rows,). [µs since 1970 UTC]

        Parameters
        ----------
        name
            The column: text, or a timestamp type that has a time zone.
        missing
            What an empty cell means; None refuses it.
        """
        column = self.table[name]
        if pa.types.is_timestamp(column.type):
            return self._typed_instants(name, column, missing)
        if not _is_text(column.type):
            self.report(name, f"a column of {column.type}", INSTANT, None)
            return np.zeros(len(column), dtype=np.int64)
        column = _nulled(column)
        good = pc.match_substring_regex(column, _INSTANT)
        bad = pc.invert(pc.fill_null(good, missing is not None))
        column = pc.if_else(pc.fill_null(good, False), column, None)
        try:
            typed = column.cast(pa.timestamp("us", "UTC"))
        except pa.ArrowInvalid:
            unreal = pa.array([not _is_real(text) for text in column.to_pylist()])
            bad = pc.or_(bad.combine_chunks(), unreal)
            typed = pa.nulls(len(column), pa.timestamp("us", "UTC"))
        self._report_rows(name, bad, self.table[name], INSTANT)
        return _us(typed, missing)

    def numbers(self, name: str) -> FloatArray:
        """A column of numbers, shape (n_rows,); NaN where a cell is empty."""
        column = self.table[name]
        if _is_text(column.type):
            column = _nulled(column)
            bad = pc.invert(
                pc.fill_null(pc.match_substring_regex(column, _NUMBER), True)
            )
            self._report_rows(name, bad, column, "a number with a decimal point")
            column = pc.if_else(pc.invert(bad), column, None)
        elif not _is_number(column.type):
            self.report(name, f"a column of {column.type}", "numbers", None)
            return np.zeros(len(column))
        values = column.cast(pa.float64(), safe=False)
        return np.array(values.to_numpy(), dtype=np.float64)

    def _typed_instants(
        self, name: str, column: Any, missing: int | None
    ) -> Int64Array:
        if column.type.tz is None:
            self.report(name, "timestamps without a time zone", INSTANT, None)
        if missing is None:
            self._report_rows(name, pc.is_null(column), column, INSTANT)
        return _us(column.cast(pa.timestamp("us", column.type.tz), safe=False), missing)

    def _report_rows(self, name: str, bad: Any, column: Any, expected: str) -> None:
        rows = np.flatnonzero(bad.to_numpy(zero_copy_only=False).astype(bool))
        for row in rows[:MAX_SHOWN].tolist():
            value = column[row].as_py()
            found = "nothing" if value in (None, "") else repr(str(value)[:60])
            self.report(name, found, expected, row)
        if len(rows) > MAX_SHOWN:
            self.report(
                name, f"{len(rows) - MAX_SHOWN} more such cells", expected, None
            )


def _nulled(column: Any) -> Any:
    """Text without surrounding blanks, null where it says "nothing"."""
    column = pc.utf8_trim_whitespace(column.cast(pa.string()))
    nothing = pc.is_in(pc.utf8_lower(column), value_set=pa.array(NULLS))
    return pc.if_else(nothing, None, column)


def _us(column: Any, missing: int | None) -> Int64Array:
    whole = pc.fill_null(column.cast(pa.int64()), 0 if missing is None else missing)
    return np.array(whole.to_numpy(), dtype=np.int64)


def _is_real(text: str | None) -> bool:
    if text is None:
        return True
    try:
        datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", text))
    except ValueError:
        return False
    return True


def _is_text(kind: Any) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    )
