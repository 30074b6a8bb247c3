"""Can these jobs all be placed? An exact yes or no, by constraint programming.

Costs play no part here. The question is asked of OR-Tools' CP-SAT, which counts in
whole numbers: demands and capacities are scaled and rounded so that its problem is
never harder than ours. Its *no* is therefore a proof; its *yes* is checked against our
limits before it is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np

from solvers.errors import SolverNotInstalledError
from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.problem import FloatArray, Int64Array, Problem
from solvers.solution import UNPLACED, Schedule

_FINEST = 10**6
"""Largest factor that turns units into whole numbers."""


_DEMAND_ROUNDING = 1e-9
_CAPACITY_ROUNDING = 1e-6
"""In scaled units: what rounds a thousand demands up stays below one capacity."""


class Verdict(StrEnum):
    """Answer to the question."""

    FITS = "fits"
    """A schedule that keeps every limit is in hand."""
    IMPOSSIBLE = "impossible"
    """Proven: there is none."""
    UNKNOWN = "unknown"
    """Out of time, or within the rounding of the limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Answer with its evidence.

    Parameters
    ----------
    verdict
        See ``Verdict``.
    schedule
        With ``FITS``: places of the jobs asked for, all others unplaced.
    least
        For questions about a least change: how much of it. [units or slots]
    proven
        Whether nothing less than ``least`` would do.
    """

    verdict: Verdict
    schedule: Schedule | None = None
    least: float = 0.0
    proven: bool = True


_UNDECIDED = Fit(verdict=Verdict.UNKNOWN)


def fit(problem: Problem, jobs: Sequence[int], *, time_limit_s: float) -> Fit:
    """Whether some jobs of a problem can all be placed, the others left out."""
    if time_limit_s <= 0:
        return _UNDECIDED
    return _Model(problem, jobs).answer(time_limit_s)


def least_capacity(
    problem: Problem, resource: int, region: int, *, time_limit_s: float
) -> Fit:
    """Fewest units, added to a resource of a region all day, that let all jobs fit."""
    if time_limit_s <= 0:
        return _UNDECIDED
    model = _Model(problem, range(problem.n_jobs), growing=(resource, region))
    return model.answer(time_limit_s)


def least_shift(problem: Problem, job: int, *, later: bool, time_limit_s: float) -> Fit:
    """Fewest slots by which one job's window must grow that let all jobs fit.

    Parameters
    ----------
    problem
        All of its jobs are to be placed.
    job
        The one whose window grows.
    later
        At its end (a later deadline) or at its start (an earlier release).
    time_limit_s
        Elapsed time after which to give up. [s]
    """
    if time_limit_s <= 0:
        return _UNDECIDED
    model = _Model(problem, range(problem.n_jobs), shifting=(job, later))
    return model.answer(time_limit_s)


class _Model:
    """CP-SAT model of the question: one interval for each job and region."""

    def __init__(
        self,
        problem: Problem,
        jobs: Sequence[int],
        *,
        growing: tuple[int, int] | None = None,
        shifting: tuple[int, bool] | None = None,
    ) -> None:
        try:
            from ortools.sat.python import cp_model
        except ImportError as missing:
            raise SolverNotInstalledError(
                "explaining conflicts needs OR-Tools; install ortools"
            ) from missing
        self._cp, self._model = cp_model, cp_model.CpModel()
        self._problem, self._jobs = problem, list(jobs)
        self._growing, self._shifting = growing, shifting
        self._change: Any = None
        self._starts: dict[int, Any] = {}
        self._chosen: dict[int, dict[int, Any]] = {}
        self._intervals: dict[int, list[tuple[int, Any]]] = {
            r: [] for r in range(problem.places.n_regions)
        }
        for job in self._jobs:
            self._add_job(job)
        for k in range(problem.places.n_resources):
            self._add_resource(k)

    def answer(self, time_limit_s: float) -> Fit:
        """Solve, and check what comes back."""
        solver = self._cp.CpSolver()
        solver.parameters.max_time_in_seconds = time_limit_s
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        if self._change is not None:
            self._model.minimize(self._change)
        status = solver.solve(self._model)
        if status == self._cp.INFEASIBLE:
            return Fit(verdict=Verdict.IMPOSSIBLE)
        if status not in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            return _UNDECIDED
        schedule = self._schedule(solver)
        least = self._least(solver, schedule)
        if violations(self._changed(least), schedule):
            return _UNDECIDED
        return Fit(
            verdict=Verdict.FITS,
            schedule=schedule,
            least=least,
            proven=status == self._cp.OPTIMAL,
        )

    def _add_job(self, job: int) -> None:
        jobs, model = self._problem.jobs, self._model
        first, last = int(jobs.first[job]), int(jobs.last[job])
        duration = int(jobs.n_slots[job])
        start = model.new_int_var(first, last, "")
        if self._shifting is not None and self._shifting[0] == job:
            start = self._shifted(first, last, duration, later=self._shifting[1])
        self._starts[job] = start
        regions = np.flatnonzero(jobs.allowed[job]).tolist()
        self._chosen[job] = {r: model.new_bool_var("") for r in regions}
        model.add_exactly_one(self._chosen[job].values())
        for r, chosen in self._chosen[job].items():
            interval = model.new_optional_fixed_size_interval_var(
                start, duration, chosen, ""
            )
            self._intervals[r].append((job, interval))

    def _shifted(self, first: int, last: int, duration: int, *, later: bool) -> Any:
        model, horizon = self._model, self._problem.places.n_slots - duration
        low, high = (first, horizon) if later else (0, last)
        start = model.new_int_var(low, high, "")
        self._change = model.new_int_var(0, high - last if later else first, "")
        model.add(
            start <= last + self._change if later else start >= first - self._change
        )
        return start

    def _add_resource(self, k: int) -> None:
        units = self._problem.jobs.demand[self._jobs, k]
        if self._growing is not None and self._growing[0] == k:
            # What is to be added fills up to a demand from any capacity.
            capacity = self._problem.places.capacity[k].ravel()
            units = np.append(units, capacity[np.isfinite(capacity)])
        scale = _scale(units)
        for r in range(self._problem.places.n_regions):
            if self._intervals[r]:
                self._add_limit(k, r, scale)

    def _add_limit(self, k: int, r: int, scale: int) -> None:
        """Demands of the runs in a region at most its capacity, slot by slot."""
        jobs, places = self._problem.jobs, self._problem.places
        grows = self._growing == (k, r)
        held = [(j, i) for j, i in self._intervals[r] if jobs.demand[j, k] > 0]
        units = _down(jobs.demand[[j for j, _ in held], k] * scale, _DEMAND_ROUNDING)
        total = int(units.sum())
        scaled = np.clip(places.capacity[k, r] * scale, 0.0, total)
        levels = _down(scaled, _CAPACITY_ROUNDING)
        if levels.min(initial=total) == total and not grows:
            return
        most = int(levels.max())
        intervals = [i for _, i in held]
        amounts = units.tolist()
        for start, end in _stretches(levels):
            if levels[start] < most:
                intervals.append(
                    self._model.new_fixed_size_interval_var(start, end - start, "")
                )
                amounts.append(most - int(levels[start]))
        limit: Any = most
        if grows:
            self._change = self._model.new_int_var(0, total, "")
            limit = most + self._change
        self._model.add_cumulative(intervals, amounts, limit)

    def _schedule(self, solver: Any) -> Schedule:
        region = np.full(self._problem.n_jobs, UNPLACED, dtype=np.int16)
        start = np.full(self._problem.n_jobs, UNPLACED, dtype=np.int32)
        for job in self._jobs:
            start[job] = solver.value(self._starts[job])
            region[job] = next(
                r for r, lit in self._chosen[job].items() if solver.boolean_value(lit)
            )
        return Schedule(region=region, start=start)

    def _least(self, solver: Any, schedule: Schedule) -> float:
        """How much of the change the schedule needs, free of the scaling."""
        if self._growing is not None:
            usage = evaluate(self._problem, schedule).usage[self._growing]
            excess = usage - self._problem.places.capacity[self._growing]
            return float(np.ceil(max(excess.max(), 0.0) * 1e9 - 1e-3) / 1e9)
        return float(solver.value(self._change)) if self._shifting is not None else 0.0

    def _changed(self, least: float) -> Problem:
        """Problem after the change that was found."""
        if self._growing is not None:
            return with_capacity(self._problem, *self._growing, least)
        if self._shifting is not None:
            job, later = self._shifting
            return with_window(self._problem, job, slots=round(least), later=later)
        return self._problem


def with_capacity(problem: Problem, resource: int, region: int, add: float) -> Problem:
    """Problem with more units of a resource in a region, all day."""
    capacity = problem.places.capacity.copy()
    capacity[resource, region] += add
    return replace(problem, places=replace(problem.places, capacity=capacity))


def with_window(problem: Problem, job: int, *, slots: int, later: bool) -> Problem:
    """Problem with a later deadline or an earlier release of one job."""
    name = "last" if later else "first"
    edge = getattr(problem.jobs, name).copy()
    edge[job] += slots if later else -slots
    return replace(problem, jobs=replace(problem.jobs, **{name: edge}))


def _scale(units: FloatArray) -> int:
    """Smallest power of ten that makes units whole numbers, up to ``_FINEST``."""
    scale = 1
    while scale < _FINEST:
        scaled = units * scale
        if np.allclose(scaled, np.round(scaled), rtol=1e-12, atol=1e-9):
            break
        scale *= 10
    return scale


def _down(scaled: FloatArray, rounding: float) -> Int64Array:
    """Whole units below, where less than ``rounding`` may be missing to the next."""
    return np.floor(scaled * (1 + 1e-14) + rounding).astype(np.int64)


def _stretches(levels: Int64Array) -> list[tuple[int, int]]:
    """Stretches of equal level as ``(start, end)``."""
    edges = np.flatnonzero(np.diff(levels)) + 1
    return list(pairwise([0, *edges.tolist(), len(levels)]))
