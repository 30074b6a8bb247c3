"""Intervals of any length onto slots, keeping the mean and so the energy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from forecasts.errors import ForecastIncompleteError
from forecasts.intervals import Intervals
from forecasts.provider import Int64Array
from forecasts.series import FloatArray, Quality
from inputs.timegrid import TimeGrid, from_us

_MICROSECOND = timedelta(microseconds=1)
_SHOWN_HOLES = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slots:
    """Columns of ``Intervals`` on the slots of a grid.

    Parameters
    ----------
    columns
        Mean of each slot, shape (1 + n_levels, n_slots).
    filled
        Whether any part of the slot was filled in, shape (n_slots,).
    """

    columns: FloatArray
    filled: npt.NDArray[np.bool_]

    def quality(self, provided: Quality) -> npt.NDArray[np.int8]:
        """Quality of each slot, where unfilled ones are ``provided``."""
        filled = max(provided, Quality.FILLED)
        return np.where(self.filled, filled, provided).astype(np.int8)


def to_slots(
    intervals: Intervals,
    grid: TimeGrid,
    *,
    max_gap: timedelta,
    edge: timedelta = timedelta(0),
) -> Slots:
    """Mean over each slot of what the intervals say.

    A slot's value is the mean weighted by overlap: the integral over any run of
    whole slots that is covered equals that of the source. A gap between two values
    of at most ``max_gap`` is bridged by the straight line from the middle of the
    interval before to the middle of the one after. Before the first and after the
    last value at most one step of the source or ``edge``, and at most ``max_gap``,
    is held.

    Parameters
    ----------
    intervals
        Without NaN in any column.
    grid
        The slots.
    max_gap
        Longest hole that may be filled.
    edge
        How long a value may be held at the edges although the step is shorter.

    Raises
    ------
    ForecastIncompleteError
        If a longer hole is left; lists the holes.
    """
    starts, ends = intervals.starts_us, intervals.ends_us
    if not len(starts):
        raise ForecastIncompleteError("no value at all lies near the horizon")
    cuts = _cuts(starts, ends, grid)
    left, right = cuts[:-1], cuts[1:]
    before = np.searchsorted(starts, left, side="right") - 1
    covered = (before >= 0) & (left < ends[before])
    limits = (max_gap // _MICROSECOND, edge // _MICROSECOND)
    bridged = ~covered & _may_fill(before, intervals, grid, limits)
    _refuse_holes(left, right, ~(covered | bridged), max_gap=max_gap)
    slot = (left - grid.start_us) // grid.step_us
    weight = (right - left) / grid.step_us
    columns: FloatArray = np.stack(
        [
            np.bincount(slot, weight * pieces, minlength=grid.n_slots)
            for pieces in _values(intervals, left, right, (before, covered))
        ],
        dtype=np.float64,
    )
    filled = np.bincount(slot, bridged, minlength=grid.n_slots) > 0
    return Slots(columns=columns, filled=filled)


def _cuts(starts: Int64Array, ends: Int64Array, grid: TimeGrid) -> Int64Array:
    """Every border of an interval or slot within the horizon, rising."""
    borders = np.concatenate([starts, ends, grid.starts_us(), [grid.end_us]])
    inside = (borders >= grid.start_us) & (borders <= grid.end_us)
    return np.unique(borders[inside])


def _may_fill(
    before: Int64Array,
    intervals: Intervals,
    grid: TimeGrid,
    longest_us: tuple[int, int],
) -> npt.NDArray[np.bool_]:
    """For each piece, whether a gap at its place is short enough to be filled.

    ``longest_us`` holds ``max_gap`` and ``edge``. [µs]
    """
    starts, ends = intervals.starts_us, intervals.ends_us
    gaps = np.concatenate(
        [
            [starts[0] - grid.start_us],
            starts[1:] - ends[:-1],
            [grid.end_us - ends[-1]],
        ]
    )
    max_gap_us, edge_us = longest_us
    limits = np.full(len(gaps), max_gap_us, dtype=np.int64)
    limits[0] = min(max_gap_us, max(edge_us, intervals.steps_us[0]))
    limits[-1] = min(max_gap_us, max(edge_us, intervals.steps_us[-1]))
    return np.asarray((gaps <= limits)[before + 1])


def _values(
    intervals: Intervals,
    left: Int64Array,
    right: Int64Array,
    place: tuple[Int64Array, npt.NDArray[np.bool_]],
) -> list[FloatArray]:
    """Mean of each column over each piece; a line's mean is its value midway."""
    before, covered = place
    origin = intervals.starts_us[0]
    middles = (intervals.starts_us - origin) + intervals.steps_us / 2
    at = (left - origin) + (right - left) / 2
    return [
        np.where(covered, column[before], np.interp(at, middles, column))
        for column in intervals.columns
    ]


def _refuse_holes(
    left: Int64Array,
    right: Int64Array,
    hole: npt.NDArray[np.bool_],
    *,
    max_gap: timedelta,
) -> None:
    if not hole.any():
        return
    first = hole & ~np.append(False, hole[:-1])
    last = hole & ~np.append(hole[1:], False)
    spans = [
        f"{from_us(start).isoformat()} to {from_us(end).isoformat()}"
        for start, end in zip(left[first], right[last], strict=True)
    ]
    more = len(spans) - _SHOWN_HOLES
    text = ", ".join(spans[:_SHOWN_HOLES]) + (f" and {more} more" if more > 0 else "")
    raise ForecastIncompleteError(
        f"no values from {text}; holes up to {max_gap} are filled, and edges up to "
        "one step of the source"
    )
