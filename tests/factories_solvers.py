"""Smallest valid problems for solver tests; a test overrides what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from solvers.problem import Places, Problem, RigidJobs
from solvers.solution import UNPLACED, Schedule

POWER = "power_kw"


@dataclass(frozen=True, kw_only=True)
class AJob:
    """One job in the terms of a test: 1 kW for one slot, anywhere, at any time."""

    slots: int = 1
    fraction: float = 1.0
    first: int = 0
    last: int | None = None
    regions: Sequence[int] | None = None
    power_kw: float = 1.0
    demand: Mapping[str, float] = field(default_factory=dict)
    place_cost: Sequence[float] | float = 0.0
    place_kg: Sequence[float] | float = 0.0
    delay_cost: float = 0.0
    unplaced_cost: float = 1e4
    home: int | None = None


def a_problem(
    jobs: Sequence[AJob] = (),
    *,
    weight: Sequence[Sequence[float]] = ((1.0, 1.0, 1.0, 1.0),),
    g_per_kwh: Sequence[Sequence[float]] | None = None,
    slot_hours: float = 1.0,
    pue: Sequence[float] | float = 1.0,
    solar_kwh: Sequence[Sequence[float]] | float = 0.0,
    solar_budget_kwh: Sequence[Sequence[float]] | float = np.inf,
    day: Sequence[int] | None = None,
    capacity: Mapping[str, object] | None = None,
) -> Problem:
    """Build a problem; scalars are spread over regions and slots.

    ``capacity`` maps a resource to one number, one a region (as a column), or one
    a region and slot; without a ``power_kw`` in it there is no power limit.
    """
    weights = np.array(weight, dtype=float)
    n_regions, n_slots = weights.shape
    carbon = weights * 1000.0 if g_per_kwh is None else np.array(g_per_kwh, dtype=float)
    days = np.array(day if day is not None else [0] * n_slots, dtype=np.int64)
    limits = {} if capacity is None else dict(capacity)
    shape = (n_regions, n_slots)
    places = Places(
        slot_hours=slot_hours,
        weight_per_kwh=weights,
        g_per_kwh=carbon,
        pue=_spread(pue, (n_regions,)),
        solar_kwh=_spread(solar_kwh, shape),
        solar_budget_kwh=_spread(
            solar_budget_kwh, (n_regions, int(days[-1]) + 1 if n_slots else 0)
        ),
        day=days,
        capacity=np.array([_spread(c, shape) for c in limits.values()]).reshape(
            len(limits), *shape
        ),
        resources=tuple(limits),
    )
    return Problem(places=places, jobs=_jobs(jobs, places))


def a_schedule(*placed: tuple[int, int] | None) -> Schedule:
    """Schedule from ``(region, start)`` of every job, None where unplaced."""
    pairs = [(UNPLACED, UNPLACED) if p is None else p for p in placed]
    return Schedule(
        region=np.array([r for r, _ in pairs], dtype=np.int16),
        start=np.array([s for _, s in pairs], dtype=np.int32),
    )


def _spread(value: object, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(np.array(value, dtype=float), shape).copy()


def _jobs(jobs: Sequence[AJob], places: Places) -> RigidJobs:
    n, n_regions = len(jobs), places.n_regions
    allowed = np.zeros((n, n_regions), dtype=bool)
    demand = np.zeros((n, places.n_resources))
    for j, job in enumerate(jobs):
        allowed[j, list(range(n_regions) if job.regions is None else job.regions)] = (
            True
        )
        for k, name in enumerate(places.resources):
            usual = job.power_kw if name == POWER else 0.0
            demand[j, k] = job.demand.get(name, usual)
    lasts = [places.n_slots - j.slots if j.last is None else j.last for j in jobs]
    homes = [
        int(np.flatnonzero(allowed[i])[0]) if j.home is None else j.home
        for i, j in enumerate(jobs)
    ]
    columns = np.array([_spread(j.place_cost, (n_regions,)) for j in jobs])
    kilograms = np.array([_spread(j.place_kg, (n_regions,)) for j in jobs])
    return RigidJobs(
        n_slots=np.array([j.slots for j in jobs], dtype=np.int32),
        last_fraction=np.array([j.fraction for j in jobs], dtype=float),
        first=np.array([j.first for j in jobs], dtype=np.int32),
        last=np.array(lasts, dtype=np.int32),
        allowed=allowed,
        power_kw=np.array([j.power_kw for j in jobs], dtype=float),
        demand=demand,
        place_cost=columns.reshape(n, n_regions),
        place_kg=kilograms.reshape(n, n_regions),
        delay_cost=np.array([j.delay_cost for j in jobs], dtype=float),
        unplaced_cost=np.array([j.unplaced_cost for j in jobs], dtype=float),
        home=np.array(homes, dtype=np.int16),
    )
