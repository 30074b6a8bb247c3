"""Small problems for tests: seeded at random, drawn by hypothesis, made by hand.

One recipe makes the first two, so that what hypothesis shrinks is what the seeded
runs are made of. Energies, demands and weights are short binary fractions in half of
the instances, so that sums and ties are exact there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from hypothesis import strategies as st

from solvers.problem import FloatArray, Places, Problem, RigidJobs
from tests.factories_solvers import AJob, a_problem


class Source(Protocol):
    """Where the recipe gets its numbers from."""

    def whole(self, low: int, high: int) -> int:
        """Whole number, both ends included."""
        ...

    def real(self, low: float, high: float) -> float:
        """Any number between the ends."""
        ...


@dataclass(frozen=True)
class Seeded:
    """Numbers from a numpy generator."""

    rng: np.random.Generator

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def real(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))


@dataclass(frozen=True)
class Drawn:
    """Numbers from hypothesis, which shrinks them."""

    draw: st.DrawFn

    def whole(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def real(self, low: float, high: float) -> float:
        grain = 1 << 10
        steps = self.draw(st.integers(0, grain))
        return low + (high - low) * steps / grain


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Largest numbers of jobs, regions, slots and resources besides power."""

    jobs: int = 7
    regions: int = 3
    slots: int = 12
    resources: int = 2


SMALL = Sizes()


def random_problem(seed: int, sizes: Sizes = SMALL) -> Problem:
    """Small problem of a seed: the same on every machine."""
    return _recipe(Seeded(np.random.default_rng(seed)), sizes)


@st.composite
def problems(draw: st.DrawFn, sizes: Sizes = SMALL) -> Problem:
    """Small problems for hypothesis."""
    return _recipe(Drawn(draw), sizes)


def _recipe(source: Source, sizes: Sizes) -> Problem:
    exact = source.whole(0, 1) == 0
    n_regions = source.whole(1, sizes.regions)
    n_slots = source.whole(min(4, sizes.slots), sizes.slots)
    places = _places(source, n_regions, n_slots, sizes.resources, exact=exact)
    n_jobs = source.whole(1, sizes.jobs)
    return Problem(places=places, jobs=_jobs(source, places, n_jobs, exact=exact))


def _amount(source: Source, low: int, high: int, *, exact: bool) -> float:
    return source.whole(4 * low, 4 * high) / 4 if exact else source.real(low, high)


def _places(
    source: Source, n_regions: int, n_slots: int, n_more: int, *, exact: bool
) -> Places:
    shape = (n_regions, n_slots)
    slot_hours = (0.25, 0.5, 1.0)[source.whole(0, 2)]
    more = ("cpu", "gpu", "memory_gib")[: source.whole(0, n_more)]
    day = np.zeros(n_slots, dtype=np.int64)
    if source.whole(0, 1):
        day[source.whole(1, n_slots - 1) :] = 1
    g_per_kwh = _intensity(source, shape, exact=exact)
    return Places(
        slot_hours=slot_hours,
        weight_per_kwh=g_per_kwh / 1000 + _tariff(source, shape, exact=exact),
        g_per_kwh=g_per_kwh,
        pue=np.array([(1.0, 1.25, 1.5)[source.whole(0, 2)] for _ in range(n_regions)]),
        solar_kwh=_solar(source, shape, exact=exact) * slot_hours,
        solar_budget_kwh=_budgets(source, n_regions, int(day[-1]) + 1, exact=exact),
        day=day,
        capacity=np.array(
            [_capacity(source, shape, exact=exact) for _ in range(len(more) + 1)]
        ),
        resources=(*more, "power_kw"),
    )


def _fill(shape: tuple[int, ...], value: Callable[[], float]) -> FloatArray:
    values = [value() for _ in range(int(np.prod(shape)))]
    return np.array(values, dtype=np.float64).reshape(shape)


def _intensity(source: Source, shape: tuple[int, int], *, exact: bool) -> FloatArray:
    if source.whole(0, 7) == 0:
        return np.full(shape, 250.0)
    return _fill(shape, lambda: 100 * _amount(source, 0, 6, exact=exact))


def _tariff(source: Source, shape: tuple[int, int], *, exact: bool) -> FloatArray:
    """Electricity price, below zero at times, in a quarter of the problems."""
    if source.whole(0, 3):
        return np.zeros(shape)
    return _fill(shape, lambda: _amount(source, -1, 1, exact=exact))


def _solar(source: Source, shape: tuple[int, int], *, exact: bool) -> FloatArray:
    if source.whole(0, 2) == 0:
        return np.zeros(shape)
    sun = _fill(shape, lambda: _amount(source, -2, 4, exact=exact))
    return np.maximum(sun, 0.0)


def _budgets(source: Source, n_regions: int, n_days: int, *, exact: bool) -> FloatArray:
    def budget() -> float:
        limited = source.whole(0, 3) == 0
        return _amount(source, 0, 4, exact=exact) if limited else np.inf

    return _fill((n_regions, n_days), budget)


