"""Jobs that no schedule could place, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

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
    fits
        Whether a region could ever hold the job, shape (n_jobs, n_regions).
    places
        Capacity after earlier work.
    region_names
        In the order of the problem.
    """
    holds = windows.first <= windows.last
    rows = np.flatnonzero(windows.off_border | ~holds | ~fits.any(axis=1))

    def reason(row: int) -> str:
        if windows.off_border[row]:
            return _off_border(jobs, grid, row)
        if not holds[row]:
            return _short_window(jobs, grid, windows, row)
        return _too_large(jobs, demand[row], places, region_names, row)

    return Exclusions(rows=rows, reasons=tuple(reason(int(row)) for row in rows))


def _off_border(jobs: Jobs, grid: TimeGrid, row: int) -> str:
    pin = int(jobs.pin_start_us[row])
    border = pin - (pin - grid.start_us) % grid.step_us
    return (
        f"pinned start {_clock(pin)} is not a slot border; the nearest are "
        f"{_clock(border)} and {_clock(border + grid.step_us)}"
    )


def _short_window(jobs: Jobs, grid: TimeGrid, windows: Windows, row: int) -> str:
    earliest = int(jobs.earliest_us[row])
    deadline = int(jobs.deadline_us[row])
    opens = grid.start_us if earliest == NO_INSTANT else max(earliest, grid.start_us)
    closes = grid.end_us if deadline == NO_INSTANT else min(deadline, grid.end_us)
    if closes <= opens:
        return (
            f"its window {_clock(earliest if earliest != NO_INSTANT else opens)} – "
            f"{_clock(deadline if deadline != NO_INSTANT else closes)} lies outside of "
            f"the horizon {_clock(grid.start_us)} – {_clock(grid.end_us)}"
        )
    minutes = int(jobs.duration_us[row]) / 60e6
    text = (
        f"it runs {minutes:g} min in {windows.n_slots[row]} slots; its window "
        f"{_clock(opens)} – {_clock(closes)}, cut to the horizon and to slot borders, "
        "cannot hold it"
    )
    if jobs.pin_start_us[row] != NO_INSTANT:
        text += f" from its pinned start {_clock(int(jobs.pin_start_us[row]))}"
    return text


def _too_large(
    jobs: Jobs,
    demand: FloatArray,
    places: Places,
    region_names: tuple[str, ...],
    row: int,
) -> str:
    allowed = np.flatnonzero(jobs.allowed[row])
    if jobs.pin_region[row] >= 0:
        allowed = allowed[allowed == jobs.pin_region[row]]
    if not len(allowed):
        needs = ", ".join(
            f"{name} {units:g}"
            for name, units in zip(jobs.resource_names, jobs.demand[row], strict=True)
            if units > 0
        )
        return f"no region that it may use has what it needs: {needs}"
    largest = places.capacity.max(axis=2)
    lacks = []
    for r in allowed:
        k = int(np.argmax(demand - largest[:, r]))
        lacks.append(
            f"{places.resources[k]} {demand[k]:g} of at most {largest[k, r]:g} "
            f"in {region_names[r]}"
        )
    return f"it needs more than there is: {'; '.join(lacks)}"


def _clock(us: int) -> str:
    return from_us(us).strftime("%Y-%m-%dT%H:%MZ")
