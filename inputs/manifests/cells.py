"""Whole columns of cells read by a field's kind.

Columns of the right type, or of text that can be cast, are read in one pass. In all
others each *different* value is read once; both ways accept the same values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.findings import Unreadable
from inputs.instants import FIRST_US, LAST_US
from inputs.manifests.characters import holds_any
from inputs.manifests.draft import Column
from inputs.manifests.kinds import (
    Arguments,
    Kind,
    Length,
    Moment,
    Number,
    Text,
    Whole,
    Words,
)
from inputs.timegrid import TimeGrid

_US_PER_MINUTE = 60_000_000

_QUOTES = b"'\"\\\x00\x0b\x0c"
"""What a shell may take for more than a plain character, and white space that it
takes for one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A column and the cells that could not be read.

    Parameters
    ----------
    bad
        Row to what stood there and why it was refused.
    """

    column: Column
    bad: dict[int, tuple[object, Unreadable]] = field(default_factory=dict)


def read_cells(kind: Kind, cells: pa.Array, *, text: bool, grid: TimeGrid) -> Reading:
    """Read one column.

    Parameters
    ----------
    kind
        What the field may hold.
    cells
        The column as it stands in the file, null where nothing is given.
    text
        Whether it comes from a format that knows only text (CSV).
    grid
        Planned date, for clock times.
    """
    given = cells.is_valid().to_numpy(zero_copy_only=False)
    values = _at_once(kind, cells, text=text)
    if values is not None:
        return Reading(Column(values, given))
    if pa.types.is_nested(cells.type):
        codes, different = np.arange(len(cells)), cells.to_pylist()
    else:
        encoded = cells.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        different = encoded.dictionary.to_pylist()
    return _one_by_one(kind, codes, different, given, text=text, grid=grid)


def _one_by_one(
    kind: Kind,
    codes: Any,
    different: list[Any],
    given: Any,
    *,
    text: bool,
    grid: TimeGrid,
) -> Reading:
    values: list[object] = []
    refused: dict[int, tuple[object, Unreadable]] = {}
    for code, raw in enumerate(different):
        value = None
        if raw is not None:
            try:
                raw = kind.from_text(raw) if text else raw
                value = kind.read(raw, grid)
            except Unreadable as error:
                refused[code] = raw, error
        values.append(value)
    taken = pa.array(values, kind.arrow).take(pa.array(codes, mask=codes < 0))
    bad = {}
    if refused:
        rows = np.flatnonzero(np.isin(codes, list(refused)))
        bad = {int(row): refused[int(codes[row])] for row in rows}
    return Reading(Column(taken, given), bad)


def _at_once(kind: Kind, cells: pa.Array, *, text: bool) -> pa.Array | None:
    """Whole column in one pass, or None if any cell needs a closer look."""
    if pa.types.is_null(cells.type):
        return pa.nulls(len(cells), kind.arrow)
    for known, read in _FAST.items():
        if isinstance(kind, known):
            try:
                return read(kind, cells, text)
            except pa.ArrowInvalid:
                return None
    return None


def _texts(kind: Text, cells: pa.Array, text: bool) -> pa.Array | None:
    if not _is_string(cells.type):
        return None
    fits = pc.match_substring_regex(cells, kind.pattern)
    return cells.cast(pa.string()) if _all(fits) else None


def _numbers(kind: Number, cells: pa.Array, text: bool) -> pa.Array | None:
    if not (text or _is_number(cells.type)):
        return None
    values = cells.cast(pa.float64())
    return values if _within(values, kind.low, kind.high) else None


def _wholes(kind: Whole, cells: pa.Array, text: bool) -> pa.Array | None:
    if not pa.types.is_integer(cells.type):
        return None
    values = cells.cast(pa.int64())
    return values if _within(values, kind.low, kind.high) else None


def _lengths(kind: Length, cells: pa.Array, text: bool) -> pa.Array | None:
    if pa.types.is_duration(cells.type):
        values = cells.cast(pa.duration("us")).cast(pa.int64())
    elif pa.types.is_integer(cells.type):
        values = pc.multiply_checked(cells.cast(pa.int64()), _US_PER_MINUTE)
    else:
        return None
    return values if _within(values, kind.low, kind.high) else None


def _moments(kind: Moment, cells: pa.Array, text: bool) -> pa.Array | None:
    if not (pa.types.is_timestamp(cells.type) and cells.type.tz):
        return None
    values = cells.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    return values if _within(values, FIRST_US, LAST_US - 1) else None


def _arguments(kind: Arguments, cells: pa.Array, text: bool) -> pa.Array | None:
    """Commands without quotes: splitting at white space is what a shell does."""
    if text:
        if holds_any(cells, _QUOTES):
            return None
        return _argv(pc.ascii_split_whitespace(pc.ascii_trim_whitespace(cells)))
    return _argv(cells) if _is_list_of_strings(cells.type) else None


def _argv(lists: pa.Array) -> pa.Array | None:
    flat = lists.flatten()
    if flat.null_count or holds_any(flat, b"\0"):
        return None
    if not _all(pc.greater(pc.list_value_length(lists), 0)):
        return None
    if not _all(pc.not_equal(pc.list_element(lists.drop_null(), 0), "")):
        return None
    return lists.cast(pa.list_(pa.string()))


def _words(kind: Words, cells: pa.Array, text: bool) -> pa.Array | None:
    if not _is_list_of_strings(cells.type):
        return None
    flat = cells.flatten()
    if flat.null_count or not _all(pc.not_equal(flat, "")):
        return None
    if not _all(pc.less_equal(pc.list_value_length(cells), kind.most)):
        return None
    return cells.cast(pa.list_(pa.string()))


_FAST: dict[type[Kind], Callable[[Any, pa.Array, bool], pa.Array | None]] = {
    Text: _texts,
    Number: _numbers,
    Whole: _wholes,
    Length: _lengths,
    Moment: _moments,
    Arguments: _arguments,
    Words: _words,
}


def _all(mask: pa.Array) -> bool:
    return bool(pc.all(mask, min_count=0).as_py())


def _within(values: pa.Array, low: float, high: float) -> bool:
    inside = pc.and_(pc.greater_equal(values, low), pc.less_equal(values, high))
    return _all(inside)


def _is_string(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _is_list_of_strings(type_: pa.DataType) -> bool:
    listed = pa.types.is_list(type_) or pa.types.is_large_list(type_)
    return listed and _is_string(type_.value_type)


def _is_number(type_: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_floating(type_) or types.is_integer(type_) or types.is_decimal(type_)
    )
