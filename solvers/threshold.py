"""The rule of the field: wait until the grid is clean enough, or until the last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.board import Board, Place
from solvers.in_turn import COMPILED_FROM, Rule, arrivals, schedule_in_turn
from solvers.problem import FloatArray, Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions

PERCENTILE = 30.0
"""Share of the horizon's slots that count as clean by default. [%]"""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Home region, first slot that is clean enough; failing that the latest start.

    A slot is clean enough where the home region's intensity is at or below the
    threshold, or where the sun left over covers the job's power in it. The job starts
    at the first such slot of its window from which it has room all through; where
    there is none, at its latest start that has. Jobs queue as under ``asap``, those
    with one possible start first.

    Parameters
    ----------
    g_per_kwh
        The threshold; by default each region's own 30th percentile over the
        horizon. [g/kWh]
    compiled_from
        Number of jobs from which the rule runs as machine code; the places are the
        same.

    References
    ----------
    .. [1] Wiesner, P., Behnke, I., Scheinert, D., Gontarska, K., Thamsen, L. (2021).
       Let's Wait Awhile: How Temporal Workload Shifting Can Reduce Carbon Emissions
       in the Cloud. Middleware '21. doi:10.1145/3464298.3493399
    .. [2] Hanafy, W. A., Liang, Q., Bashir, N., Souza, A., Irwin, D., Shenoy, P.
       (2024). Going Green for Less Green: Optimizing the Cost of Reducing Cloud
       Carbon Emissions. ASPLOS '24. doi:10.1145/3620666.3651374. Its simulator runs
       the rule with the 30th percentile of the coming 24 hours, there with pauses.
    """

    name: str = "threshold"
    g_per_kwh: float | None = None
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
        clean = problem.places.g_per_kwh <= self._levels(problem)[:, None]
        home: list[int] = problem.jobs.home.tolist()
        first: list[int] = problem.jobs.first.tolist()

        def when_clean(board: Board, job: int) -> Place | None:
            region = home[job]
            fits = board.open_starts_in(job, region)
            if not fits.any():
                return None
            starts = slice(first[job], first[job] + len(fits))
            good = fits & (clean[region, starts] | board.sun_covers(job, region))
            chosen = good.argmax() if good.any() else np.flatnonzero(fits)[-1]
            return region, first[job] + int(chosen)

        rule = Rule(choose=when_clean, clean=clean)
        return schedule_in_turn(
            self.name,
            problem,
            arrivals(problem),
            rule,
            options,
            compiled_from=self.compiled_from,
        )

    def _levels(self, problem: Problem) -> FloatArray:
        """Threshold of each region, shape (n_regions,). [g/kWh]"""
        places = problem.places
        if self.g_per_kwh is not None:
            return np.full(places.n_regions, self.g_per_kwh)
        levels: FloatArray = np.percentile(places.g_per_kwh, PERCENTILE, axis=1)
        return levels
