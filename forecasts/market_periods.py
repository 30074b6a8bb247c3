"""Periods of IEC 62325 market documents: resolutions, positions, curve types.

References
----------
ENTSO-E, The introduction of different time series possibilities (curveType) within
electronic documents: A01 states every position; A03 leaves out a position whose value
is that of the one before, to the end of the period.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from forecasts.answer_shapes import MAX_POINTS
from forecasts.errors import ForecastFormatError
from forecasts.http.message import one_line
from forecasts.http.xml_body import Element
from inputs.durations import parse_duration
from inputs.errors import Finding
from inputs.timegrid import to_us

VARIABLE_BLOCKS = "A03"
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and the time for which it stands. [µs since 1970 UTC, µs]"""

    start_us: int
    step_us: int
    value: float

    @property
    def end_us(self) -> int:
        """End of the interval. [µs since 1970 UTC]"""
        return self.start_us + self.step_us


class Reader:
    """Reads values of one document strictly; errors say where they stood.

    Parameters
    ----------
    source
        Who sent it, for messages.
    most
        Positions that all of its periods together may have.
    """

    def __init__(self, source: str, most: int = MAX_POINTS) -> None:
        self._source = source
        self._left = self._most = most

    def refuse(self, field: str, found: str | None, expected: str) -> NoReturn:
        """Say what stood in a field, and what should have."""
        shown = "nothing" if found is None else repr(one_line(found))
        finding = Finding(
            path=f"answer of {self._source}",
            field=field,
            found=shown,
            expected=expected,
        )
        raise ForecastFormatError([finding]) from None

    def number(self, field: str, text: str | None) -> float:
        """A finite number."""
        try:
            value = float(text or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.refuse(field, text, "a number")
        return value

    def whole(self, field: str, text: str | None, *, most: int) -> int:
        """A whole number from 1 on."""
        shown = text or ""
        fits = shown.isascii() and shown.isdigit() and len(shown) < _MAX_DIGITS
        value = int(shown) if fits else 0
        if not 1 <= value <= most:
            self.refuse(field, text, f"a whole number from 1 to {most}")
        return value

    def instant(self, field: str, text: str | None) -> int:
        """An instant with an offset. [µs since 1970 UTC]"""
        try:
            instant = datetime.fromisoformat(text or "")
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None or to_us(instant) < 0:
            self.refuse(field, text, "an instant since 1970 with an offset")
        return to_us(instant)

    def spend(self, count: int) -> None:
        """Bound all positions of a document together: few bytes may state many."""
        self._left -= count
        if count < 1 or self._left < 0:
            told = f"1 to {self._most} positions in all periods together"
            self.refuse("timeInterval", f"{count} positions", told)

    def resolution(self, text: str | None) -> int:
        """Length of the interval of one position. [µs]"""
        try:
            step = parse_duration(text)
        except ValueError:
            step = timedelta(0)
        if not timedelta(minutes=1) <= step <= timedelta(hours=1):
            self.refuse("resolution", text, "a length such as PT15M or PT60M")
        return step // timedelta(microseconds=1)


def cells_of(series: Element, reader: Reader, amount: str) -> tuple[Cell, ...]:
    """All values of a time series, in the order of the document.

    Parameters
    ----------
    series
        A ``TimeSeries``; its ``curveType`` says what a missing position means.
    reader
        Of the document.
    amount
        Element of a point that holds its value.

    Raises
    ------
    ForecastFormatError
        If a value is missing, cannot be read or cannot be.
    """
    blocks = series.first("curveType") == VARIABLE_BLOCKS
    return tuple(
        cell
        for period in series.every("Period")
        for cell in _cells(period, reader, amount, blocks=blocks)
    )


def _cells(
    period: Element, reader: Reader, amount: str, *, blocks: bool
) -> Iterator[Cell]:
    """One cell for each position; those left out repeat the one before, or miss."""
    start_us = reader.instant("start", period.first("timeInterval", "start"))
    end_us = reader.instant("end", period.first("timeInterval", "end"))
    step_us = reader.resolution(period.first("resolution"))
    count = max(end_us - start_us, 0) // step_us
    reader.spend(count)
    value: float | None = None
    stated = _stated(period, reader, amount, count)
    for position in range(1, count + 1):
        value = stated.get(position, value if blocks else None)
        if value is not None:
            yield Cell(start_us + (position - 1) * step_us, step_us, value)


def _stated(
    period: Element, reader: Reader, amount: str, count: int
) -> dict[int, float]:
    stated: dict[int, float] = {}
    for point in period.every("Point"):
        position = reader.whole("position", point.first("position"), most=count)
        value = reader.number(amount, point.first(amount))
        if stated.setdefault(position, value) != value:
            reader.refuse("position", str(position), "one value for each position")
    return stated


def without_overlap(cells: Iterable[Cell]) -> tuple[list[Cell], int]:
    """Cells in time, none over another, and how many were left out.

    Where they overlap the finer resolution counts, then the earlier one; the others
    only fill what is left. What merely stands twice is not counted.
    """
    every = list(cells)
    kept: dict[int, Cell] = {}
    taken: set[int] = set()
    dropped = 0
    unit_us = math.gcd(*(cell.step_us for cell in every)) if every else 1
    # stable: within one resolution the order of the document stays
    for cell in sorted(every, key=lambda cell: cell.step_us):
        covered = range(cell.start_us // unit_us, -(-cell.end_us // unit_us))
        if taken.isdisjoint(covered):
            taken.update(covered)
            kept[cell.start_us] = cell
        elif kept.get(cell.start_us) != cell:
            dropped += 1
    return [kept[start] for start in sorted(kept)], dropped
