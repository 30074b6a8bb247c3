"""Jobs that no schedule could place, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from inputs.jobs import NO_INSTANT, BoolArray, FloatArray, Jobs
from inputs.timegrid import TimeGrid, from_us
from planner.formulate.windows import Windows
from solvers.problem import Places

IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exclusions:
    """Rows of ``Jobs`` that cannot be planned, and why.

    Parameters
    ----------
    rows
        Row numbers, rising, shape (n_excluded,).
    reasons
        One sentence for each.
    """

    rows: IndexArray
    reasons: tuple[str, ...]


def exclude(
    jobs: Jobs,
    grid: TimeGrid,
    *,
    windows: Windows,
    demand: FloatArray,
    possible: BoolArray,
    fits: BoolArray,
    places: Places,
    region_names: tuple[str, ...],
) -> Exclusions:
    """Find the jobs without any region or start, and say what stands in the way.

    Parameters
    ----------
    jobs, grid, windows
        All jobs, and their slots on the grid.
    demand
        Units of every resource and IT power, shape (n_jobs, n_resources).
    possible
        Whether the job may run in a region, shape (n_jobs, n_regions).
    fits
        Whether that region could ever hold it, same shape.
    places
        Capacity after earlier work.
    region_names
        In the order of the problem.
    """
    off = windows.off_border
    short = ~off & (windows.first > windows.last)
    nowhere = ~off & ~short & ~possible.any(axis=1)
    large = ~off & ~short & ~nowhere & ~fits.any(axis=1)
    words = _Words(grid, places, region_names)
    pin, duration = jobs.pin_start_us, jobs.duration_us
    window = (jobs.earliest_us, jobs.deadline_us)
    reasons = np.full(len(jobs), None, dtype=object)
    reasons[off] = _told(words.off_border, pin[off])
    columns = (*window, duration, windows.n_slots, pin)
    reasons[short] = _told(words.short_window, *(column[short] for column in columns))
    reasons[nowhere] = _told(words.nowhere, jobs.demand[nowhere])
    lacks = words.largest_lacks(demand[large], possible[large])
    reasons[large] = _told(words.too_large, *lacks)
    rows = np.flatnonzero(off | short | nowhere | large)
    return Exclusions(rows=rows, reasons=tuple(reasons[rows]))


def _told(sentence: Callable[..., str], *columns: npt.NDArray[np.generic]) -> list[str]:
    """A sentence about each job; jobs that are alike share one."""
    tell = cache(sentence)
    return [tell(*facts) for facts in zip(*map(_hashable, columns), strict=True)]


def _hashable(column: npt.NDArray[np.generic]) -> Iterator[object]:
    values = column.tolist()
    return map(tuple, values) if column.ndim > 1 else iter(values)


class _Words:
    """What stands in the way of one job, in words that a user can act on."""

    def __init__(
        self, grid: TimeGrid, places: Places, region_names: tuple[str, ...]
    ) -> None:
        self._origin_us, self._end_us = grid.start_us, grid.end_us
        self._step_us = grid.step_us
        self._resources = places.resources
        self._largest = places.capacity.max(axis=2)
        self._most = self._largest.tolist()
        self._regions = region_names

    def off_border(self, pin_us: int) -> str:
        """Its pinned start is none of the instants at which jobs may start."""
        border = pin_us - (pin_us - self._origin_us) % self._step_us
        return (
            f"pinned start {_clock(pin_us)} is not a slot border; the nearest are "
            f"{_clock(border)} and {_clock(border + self._step_us)}"
        )

    def short_window(
        self,
        earliest_us: int,
        deadline_us: int,
        duration_us: int,
        n_slots: int,
        pin_us: int,
    ) -> str:
        """No start of its window leaves it enough time."""
        begins = self._origin_us if earliest_us == NO_INSTANT else earliest_us
        ends = self._end_us if deadline_us == NO_INSTANT else deadline_us
        opens, closes = max(begins, self._origin_us), min(ends, self._end_us)
        if closes <= opens:
            return (
                f"its window {_clock(begins)} – {_clock(ends)} lies outside of "
                f"the horizon {_clock(self._origin_us)} – {_clock(self._end_us)}"
            )
        pinned = (
            "" if pin_us == NO_INSTANT else f" from its pinned start {_clock(pin_us)}"
        )
        return (
            f"it runs {duration_us / 60e6:g} min in {n_slots} slots; its window "
            f"{_clock(opens)} – {_clock(closes)}, cut to the horizon and to slot "
            f"borders, cannot hold it{pinned}"
        )

    def nowhere(self, demand: tuple[float, ...]) -> str:
        """None of the regions that it may use has all its resources."""
        needs = ", ".join(
            f"{name} {units:g}"
            for name, units in zip(self._resources[:-1], demand, strict=True)
            if units > 0
        )
        return f"no region that it may use has what it needs: {needs}"

    def largest_lacks(
        self, demand: FloatArray, possible: BoolArray
    ) -> tuple[IndexArray, FloatArray]:
        """Resource that each region lacks most of, and units that the job needs.

        Returns
        -------
        resource, units
            Shape (n_jobs, n_regions); resource is -1 where the job may not run.
        """
        most = np.argmax(demand[:, :, None] - self._largest, axis=1)
        units = np.take_along_axis(demand, most, axis=1)
        return np.where(possible, most, -1), np.where(possible, units, 0.0)

    def too_large(self, resource: tuple[int, ...], units: tuple[float, ...]) -> str:
        """No region that it may use could hold it, were it alone there."""
        lacks = "; ".join(
            f"{self._resources[k]} {needed:g} of at most {self._most[k][r]:g} "
            f"in {self._regions[r]}"
            for r, (k, needed) in enumerate(zip(resource, units, strict=True))
            if k >= 0
        )
        return f"it needs more than there is: {lacks}"


@lru_cache(maxsize=4096)
def _clock(us: int) -> str:
    return from_us(us).strftime("%Y-%m-%dT%H:%MZ")
