"""Which limits a schedule breaks; every solver's answer passes through here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.evaluate import evaluate
from solvers.problem import Problem
from solvers.solution import Schedule

TOLERANCE = 1e-6
"""Relative slack on a capacity: rounding in sums, not a licence to overbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken limit of a schedule, in indices.

    Parameters
    ----------
    limit
        ``window``, ``region`` or the name of the resource.
    job
        The job, for limits of one job.
    region, slot
        The place, for limits of capacity.
    excess
        Slots outside the window, or units above the capacity.
    """

    limit: str
    job: int | None = None
    region: int | None = None
    slot: int | None = None
    excess: float


def violations(problem: Problem, schedule: Schedule) -> list[Violation]:
    """Every window, region rule and capacity that a schedule breaks.

    Raises
    ------
    ScheduleMismatchError
        If the schedule does not belong to the problem.
    """
    usage = evaluate(problem, schedule).usage
    return [
        *_broken_windows(problem, schedule),
        *_forbidden_regions(problem, schedule),
        *_overbooked(problem, usage),
    ]


def _broken_windows(problem: Problem, schedule: Schedule) -> list[Violation]:
    jobs = problem.jobs
    early = jobs.first - schedule.start
    late = schedule.start - jobs.last
    outside = np.maximum(early, late)
    broken = np.flatnonzero((schedule.region >= 0) & (outside > 0))
    return [
        Violation(limit="window", job=int(j), excess=float(outside[j])) for j in broken
    ]


def _forbidden_regions(problem: Problem, schedule: Schedule) -> list[Violation]:
    placed = np.flatnonzero(schedule.region >= 0)
    allowed = problem.jobs.allowed[placed, schedule.region[placed]]
    return [
        Violation(
            limit="region", job=int(j), region=int(schedule.region[j]), excess=1.0
        )
        for j in placed[~allowed]
    ]


def _overbooked(problem: Problem, usage: np.ndarray) -> list[Violation]:
    places = problem.places
    excess = usage - places.capacity
    slack = TOLERANCE * np.maximum(1.0, np.abs(places.capacity))
    return [
        Violation(
            limit=places.resources[k],
            region=int(r),
            slot=int(t),
            excess=float(excess[k, r, t]),
        )
        for k, r, t in np.argwhere(excess > slack)
    ]
