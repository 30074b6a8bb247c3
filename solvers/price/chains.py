"""Room for jobs that were left out, by chains of ejections.

A job is driven in where it drives out the least. Those driven out are placed where
there is room, and those that find none are driven in in turn. Each time that a job has
to be driven in, driving it out again counts for more, so that chains learn to leave
alone what is hard to place. A chain that ends with less left out than it began with is
kept, any other is undone.

References
----------
.. [1] Glover, F. (1996). Ejection chains, reference structures and alternating path
   methods for traveling salesman problems. Discrete Applied Mathematics 65.
   doi:10.1016/0166-218X(94)00037-E
.. [2] Nagata, Y., Bräysy, O. (2009). A powerful route minimization heuristic for the
   vehicle routing problem with time windows. Operations Research Letters 37(5).
   doi:10.1016/j.orl.2009.04.006
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from solvers.job_columns import JobColumns
from solvers.price.ejection import Rivals, drive_in, move, room_to_work
from solvers.price.marginal import Terms
from solvers.price.plan import Plan
from solvers.problem import FloatArray, Int64Array
from solvers.solution import UNPLACED

STEPS = 40
"""Jobs that a chain drives in before it is given up."""

PATIENCE = 10
"""Chains in a row that found no room after which there is little hope for the rest."""

WORK = 500_000
"""Chains of one call times jobs of the plan: each chain looks at all of them, and where
many are out, prices find room for most of them at once."""

_MOST_OUT = 32
"""Jobs out at once with which a chain is given up."""

_LIGHTEST = 1e-300
"""Weight of a job that may be left out for nothing."""

_NEWS = 1e-9
"""Part of what was left out by which less must be."""


def make_room(
    plan: Plan,
    terms: Terms,
    *,
    stop: Callable[[], bool],
    steps: int = STEPS,
    weight: FloatArray | None = None,
) -> int:
    """Place jobs that a plan leaves out, the weightiest first.

    Parameters
    ----------
    plan
        Keeps every limit, before and after.
    terms
        True costs, which choose among places with room.
    stop
        Asked before each step of a chain.
    steps
        When to give up a chain.
    weight
        From ``first_weight``, changed in place, so that another call goes other ways.

    Returns
    -------
    int
        Number of chains that were kept.
    """
    weight = first_weight(plan.jobs) if weight is None else weight
    out, cost = np.flatnonzero(plan.board.region < 0), plan.jobs.unplaced_cost
    weightiest = out[np.argsort(-cost[out], kind="stable")]
    rivals, kept, dry = room_to_work(plan.board), 0, 0
    for job in weightiest[: WORK // max(1, len(cost))].tolist():
        if dry >= PATIENCE or stop():
            break
        chain = _Chain(plan, terms, rivals, weight, stop, [job])
        kept, dry = (kept + 1, 0) if chain.finds_room(steps) else (kept, dry + 1)
    if len(out):
        plan.recount()
    return kept


def first_weight(jobs: JobColumns) -> FloatArray:
    """What driving a job out counts for at first, shape (n_jobs,)."""
    weight: FloatArray = np.maximum(jobs.unplaced_cost, _LIGHTEST)
    return weight


@dataclass(slots=True)
class _Chain:
    """Who is out at the moment, and who was where before each step."""

    plan: Plan
    terms: Terms
    rivals: Rivals
    weight: FloatArray
    stop: Callable[[], bool]
    out: list[int]
    before: list[tuple[Int64Array, Int64Array]] = field(default_factory=list)

    def finds_room(self, steps: int) -> bool:
        """Whether less is out in the end than at first; else nothing has changed."""
        goal = self._lost() * (1.0 - _NEWS)
        for _ in range(steps):
            if len(self.out) > _MOST_OUT or self.stop():
                break
            if not self._drive_in(self.out.pop()):
                break
            if not self.out or self._lost() < goal:
                return True
        for jobs, places in reversed(self.before):
            self._move(jobs, places)
        return False

    def _lost(self) -> float:
        return float(self.plan.jobs.unplaced_cost[self.out].sum())

    def _drive_in(self, job: int) -> bool:
        """Drive a job in and place again whom it drove out; False if it cannot be."""
        jobs, board = self.plan.jobs, self.plan.board
        region, start, n = drive_in(
            jobs, job, board, self.terms, self.rivals, self.weight
        )
        if region < 0:
            return False
        self.weight[job] += max(jobs.unplaced_cost[job], _LIGHTEST)
        moved = np.append(self.rivals.driven[:n], job)
        places = np.stack([board.region[moved], board.start[moved]], dtype=np.int64)
        self.before.append((moved, places))
        to = np.full_like(places, UNPLACED)
        to[:, n] = region, start
        self._move(moved, to)
        driven = moved[:n]
        self.plan.sweep(driven, self.terms, fit=True, heat=0.0, seed=0)
        self.out += driven[board.region[driven] < 0].tolist()
        return True

    def _move(self, jobs: Int64Array, places: Int64Array) -> None:
        hours = self.terms.metered_hours
        move(self.plan.jobs, jobs, places, self.plan.board, hours)
