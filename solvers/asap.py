"""The baseline: every job at home, as soon as there is room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.board import Board, Place
from solvers.in_turn import COMPILED_FROM, Rule, arrivals, schedule_in_turn
from solvers.problem import Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions


@dataclass(frozen=True, slots=True)
class Asap:
    """Home region, earliest start that fits, in the order of release.

    Jobs whose window leaves one start, as a pinned start does, go first: they are
    planned around. The others queue by their first possible slot, then by their
    index. Intensity, sun and costs play no part: this is what happens where nobody
    plans.

    Parameters
    ----------
    compiled_from
        Number of jobs from which the rule runs as machine code; the places are the
        same.
    """

    name: str = "asap"
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
        home: list[int] = problem.jobs.home.tolist()
        first: list[int] = problem.jobs.first.tolist()

        def earliest(board: Board, job: int) -> Place | None:
            fits = board.open_starts_in(job, home[job])
            soonest = int(fits.argmax())
            return (home[job], first[job] + soonest) if fits[soonest] else None

        always = np.ones(problem.places.g_per_kwh.shape, dtype=np.bool_)
        rule = Rule(choose=earliest, clean=always)
        return schedule_in_turn(
            self.name,
            problem,
            arrivals(problem),
            rule,
            options,
            compiled_from=self.compiled_from,
        )
