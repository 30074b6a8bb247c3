"""The best plan and the best bound so far, and when they are good enough."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import numpy as np

from solvers.evaluate import solar_used
from solvers.job_columns import JobColumns
from solvers.price.plan import Plan
from solvers.problem import Problem
from solvers.progress import Progress, Report
from solvers.solution import Schedule, relative_gap


class Incumbent:
    """Keeps the best plan and bound, and watches the clock.

    Parameters
    ----------
    gap, time_limit_s
        When to stop.
    report
        Told of every step.
    interrupted
        Asked between passes; true stops with the best so far.
    name
        Solver in whose name steps are told.
    """

    def __init__(
        self,
        *,
        gap: float,
        time_limit_s: float,
        report: Report | None,
        interrupted: Callable[[], bool] | None,
        name: str = "price",
    ) -> None:
        self._name = name
        self._asked, self._limit = gap, time_limit_s
        self._report, self._interrupted = report, interrupted
        self._began = monotonic()
        self.iteration = 0
        self.schedule: Schedule | None = None
        self.objective: float | None = None
        self.bound: float | None = None

    @property
    def seconds(self) -> float:
        """Elapsed time. [s]"""
        return monotonic() - self._began

    @property
    def gap(self) -> float | None:
        """Proven gap of the best plan."""
        return relative_gap(self.objective, self.bound)

    @property
    def good_enough(self) -> bool:
        """Whether the asked gap is proven."""
        return self.gap is not None and self.gap <= self._asked

    def would_do(self, objective: float) -> bool:
        """Whether an objective is within the asked gap of the bound."""
        gap = relative_gap(objective, self.bound)
        return gap is not None and gap <= self._asked

    @property
    def interrupted(self) -> bool:
        """Whether someone asked to stop."""
        return self._interrupted is not None and self._interrupted()

    def out_of_time(self, share: float = 1.0) -> bool:
        """Whether a share of the time limit has passed, or someone asked to stop."""
        return self.seconds > share * self._limit or self.interrupted

    def offer_schedule(self, schedule: Schedule, objective: float) -> bool:
        """Keep a schedule that keeps every limit if it is the best."""
        better = self.objective is None or objective < self.objective
        if better:
            self.schedule, self.objective = schedule, objective
        self.tell()
        return better

    def offer_bound(self, bound: float | None) -> bool:
        """Keep a proven bound if it is the best."""
        better = bound is not None and (self.bound is None or bound > self.bound)
        if better:
            self.bound = bound
        self.tell()
        return better

    def tell(self) -> None:
        """Report where the solve stands."""
        if self._report is not None:
            self._report(
                Progress(
                    solver=self._name,
                    iteration=self.iteration,
                    bound=self.bound,
                    best=self.objective,
                    seconds=self.seconds,
                    time_limit_s=self._limit,
                )
            )


def objective_of(problem: Problem, plan: Plan) -> float:
    """Objective of a plan from its sums; ``evaluate`` has the last word at the end."""
    places, board = problem.places, plan.board
    grid = board.load - solar_used(places, board.load)
    return float((places.weight_per_kwh * grid).sum() + _own_costs(plan.jobs, plan))


def _own_costs(jobs: JobColumns, plan: Plan) -> float:
    region, start = plan.board.region, plan.board.start
    placed = region >= 0
    row = np.arange(len(region))
    cost = jobs.place_cost[row, np.maximum(region, 0)]
    cost = cost + jobs.delay_cost * (start - jobs.first)
    return float(np.where(placed, cost, jobs.unplaced_cost).sum())
