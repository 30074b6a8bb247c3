"""Schedules one job after another by a rule; what the simple policies share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import numpy as np

from solvers.board import Board, Place
from solvers.evaluate import evaluate
from solvers.problem import BoolArray, Int64Array, Problem
from solvers.solution import Schedule, Solution, SolveOptions, Stats, Status

COMPILED_FROM = 5_001
"""Jobs from which machine code pays for the 0.4 s that loading it takes."""

_JOBS_PER_LOOK = 64
_COMPILED_JOBS_PER_LOOK = 256
"""Jobs between two looks at the clock."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """How a job chooses its place, said twice: for few jobs and for many.

    Parameters
    ----------
    choose
        Place of a job given the board, or None to leave it out.
    clean
        The same rule for ``solvers.compiled_turns``: slots that are clean enough
        for a job to start there at home, shape (n_regions, n_slots); None for the
        cheapest place anywhere.
    """

    choose: Callable[[Board, int], Place | None]
    clean: BoolArray | None


class Turns(Protocol):
    """Takes jobs in one after another."""

    def take(self, order: Int64Array) -> None:
        """Let the jobs of ``order`` choose in turn."""
        ...

    def schedule(self) -> Schedule:
        """Where the jobs are so far."""
        ...


def arrivals(problem: Problem) -> Int64Array:
    """Jobs in the order in which they queue where nobody plans.

    Those whose window leaves one start, as a pinned start does, come before those
    that can move, which are so planned around them; then by the first possible
    slot, then by index.

    Returns
    -------
    ndarray, shape (n_jobs,)
        Every job once.
    """
    jobs = problem.jobs
    return np.lexsort((jobs.first, jobs.last > jobs.first)).astype(np.int64)


def schedule_in_turn(
    name: str,
    problem: Problem,
    order: Int64Array,
    rule: Rule,
    options: SolveOptions,
    *,
    compiled_from: int,
) -> Solution:
    """Place jobs by a rule, in an order, until the time is up.

    Parameters
    ----------
    name
        Name of the solver, for its stats.
    problem
        What to schedule.
    order
        Every job once, shape (n_jobs,).
    rule
        Chooses the place of each.
    options
        Only the time limit and the seed's record matter.
    compiled_from
        Number of jobs from which the rule runs as machine code. Both ways choose
        the same places, ties in the last digits under a solar budget aside.

    Returns
    -------
    Solution
        Without a bound; jobs that the clock cut off are unplaced, and a message
        says so.
    """
    began = monotonic()
    many = len(order) >= compiled_from
    turns = _compiled(problem, rule) if many else _BoardTurns(problem, rule)
    step = _COMPILED_JOBS_PER_LOOK if many else _JOBS_PER_LOOK
    messages: tuple[str, ...] = ()
    for i in range(0, len(order), step):
        if monotonic() - began > options.time_limit_s:
            messages = (f"out of time after {i} of {len(order)} jobs",)
            break
        turns.take(order[i : i + step])
    schedule = turns.schedule()
    return Solution(
        status=_status(problem, schedule),
        schedule=schedule,
        objective=evaluate(problem, schedule).objective,
        bound=None,
        stats=Stats(
            solver=name,
            seconds=monotonic() - began,
            seed=options.seed,
            messages=messages,
        ),
    )


class _BoardTurns:
    """Turns in Python, at once at hand."""

    def __init__(self, problem: Problem, rule: Rule) -> None:
        self._board, self._choose = Board(problem), rule.choose
        self.schedule = self._board.schedule

    def take(self, order: Int64Array) -> None:
        for job in order.tolist():
            place = self._choose(self._board, job)
            if place is not None:
                self._board.place(job, *place)


def _compiled(problem: Problem, rule: Rule) -> Turns:
    # Imported when many jobs ask for it: few do without the compiler's start.
    from solvers.compiled_turns import CompiledTurns

    return CompiledTurns(problem, rule.clean)


def _status(problem: Problem, schedule: Schedule) -> Status:
    if not schedule.n_unplaced:
        return Status.FEASIBLE
    if schedule.n_unplaced < problem.n_jobs:
        return Status.PARTIAL
    empty = Board(problem)
    if any(empty.open_starts(job).any() for job in range(problem.n_jobs)):
        return Status.PARTIAL
    return Status.INFEASIBLE
