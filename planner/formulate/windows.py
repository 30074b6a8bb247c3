"""From instants to slots: how long each job holds a place, and when it may start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inputs.jobs import (
    NO_INSTANT,
    BoolArray,
    FloatArray,
    Int32Array,
    Int64Array,
    Jobs,
)
from inputs.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Windows:
    """Slots of every job, shape (n_jobs,) each.

    Parameters
    ----------
    n_slots
        Slots touched by a run that starts on a slot border.
    last_fraction
        Used part of the last of them, in (0, 1].
    first, last
        First and last slot in which the job may start; ``first > last`` where the
        window cannot hold the job.
    waited_us
        Time from ``earliest`` (cut to the horizon) to the start of ``first``. [µs]
    off_border
        Whether a pinned start lies between slot borders.
    """

    n_slots: Int32Array
    last_fraction: FloatArray
    first: Int32Array
    last: Int32Array
    waited_us: Int64Array
    off_border: BoolArray


def windows(jobs: Jobs, grid: TimeGrid) -> Windows:
    """Cut every job's window to the horizon and to slot borders.

    A run must end by the deadline itself, and the slots that it touches must lie
    within the horizon. A pinned start leaves one slot; a start pinned to
    ``earliest`` means the first slot border from there on.
    """
    step, origin = grid.step_us, grid.start_us
    n_slots = -(-jobs.duration_us // step)
    rest_us = jobs.duration_us - (n_slots - 1) * step
    earliest = np.maximum(_given(jobs.earliest_us, grid.start_us), grid.start_us)
    deadline = np.minimum(_given(jobs.deadline_us, grid.end_us), grid.end_us)
    first = -(-(earliest - origin) // step)
    last = (deadline - jobs.duration_us - origin) // step
    last = np.minimum(last, grid.n_slots - n_slots)

    pinned = jobs.pin_start_us != NO_INSTANT
    at_border = pinned & (jobs.pin_start_us != jobs.earliest_us)
    pin_us = np.where(at_border, jobs.pin_start_us, origin) - origin
    pin_slot, off = np.divmod(pin_us, step)
    outside = at_border & ((pin_slot < first) | (pin_slot > last))
    first = np.where(at_border, pin_slot, first)
    last = np.where(pinned, np.minimum(last, first), last)
    last = np.where(outside, first - 1, last)
    return Windows(
        n_slots=_slots(n_slots),
        last_fraction=rest_us / step,
        first=_slots(first),
        last=_slots(last),
        waited_us=origin + first * step - earliest,
        off_border=at_border & (off != 0),
    )


def _given(instants_us: Int64Array, default_us: int) -> Int64Array:
    return np.where(instants_us == NO_INSTANT, default_us, instants_us)


def _slots(values: Int64Array) -> Int32Array:
    """Narrow slot numbers, which may lie far outside of the horizon."""
    bounds = np.iinfo(np.int32)
    return np.clip(values, bounds.min, bounds.max).astype(np.int32)
