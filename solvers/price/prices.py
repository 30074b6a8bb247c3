"""Finding good prices: on a sample of the jobs first, then on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solvers.job_columns import JobColumns, job_columns
from solvers.price.ascent import Units, ascend
from solvers.price.crew import Crew
from solvers.price.duals import Ground, Point, dual_value
from solvers.problem import FloatArray, Problem

_SMALL, _MIDDLE, _LARGE = 3_000, 30_000, 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One ascent: on how many jobs, for how many passes, with what first step."""

    jobs: int
    rounds: int
    step: float


def levels(n_jobs: int) -> list[Level]:
    """Ascents that lead to good prices for a number of jobs.

    A pass over a sample, its limits scaled down alike, costs a fraction of a full
    one and leaves prices that few full passes put right.
    """
    steps = [(_SMALL, 300, 0.05), (_MIDDLE, 120, 0.005), (_LARGE, 20, 0.001)]
    samples = [
        Level(jobs=jobs, rounds=rounds, step=step)
        for jobs, rounds, step in steps
        if jobs < n_jobs
    ]
    first = Level(jobs=n_jobs, rounds=400, step=0.05)
    return [*(samples or [first]), full_level(n_jobs)]


def full_level(n_jobs: int) -> Level:
    """Ascent on all jobs, with fewer passes and finer steps the more there are.

    First steps go up and down alike whatever the slope, so that on prices that are
    nearly right long ones do more harm than a few passes can mend.
    """
    rounds = int(np.clip(2_000_000 / max(1, n_jobs), 5, 200))
    for jobs, step in ((_LARGE, 0.0002), (_MIDDLE, 0.001)):
        if n_jobs > jobs:
            return Level(jobs=n_jobs, rounds=rounds, step=step)
    return Level(jobs=n_jobs, rounds=rounds, step=0.005)


class Pricer:
    """Improves the prices of one problem, level by level.

    Parameters
    ----------
    problem, ground, jobs
        The problem, and as the kernels read it.
    crew
        Threads for the passes.
    seed
        Of the sample.
    """

    def __init__(
        self,
        problem: Problem,
        ground: Ground,
        jobs: JobColumns,
        *,
        crew: Crew,
        seed: int,
    ) -> None:
        self._problem, self._ground, self._jobs = problem, ground, jobs
        self._crew, self._seed = crew, seed
        self.units = units(problem)
        self.mean_cost = self.units.work / max(1, problem.n_jobs)
        self.rounds = 0
        self.point = Point(energy=ground.weight, capacity=np.zeros(ground.room.shape))

    def climb(self, level: Level, stop: Callable[[], bool]) -> float:
        """Go through one level from the prices so far; the value that it reached."""
        jobs, times = self._sample(level.jobs)
        stale = _Stale()

        def done(value: float) -> bool:
            return stop() or stale(value)

        found = ascend(
            lambda point: dual_value(
                self._ground, jobs, point, self._crew, times=times
            ),
            self.point,
            units=self.units,
            weight=self._ground.weight,
            rounds=level.rounds,
            step=level.step,
            stop=done,
        )
        self.point = found.point
        self.rounds += found.rounds
        return found.value

    def _sample(self, size: int) -> tuple[JobColumns, FloatArray]:
        n_jobs = self._problem.n_jobs
        if size >= n_jobs:
            return self._jobs, np.empty(0)
        rng = np.random.default_rng(self._seed)
        chosen = np.unique(rng.integers(0, n_jobs, size))
        times = np.full(len(chosen), n_jobs / len(chosen))
        return job_columns(self._problem.jobs, chosen), times


class _Stale:
    """Tells that a value has not risen for a while."""

    def __init__(self, patience: int = 60, least: float = 1e-7) -> None:
        self._patience, self._least = patience, least
        self._mark, self._since = -np.inf, 0

    def __call__(self, value: float) -> bool:
        if value > self._mark + self._least * abs(value):
            self._mark, self._since = value, 0
        else:
            self._since += 1
        return self._since > self._patience


def units(problem: Problem) -> Units:
    """Typical sizes of prices: what the energy of the work costs per unit held."""
    places, jobs = problem.places, problem.jobs
    weight = float(np.abs(places.weight_per_kwh).mean()) or 1.0
    energy = float(jobs.energy_kwh(places.slot_hours).sum()) * weight
    held = jobs.n_slots.astype(np.float64) @ jobs.demand
    if energy <= 0.0:
        energy = float(jobs.unplaced_cost.sum())
    capacity = np.divide(energy, held, out=np.ones(held.shape), where=held > 0.0)
    return Units(energy=weight, capacity=capacity, work=energy)
