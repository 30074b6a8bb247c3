"""Why jobs of a day are left out, in words that a user can act on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from planner.day import Day
from planner.policies import PolicyRun
from solvers.conflict import Change, ChangeKind, Conflict, explain_unplaced
from solvers.reasons import Why, reasons

EXPLAINED = 3
"""Jobs for which a whole conflict is looked for; the others get the plain limit."""

LONGEST_S = 4.0
"""Most time for the conflict of one job. [s]"""

SHARE = 0.1
"""Part of the time limit that explaining may take where solving took it all."""

_NAMED = 6


def unplaced_reasons(
    day: Day,
    run: PolicyRun,
    *,
    time_limit_s: float,
    explain: Callable[..., Conflict] = explain_unplaced,
) -> list[str | None]:
    """One sentence for each job of the problem that is left out, else None.

    The weightiest few are explained by a minimal conflict and the smallest change
    that would place them.

    Parameters
    ----------
    day, run
        The plan of a policy for the day.
    time_limit_s
        What solving was allowed. Explaining ends within what is left of it, or within
        a tenth of it where less is left. [s]
    explain
        Finds the conflict of one job.
    """
    problem = day.formulation.problem
    texts: list[str | None] = [None] * problem.n_jobs
    if not run.schedule.n_unplaced:
        return texts
    words = _Words(day)
    tell = cache(words.pointer)
    found = reasons(problem, run.schedule)
    # few limits in whole percents: most jobs share a sentence
    columns = (found.why, found.resource, found.region, found.share.round(2))
    facts = zip(*(column.tolist() for column in columns), strict=True)
    for job, fact in zip(found.job.tolist(), facts, strict=True):
        texts[job] = tell(*fact)
    weightiest = _weightiest(day, found.job)
    left_s = max(time_limit_s - run.seconds, SHARE * time_limit_s)
    each_s = min(left_s / len(weightiest), LONGEST_S)
    for job in weightiest:
        conflict = explain(problem, run.schedule, job, time_limit_s=each_s)
        text = words.conflict(conflict)
        if text is not None:
            texts[job] = text
    return texts


def _weightiest(day: Day, unplaced: np.ndarray) -> list[int]:
    cost = day.formulation.problem.jobs.unplaced_cost[unplaced]
    chosen = unplaced[np.argsort(-cost, kind="stable")[:EXPLAINED]]
    return [int(job) for job in chosen]


class _Words:
    """Names instead of indices."""

    def __init__(self, day: Day) -> None:
        self._day = day

    def pointer(self, why: int, resource: int, region: int, share: float) -> str:
        """The limit that blocks most starts of a job."""
        if why == Why.ROOM:
            return "there is room for it; leaving it out costs less, or time ran out"
        place = self.limit(resource, region)
        if why == Why.TOO_LARGE:
            return f"it needs more {place} than earlier work leaves in its window"
        return f"other jobs hold the {place} at {share:.0%} of its possible starts"

    def conflict(self, conflict: Conflict) -> str | None:
        """A proven conflict and what would end it; None where nothing is known."""
        if conflict.schedule is not None:
            return "there is room for it if other jobs move; more time may place it"
        if not conflict.decided or not conflict.limits:
            return None
        parts = [f"{self._limits(conflict)} cannot hold it{self._rivals(conflict)}"]
        changes = "; or ".join(self._change(change) for change in conflict.changes)
        if changes:
            parts.append(f"it would fit with {changes}")
        return "; ".join(parts)

    def limit(self, resource: int, region: int) -> str:
        """A resource in a region."""
        places = self._day.formulation.problem.places
        return f"{places.resources[resource]} in {self._region(region)}"

    def _region(self, region: int) -> str:
        return self._day.workspace.regions[region].name

    def _limits(self, conflict: Conflict) -> str:
        grid = self._day.grid
        return " and ".join(
            f"{self.limit(limit.resource, limit.region)} "
            f"{grid.slot_start(limit.start):%H:%M}–{grid.slot_start(limit.end):%H:%M}Z"
            for limit in conflict.limits
        )

    def _rivals(self, conflict: Conflict) -> str:
        if not conflict.others:
            return ""
        rows = self._day.formulation.rows
        ids = self._day.loaded.jobs.ids
        named = [ids[int(rows[job])].as_py() for job in conflict.others[:_NAMED]]
        more = len(conflict.others) - len(named)
        others = ", ".join(named) + (f" and {more} more" if more else "")
        proof = (
            "; without any one of them it fits"
            if conflict.minimal
            else "; perhaps not all of them are needed for the conflict"
        )
        return f" beside {others}{proof}"

    def _change(self, change: Change) -> str:
        least = "" if change.smallest else "at most "
        if change.kind is ChangeKind.CAPACITY:
            assert change.resource is not None
            assert change.region is not None
            limit = self.limit(change.resource, change.region)
            return f"{least}{change.amount:.6g} more {limit}"
        minutes = change.amount * self._day.grid.step_us / 60e6
        side = (
            "later deadline" if change.kind is ChangeKind.DEADLINE else "earlier start"
        )
        return f"a {least}{minutes:g} min {side}"