def _capacity(source: Source, shape: tuple[int, int], *, exact: bool) -> FloatArray:
    """Level over time, or with holes; tight or loose for a handful of jobs."""
    most = (6, 12, 40)[source.whole(0, 2)]
    levels = _fill((shape[0], 1), lambda: _amount(source, most // 2, most, exact=exact))
    limits = np.broadcast_to(levels, shape).copy()
    if source.whole(0, 2) == 0:
        limits *= _fill(shape, lambda: (0.25, 0.5, 1.0, 1.0)[source.whole(0, 3)])
    return limits


def _jobs(source: Source, places: Places, n_jobs: int, *, exact: bool) -> RigidJobs:
    rows = [_job(source, places, exact=exact) for _ in range(n_jobs)]
    if n_jobs > 1 and source.whole(0, 2) == 0:
        rows[-1] = rows[0]
    columns: dict[str, Any] = {
        name: np.array([row[name] for row in rows], dtype=kind)
        for name, kind in _JOB_COLUMNS.items()
    }
    return RigidJobs(**columns)


_JOB_COLUMNS = {
    "n_slots": np.int32,
    "last_fraction": np.float64,
    "first": np.int32,
    "last": np.int32,
    "allowed": np.bool_,
    "power_kw": np.float64,
    "demand": np.float64,
    "place_cost": np.float64,
    "place_kg": np.float64,
    "delay_cost": np.float64,
    "unplaced_cost": np.float64,
    "home": np.int16,
}


def _job(source: Source, places: Places, *, exact: bool) -> dict[str, object]:
    n_regions, n_slots = places.n_regions, places.n_slots
    duration = source.whole(1, min(4, n_slots))
    first = source.whole(0, n_slots - duration)
    home = source.whole(0, n_regions - 1)
    allowed = [r == home or source.whole(0, 3) > 0 for r in range(n_regions)]
    power_kw = _amount(source, 0, 4, exact=exact)
    units = [
        power_kw if name == "power_kw" else float(source.whole(0, 3))
        for name in places.resources
    ]
    transfer = source.whole(0, 3) == 0
    moved = [
        _amount(source, 0, 1, exact=exact) if transfer and r != home else 0.0
        for r in range(n_regions)
    ]
    return {
        "n_slots": duration,
        "last_fraction": (0.25, 0.5, 1.0, 1.0)[source.whole(0, 3)],
        "first": first,
        "last": source.whole(first, n_slots - duration),
        "allowed": allowed,
        "power_kw": power_kw,
        "demand": units,
        "place_cost": moved,
        "place_kg": [m / 2 for m in moved],
        "delay_cost": (0.0, 0.0, 0.125)[source.whole(0, 2)],
        "unplaced_cost": (1e4, 1e4, 1e3, 1e3, 1.0)[source.whole(0, 4)],
        "home": home,
    }


def empty() -> Problem:
    """No job at all."""
    return a_problem(capacity={"cpu": 4})


def one_job() -> Problem:
    """One job of two slots; best at slot 2 of the second region, 0.3."""
    weight = ((0.5, 0.4, 0.3, 0.4), (0.6, 0.5, 0.1, 0.2))
    return a_problem([AJob(slots=2)], weight=weight, capacity={"cpu": 1})


def no_room() -> Problem:
    """One job that no region can ever hold: it costs its unplaced cost, 50."""
    job = AJob(demand={"cpu": 1}, unplaced_cost=50.0)
    return a_problem([job], capacity={"cpu": 0})


def flat() -> Problem:
    """Equal intensity everywhere: each job belongs at its first slot, region 0."""
    weight = ((0.3,) * 6, (0.3,) * 6)
    jobs = [AJob(slots=2, first=1), AJob(slots=3, first=2, fraction=0.5)]
    return a_problem(jobs, weight=weight, capacity={"cpu": 9})


def equal_jobs() -> Problem:
    """Four equal jobs for two places at a time: the cheap pair of slots twice."""
    jobs = [AJob(slots=1, demand={"cpu": 1})] * 4
    return a_problem(jobs, weight=((0.9, 0.1, 0.1, 0.9),), capacity={"cpu": 2})


def greedy_trap() -> Problem:
    """What is best for the first job costs the second more: optimal 0.1 + 0.2."""
    jobs = [
        AJob(demand={"cpu": 1}, last=1),
        AJob(demand={"cpu": 1}, first=0, last=0),
    ]
    return a_problem(jobs, weight=((0.1, 0.2, 0.9),), capacity={"cpu": 1})


def solar_budget_two_days() -> Problem:
    """Two days of sun under a budget, in one region out of two."""
    jobs = [AJob(slots=2, power_kw=2.0), AJob(slots=2, power_kw=1.0, fraction=0.5)]
    return a_problem(
        jobs,
        weight=((0.5, 0.4, 0.6, 0.3), (0.4, 0.4, 0.4, 0.4)),
        solar_kwh=((0, 3, 3, 0), (0, 0, 0, 0)),
        solar_budget_kwh=((1.5, 0.5), (np.inf, np.inf)),
        day=(0, 0, 1, 1),
        capacity={"power_kw": 3.0},
    )


def negative_price() -> Problem:
    """Drawing from the grid pays in slot 2, where the sun would be in the way."""
    return a_problem(
        [AJob(slots=1, power_kw=2.0)],
        weight=((0.2, 0.1, -0.3, -0.2),),
        solar_kwh=((0, 0, 2, 0),),
        capacity={"power_kw": 2.0},
    )


HAND_MADE: dict[str, Callable[[], Problem]] = {
    make.__name__: make
    for make in (
        empty,
        one_job,
        no_room,
        flat,
        equal_jobs,
        greedy_trap,
        solar_budget_two_days,
        negative_price,
    )
}
"""Hand-made problems by name."""
