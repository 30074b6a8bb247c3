"""Price series of IEC 62325 market documents: periods, resolutions, curve types.

References
----------
ENTSO-E, The introduction of different time series possibilities (curveType) within
electronic documents: A01 states every position; A03 leaves out a position whose value
is that of the one before, to the end of the period.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"


@dataclass(frozen=True, slots=True)
class Cell:
    """A price and the time for which it stands. [µs since 1970 UTC, µs]"""

    start_us: int
    step_us: int
    value: float

    @property
    def end_us(self) -> int:
        """End of the interval. [µs since 1970 UTC]"""
        return self.start_us + self.step_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """One series of prices.

    Parameters
    ----------
    eic
        Area that it is about.
    unit
        Currency and energy, such as ``EUR/MWh``.
    agreement
        Kind of market: ``A01`` is day-ahead.
    sequence
        Of several auctions of an area, 1 is the one that couples Europe.
    cells
        In the order of the document.
    """

    eic: str
    unit: str
    agreement: str
    sequence: int
    cells: tuple[Cell, ...]


class _Reader:
    """Reads values strictly; errors say where they stood."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._left = MAX_POINTS

    def refuse(self, field: str, found: str | None, expected: str) -> NoReturn:
        shown = "nothing" if found is None else repr(one_line(found))
        finding = Finding(
            path=f"answer of {self._source}",
            field=field,
            found=shown,
            expected=expected,
        )
        raise ForecastFormatError([finding]) from None

    def number(self, field: str, text: str | None) -> float:
        try:
            value = float(text or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.refuse(field, text, "a number")
        return value

    def whole(self, field: str, text: str | None, *, most: int) -> int:
        shown = text or ""
        fits = shown.isascii() and shown.isdigit() and len(shown) < _MAX_DIGITS
        value = int(shown) if fits else 0
        if not 1 <= value <= most:
            self.refuse(field, text, f"a whole number from 1 to {most}")
        return value

    def instant(self, field: str, text: str | None) -> int:
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
            told = f"1 to {MAX_POINTS} positions in all periods together"
            self.refuse("timeInterval", f"{count} positions", told)

    def resolution(self, text: str | None) -> int:
        try:
            step = parse_duration(text)
        except ValueError:
            step = timedelta(0)
        if not timedelta(minutes=1) <= step <= timedelta(hours=1):
            self.refuse("resolution", text, "a length such as PT15M or PT60M")
        return step // timedelta(microseconds=1)


def prices_of(root: Element, *, source: str) -> list[Prices]:
    """Every price series of a document.

    Parameters
    ----------
    root
        A ``Publication_MarketDocument``.
    source
        Who sent it, for messages.

    Raises
    ------
    ForecastFormatError
        If a value is missing, cannot be read or cannot be.
    """
    reader = _Reader(source)
    return [_series(element, reader) for element in root.every("TimeSeries")]


def _series(element: Element, reader: _Reader) -> Prices:
    areas = [element.first(f"{way}_Domain.mRID") or "" for way in ("in", "out")]
    if areas[0] != areas[1]:
        reader.refuse("out_Domain.mRID", areas[1], f"the same as in_Domain, {areas[0]}")
    currency = element.first("currency_Unit.name") or ""
    energy = element.first("price_Measure_Unit.name") or ""
    sequence = element.first(_SEQUENCE)
    blocks = element.first("curveType") == VARIABLE_BLOCKS
    return Prices(
        eic=areas[0],
        unit=f"{currency}/{'MWh' if energy.upper() == 'MWH' else energy}",
        agreement=element.first("contract_MarketAgreement.type") or "A01",
        sequence=1 if sequence is None else reader.whole(_SEQUENCE, sequence, most=99),
        cells=tuple(
            cell
            for period in element.every("Period")
            for cell in _cells(period, reader, blocks=blocks)
        ),
    )


def _cells(period: Element, reader: _Reader, *, blocks: bool) -> Iterator[Cell]:
    """One cell for each position; those left out repeat the one before, or miss."""
    start_us = reader.instant("start", period.first("timeInterval", "start"))
    end_us = reader.instant("end", period.first("timeInterval", "end"))
    step_us = reader.resolution(period.first("resolution"))
    count = max(end_us - start_us, 0) // step_us
    reader.spend(count)
    value: float | None = None
    stated = _stated(period, reader, count)
    for position in range(1, count + 1):
        value = stated.get(position, value if blocks else None)
        if value is not None:
            yield Cell(start_us + (position - 1) * step_us, step_us, value)


def _stated(period: Element, reader: _Reader, count: int) -> dict[int, float]:
    stated: dict[int, float] = {}
    for point in period.every("Point"):
        position = reader.whole("position", point.first("position"), most=count)
        amount = reader.number("price.amount", point.first("price.amount"))
        if stated.setdefault(position, amount) != amount:
            reader.refuse("position", str(position), "one price for each position")
    return stated


def merged(series: list[Prices]) -> tuple[list[Cell], tuple[str, ...]]:
    """Cells of all series without overlap, in time, and what was decided.

    Where series overlap the finer resolution counts, then the earlier one of the
    document; the others only fill what is left.
    """
    cells = [cell for one in series for cell in one.cells]
    kept: dict[int, Cell] = {}
    taken: set[int] = set()
    dropped = 0
    unit_us = math.gcd(*(cell.step_us for cell in cells)) if cells else 1
    # stable: within one resolution the order of the document stays
    for cell in sorted(cells, key=lambda cell: cell.step_us):
        covered = range(cell.start_us // unit_us, -(-cell.end_us // unit_us))
        if taken.isdisjoint(covered):
            taken.update(covered)
            kept[cell.start_us] = cell
        elif kept.get(cell.start_us) != cell:
            dropped += 1
    note = f"{dropped} prices of overlapping series were left out"
    return [kept[start] for start in sorted(kept)], (note,) if dropped else ()
