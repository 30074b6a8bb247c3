"""A day that is planned after it has begun: no job can start before now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from inputs.jobs import Int64Array, Jobs
from inputs.manifests import LoadedJobs
from inputs.timegrid import TimeGrid, from_us, to_us


def from_now_on(loaded: LoadedJobs, grid: TimeGrid, now: datetime) -> LoadedJobs:
    """Jobs whose windows begin no earlier than now, where the horizon has begun.

    A horizon that lies ahead, or is over as a whole, is planned as it was meant; that
    a plan comes too late to be followed is noted.

    Parameters
    ----------
    loaded
        Jobs as their manifests say.
    grid
        The horizon.
    now
        The clock when the plan is made, aware.
    """
    now_us = to_us(now.replace(microsecond=0))
    if grid.end_us <= now_us:
        note = (
            f"{grid.date} is over: this plan tells what could have been, and the "
            "executor does not follow it"
        )
        return replace(loaded, notes=(*loaded.notes, note))
    if now_us <= grid.start_us:
        return loaded
    jobs, n_late = _not_before(loaded.jobs, grid, now_us)
    if not n_late:
        return loaded
    note = (
        f"the windows of {n_late:,} jobs began before {_local(now_us, grid)}, when "
        "this plan was made; they are planned from then on"
    )
    return replace(loaded, jobs=jobs, notes=(*loaded.notes, note))


def _local(instant_us: int, grid: TimeGrid) -> str:
    return from_us(instant_us).astimezone(ZoneInfo(grid.timezone)).isoformat()


def _not_before(jobs: Jobs, grid: TimeGrid, now_us: int) -> tuple[Jobs, int]:
    """Jobs with later windows, and how many were changed."""
    opens = np.maximum(jobs.earliest_us, grid.start_us)  # NO_INSTANT is far below
    late = opens < now_us
    # "pin: { start: earliest }" has become the first slot border of the window
    moved = late & (jobs.pin_start_us == _border(opens, grid))
    changed = replace(
        jobs,
        earliest_us=np.where(late, now_us, jobs.earliest_us),
        pin_start_us=np.where(
            moved, _border(np.int64(now_us), grid), jobs.pin_start_us
        ),
    )
    return changed, int(late.sum())


def _border(instant_us: Int64Array | np.int64, grid: TimeGrid) -> Int64Array:
    """First slot border from an instant on. [µs since 1970 UTC]"""
    return np.asarray(instant_us + (grid.start_us - instant_us) % grid.step_us)
