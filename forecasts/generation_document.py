"""Actual generation by type in IEC 62325 market documents, and its intensity.

References
----------
ENTSO-E Transparency Platform, Actual Generation per Production Type, article
16.1.b and c of Commission Regulation (EU) 543/2013.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from forecasts.errors import ForecastIncompleteError
from forecasts.http.message import one_line
from forecasts.http.xml_body import Element
from forecasts.market_periods import Cell, Reader, cells_of, without_overlap
from forecasts.provider import Int64Array
from forecasts.series import FloatArray

MAX_POSITIONS = 60_000
"""Two weeks of quarter-hours of more types than there are."""

IMMATERIAL = 0.01
"""Share of all generation that may be missing in an interval that is used."""

MOST_MW = 1e7
"""More than all plants of the world give together."""

_HOUR_US = 3_600_000_000
_POWER_MW = {"MAW": 1.0, "KWT": 1e-3}
_ENERGY_MWH = {"MWH": 1.0, "KWH": 1e-3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What all plants of one type generated.

    Parameters
    ----------
    eic
        Area that it is about.
    psr_type
        Type of production, such as ``B16`` for solar.
    cells
        Mean power, in the order of the document. [MW]
    """

    eic: str
    psr_type: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intensity:
    """Emissions of generation.

    Parameters
    ----------
    starts_us, step_us
        Equal intervals, shape (n,). [µs since 1970 UTC] [µs]
    values
        Shape (n,); NaN where a type of weight is missing. [g/kWh]
    notes
        What was left out.
    """

    starts_us: Int64Array
    step_us: int
    values: FloatArray
    notes: tuple[str, ...] = ()


def outputs_of(root: Element, *, source: str) -> list[Output]:
    """Every series of generation in a document.

    Series of consumption, as of pumps and of plants that stand still, are about an
    area that power flows out of; they are left out.

    Parameters
    ----------
    root
        A ``GL_MarketDocument``.
    source
        Who sent it, for messages.

    Raises
    ------
    ForecastFormatError
        If a value or unit is missing, cannot be read or cannot be.
    """
    reader = Reader(source, MAX_POSITIONS)
    return [
        _output(element, reader)
        for element in root.every("TimeSeries")
        if element.first("inBiddingZone_Domain.mRID") is not None
        or element.first("outBiddingZone_Domain.mRID") is None
    ]


def _output(element: Element, reader: Reader) -> Output:
    psr_type = element.first("MktPSRType", "psrType")
    if not psr_type:
        reader.refuse("psrType", psr_type, "a type of production")
    cells = cells_of(element, reader, "quantity")
    unit = (element.first("quantity_Measure_Unit.name") or "").upper()
    if unit not in {*_POWER_MW, *_ENERGY_MWH}:
        known = ", ".join((*_POWER_MW, *_ENERGY_MWH))
        reader.refuse("quantity_Measure_Unit.name", unit or None, f"one of {known}")
    return Output(
        eic=element.first("inBiddingZone_Domain.mRID") or "",
        psr_type=psr_type,
        cells=tuple(_in_mw(cell, unit, reader) for cell in cells),
    )


def _in_mw(cell: Cell, unit: str, reader: Reader) -> Cell:
    """The same, as mean power; energy is that of the interval."""
    hours = cell.step_us / _HOUR_US
    scale = _POWER_MW[unit] if unit in _POWER_MW else _ENERGY_MWH[unit] / hours
    if not abs(cell.value) <= MOST_MW / scale:
        reader.refuse("quantity", f"{cell.value:g}", f"at most {MOST_MW / scale:g}")
    return Cell(cell.start_us, cell.step_us, cell.value * scale)


def intensity_of(
    outputs: Iterable[Output], factors: Mapping[str, float | None]
) -> Intensity:
    """Emissions of all generation over that generation, on equal intervals.

    Parameters
    ----------
    outputs
        Of one area.
    factors
        Type to life-cycle emissions; None leaves a type out. [g/kWh]

    Returns
    -------
    Intensity
        On the coarsest step that any type is stated in, so that nothing is made up.
        An interval in which types are missing that make more than ``IMMATERIAL`` of
        the document's generation is a hole.

    Raises
    ------
    ForecastIncompleteError
        If there is nothing, or a type has no factor.

    Notes
    -----
    With P the mean power of type k in interval t and f its factor,
    ``Σ_k P_kt f_k / Σ_k P_kt``; power below zero, a plant's own use, counts as none.
    """
    cells = _by_type(outputs, factors)
    step_us = max((c.step_us for own in cells.values() for c in own), default=0)
    if not step_us:
        raise ForecastIncompleteError("the answer holds no generation")
    starts_us, power = _power_mw(cells, step_us)
    known = np.isfinite(power)
    typical = np.where(known, power, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    missing = np.where(known, 0.0, typical[:, None]).sum(axis=0)
    usable = missing <= IMMATERIAL * typical.sum()
    weight = np.array([factors[kind] for kind in cells], dtype=np.float64)
    sums = np.where(known, power, 0.0)
    total = sums.sum(axis=0)
    usable &= total > 0
    values = np.where(usable, weight @ sums / np.where(usable, total, 1.0), np.nan)
    holes = int((~usable).sum())
    note = f"{holes} intervals were left out because types of weight are missing there"
    return Intensity(
        starts_us=starts_us,
        step_us=step_us,
        values=values,
        notes=(note,) if holes else (),
    )


def _by_type(
    outputs: Iterable[Output], factors: Mapping[str, float | None]
) -> dict[str, list[Cell]]:
    """Cells of each type that counts, none over another."""
    every: dict[str, list[Cell]] = {}
    for output in outputs:
        every.setdefault(output.psr_type, []).extend(output.cells)
    unknown = sorted(set(every) - set(factors))
    if unknown:
        raise ForecastIncompleteError(
            f"no emission factor for {', '.join(map(one_line, unknown))}; a file of "
            "the setting factors can give one"
        )
    return {
        kind: without_overlap(cells)[0]
        for kind, cells in sorted(every.items())
        if factors[kind] is not None
    }


def _power_mw(
    cells: Mapping[str, list[Cell]], step_us: int
) -> tuple[Int64Array, FloatArray]:
    """Mean power of each type on equal steps, NaN where it is not known for all."""
    columns = [
        np.array([(c.start_us, c.step_us, c.value) for c in own]).reshape(-1, 3).T
        for own in cells.values()
    ]
    bins = [(starts // step_us).astype(np.int64) for starts, _, _ in columns]
    first = min((int(b.min()) for b in bins if len(b)), default=0)
    last = max((int(b.max()) for b in bins if len(b)), default=-1)
    if last - first >= MAX_POSITIONS:
        raise ForecastIncompleteError(
            f"the answer spans {last - first + 1} intervals, expected were 1 to "
            f"{MAX_POSITIONS} intervals"
        )
    power = np.full((len(columns), last - first + 1), np.nan)
    for row, (at, (starts, steps, values)) in enumerate(
        zip(bins, columns, strict=True)
    ):
        inside = starts % step_us + steps <= step_us
        at, steps = at[inside] - first, steps[inside]
        energy = np.maximum(values[inside], 0.0) * steps
        covered = np.bincount(at, steps, power.shape[1])
        whole = covered == step_us
        sums = np.bincount(at, energy, power.shape[1])
        power[row, whole] = sums[whole] / step_us
    starts_us = step_us * np.arange(first, last + 1, dtype=np.int64)
    return starts_us, power
