"""Price series of IEC 62325 market documents."""

from __future__ import annotations

from dataclasses import dataclass

from forecasts.http.xml_body import Element
from forecasts.market_periods import Cell, Reader, cells_of, without_overlap

_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"


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
    reader = Reader(source)
    return [_series(element, reader) for element in root.every("TimeSeries")]


def _series(element: Element, reader: Reader) -> Prices:
    areas = [element.first(f"{way}_Domain.mRID") or "" for way in ("in", "out")]
    if areas[0] != areas[1]:
        reader.refuse("out_Domain.mRID", areas[1], f"the same as in_Domain, {areas[0]}")
    currency = element.first("currency_Unit.name") or ""
    energy = element.first("price_Measure_Unit.name") or ""
    sequence = element.first(_SEQUENCE)
    return Prices(
        eic=areas[0],
        unit=f"{currency}/{'MWh' if energy.upper() == 'MWH' else energy}",
        agreement=element.first("contract_MarketAgreement.type") or "A01",
        sequence=1 if sequence is None else reader.whole(_SEQUENCE, sequence, most=99),
        cells=cells_of(element, reader, "price.amount"),
    )


def merged(series: list[Prices]) -> tuple[list[Cell], tuple[str, ...]]:
    """Cells of all series without overlap, in time, and what was decided."""
    cells, dropped = without_overlap(cell for one in series for cell in one.cells)
    note = f"{dropped} prices of overlapping series were left out"
    return cells, (note,) if dropped else ()
