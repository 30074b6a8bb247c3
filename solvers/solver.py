"""The contract that every solver keeps."""

from __future__ import annotations

from typing import Protocol

from solvers.problem import Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions


class Solver(Protocol):
    """Something that schedules.

    A solver promises:

    - a schedule that keeps every limit (``solvers.feasibility.violations`` is
      empty), with jobs left out where it finds no room;
    - ``objective`` equal to ``solvers.evaluate(problem, schedule).objective``;
    - a ``bound`` that is a proof for any schedule of the problem, or None;
    - the same answer for the same problem, options and seed; ties go to the
      earliest start, then the first region, then the first job;
    - an end at ``options.time_limit_s`` plus a small margin, with the best
      schedule so far.
    """

    @property
    def name(self) -> str:
        """Name under which the solver is registered."""
        ...

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        """Schedule the jobs of a problem.

        Parameters
        ----------
        problem
            Complete and checked.
        options
            Limits and seed.
        hint
            A feasible schedule to start from; a solver that can use it returns
            nothing worse.
        progress
            Told where the solve stands, by solvers that can tell.

        Raises
        ------
        SolverError
            If the solver cannot do its work at all; being infeasible or out of
            time is a status, not an error.
        """
        ...
