"""What each limit costs, as a report says it: words, a table, figures for JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from inputs.timegrid import TimeGrid
from outputs.comparison import Comparison
from outputs.limit_prices import UNIT, LimitPrice, figures, summary
from outputs.sheets import Sheet
from outputs.wording import amount

MOST_LISTED = 10

MEANING = (
    "What one more unit of a limit would save at the margin: shadow prices of the "
    "relaxed problem, in which a job may be split. They hold for small changes of one "
    "limit at a time; whole jobs may gain less, or nothing."
)
_NOTHING_DEAR = "No limit costs anything: more of any would save next to nothing."
_NOT_COMPUTED = "Not computed for this plan."


def costs_text(comparison: Comparison) -> str:
    """The sentences above the table."""
    prices = comparison.limit_prices
    if prices is None:
        return _NOT_COMPUTED
    if not prices.most_expensive(comparison.grid, 1):
        return _NOTHING_DEAR
    return " ".join([MEANING, *prices.notes])


def costs_sheet(comparison: Comparison) -> Sheet:
    """The dearest limits with their hours."""
    prices, grid = comparison.limit_prices, comparison.grid
    limits = [] if prices is None else prices.most_expensive(grid, MOST_LISTED)
    return Sheet(
        columns=(
            *("region", "limit", "dearest", "kg a unit and hour then"),
            *("hours priced", "kg for one unit more", "kg for 1 % more"),
        ),
        rows=tuple(
            (
                *(limit.region, limit.limit, _dearest(limit, grid)),
                amount(float(limit.kg.max())),
                f"{limit.priced_hours(grid):g}",
                amount(limit.one_unit_kg(grid)),
                amount(limit.one_percent_kg(grid)),
            )
            for limit in limits
        ),
        text_columns=frozenset({0, 1, 2}),
        notes=("More means more in every slot of the horizon.",) if limits else (),
    )


def costs_document(comparison: Comparison) -> dict[str, Any] | None:
    """All limits that have a price, with one figure a slot."""
    prices, grid = comparison.limit_prices, comparison.grid
    if prices is None:
        return None
    limits = prices.most_expensive(grid, len(prices.limits))
    return {
        "unit": UNIT,
        "notes": list(prices.notes),
        "limits": [
            {**summary(limit, grid), "kg_per_unit_hour": figures(limit.kg)}
            for limit in limits
        ],
    }


def _dearest(limit: LimitPrice, grid: TimeGrid) -> str:
    begins, ends = (grid.slot_start(slot) for slot in limit.dearest())
    return f"{_clock(begins, grid)}–{_clock(ends, grid)}"


def _clock(instant: datetime, grid: TimeGrid) -> str:
    local = instant.astimezone(ZoneInfo(grid.timezone))
    if grid.n_slots * grid.slot_hours <= 25:
        return f"{local:%H:%M}"
    return f"{local:%d.%m. %H:%M}"
