"""Which jobs any plan could place at all; the others have no price in the objective.

A job without a start or a region that could ever hold it is unplaced in every plan.
Its price would only make the objective large and the gap look small.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from inputs.jobs import NO_INSTANT, NO_REGION
from outputs.check.instance import FloatArray, IndexArray, Instance, Int64Array
from outputs.check.replay import Usage

BoolArray = npt.NDArray[np.bool_]

_ROUNDING = 1e-9
"""Relative rounding on a capacity that keeps no job out."""


def plannable(instance: Instance, job: IndexArray, before: Usage) -> BoolArray:
    """Whether each job could be placed if it were alone.

    Parameters
    ----------
    instance
        The inputs.
    job
        Rows of the jobs that are asked about.
    before
        What earlier work holds.
    """
    return _has_start(instance, job) & _has_region(instance, job, before)


def pinned_start_us(instance: Instance, job: IndexArray) -> Int64Array:
    """Start that the user's override means, ``NO_INSTANT`` without one. [µs]

    A start pinned to the earliest instant means the first slot border from there.
    """
    pin = instance.jobs.pin_start_us[job]
    at_earliest = (pin != NO_INSTANT) & (pin == instance.jobs.earliest_us[job])
    return np.where(at_earliest, _next_border(instance, instance.earliest_us[job]), pin)


def _has_start(instance: Instance, job: IndexArray) -> BoolArray:
    grid = instance.grid
    duration = instance.jobs.duration_us[job]
    pin = pinned_start_us(instance, job)
    opens = _next_border(instance, instance.earliest_us[job])
    start = np.where(pin == NO_INSTANT, opens, pin)
    on_border = (start - grid.start_us) % grid.step_us == 0
    held_until = start + -(-duration // grid.step_us) * grid.step_us
    in_time = (start >= opens) & (start + duration <= instance.deadline_us[job])
    within: BoolArray = on_border & in_time & (held_until <= grid.end_us)
    return within


def _next_border(instance: Instance, instant_us: Int64Array) -> Int64Array:
    grid = instance.grid
    return instant_us + (grid.start_us - instant_us) % grid.step_us


def _has_region(instance: Instance, job: IndexArray, before: Usage) -> BoolArray:
    jobs, regions = instance.jobs, instance.settings.regions
    possible: BoolArray = jobs.allowed[job].copy()
    pin = jobs.pin_region[job]
    possible &= (pin[:, None] == NO_REGION) | (pin[:, None] == np.arange(len(regions)))
    for k, name in enumerate(jobs.resource_names):
        free = (instance.capacity(name)[:, None] - before.demand[k]).max(axis=1)
        possible &= jobs.demand[job, k, None] <= _at_most(free, unit=1.0)
    for r, region in enumerate(regions):
        if region.power_cap_kw is not None:
            free_kw = (region.power_cap_kw - before.power_kw[r]).max()
            most_kw = _at_most(free_kw, unit=region.pue)
            possible[:, r] &= jobs.power_kw[job] * region.pue <= most_kw
    return np.asarray(possible.any(axis=1))


def _at_most(free: FloatArray, *, unit: float) -> FloatArray:
    """What counts as fitting into free units, relative to ``unit`` where less is."""
    some = np.maximum(free, 0.0)
    most: FloatArray = some + _ROUNDING * np.maximum(some, unit)
    return most
