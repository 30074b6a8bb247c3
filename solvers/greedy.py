"""One job after another, each at its cheapest place given those before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.board import Board, Place
from solvers.in_turn import COMPILED_FROM, Rule, schedule_in_turn
from solvers.problem import Int64Array, Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions


@dataclass(frozen=True, slots=True)
class Greedy:
    """Cheapest place with room at true marginal cost, never moved again.

    Ties go to the earliest start, then to the first region. A job is left out where
    it has no room, or where leaving it out costs less than its cheapest place.
    Jobs come in the order of ``turns``.

    Parameters
    ----------
    compiled_from
        Number of jobs from which the rule runs as machine code; the places are the
        same.
    """

    name: str = "greedy"
    compiled_from: int = COMPILED_FROM

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        """Schedule; neither hint nor progress plays a part."""
        left_out: list[float] = problem.jobs.unplaced_cost.tolist()

        def cheapest(board: Board, job: int) -> Place | None:
            found = board.cheapest(job)
            if found is None or found[0] > left_out[job]:
                return None
            return found[1]

        rule = Rule(choose=cheapest, clean=None)
        return schedule_in_turn(
            self.name,
            problem,
            turns(problem),
            rule,
            options,
            compiled_from=self.compiled_from,
        )


def turns(problem: Problem) -> Int64Array:
    """Jobs in the order in which greedy places them.

    Jobs with one possible place go first and are planned around, as under ``asap``.
    Then jobs with few places come first, large ones before small ones: by rising
    ``choices³ / energy``, where choices are starts times regions; ties by index.

    Returns
    -------
    ndarray, shape (n_jobs,)
        Every job once.

    Notes
    -----
    Chosen by measuring fifteen orders on synthetic days of 100 to 1,000 jobs. At
    capacities filled to 40, 60 and 80 % on average it leaves out 0.1, 0.4 and 2.8 %
    of the jobs, against 0.8, 2.8 and 5.3 % in the order of arrival, 0.1, 0.7 and
    2.8 % by choices alone and 0.6, 2.9 and 6.7 % by energy alone; per kWh it emits
    0.5 to 5 % less than the order of arrival, except at 80 % (1.6 % more).
    """
    jobs = problem.jobs
    choices = (jobs.last - jobs.first + 1.0) * jobs.allowed.sum(axis=1)
    energy = jobs.energy_kwh(problem.places.slot_hours)
    with np.errstate(divide="ignore"):
        return np.lexsort((choices**3 / energy, choices > 1)).astype(np.int64)
