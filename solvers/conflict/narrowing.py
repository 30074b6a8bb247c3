"""From a set of jobs that cannot all be placed to what is really at fault.

A deletion filter: each part is taken away on trial, and for good where the rest stays
impossible. What is left is minimal: without any one part there is room.

References
----------
Chinneck, J. W., Dravnieks, E. W. (1991). Locating Minimal Infeasible Constraint Sets
in Linear Programs. ORSA Journal on Computing 3(2). doi:10.1287/ijoc.3.2.157
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from solvers.conflict.answer import Blocked
from solvers.conflict.fitting import Verdict, fit
from solvers.problem import Problem

Clock = Callable[[], float]
"""Seconds left. [s]"""

_SHARE = 0.25
"""Part of the time left that one question may take."""


def fewest_rivals(problem: Problem, left_s: Clock) -> tuple[list[int], bool]:
    """Smallest set of jobs that cannot be placed together with the last one.

    Parameters
    ----------
    problem
        Proven to have no schedule with every job in it.
    left_s
        Time left.

    Returns
    -------
    rivals
        Indices, the last job aside.
    minimal
        Whether it is proven that without any one of them there is room.
    """
    job = problem.n_jobs - 1
    rivals, minimal = list(range(job)), True
    chunk = max(1, job // 2)
    while rivals:
        minimal, at = True, 0
        while at < len(rivals):
            trial = rivals[:at] + rivals[at + chunk :]
            verdict = _ask(problem, [*trial, job], left_s)
            minimal = minimal and verdict is not Verdict.UNKNOWN
            if verdict is Verdict.IMPOSSIBLE:
                rivals = trial
            else:
                at += chunk
        if chunk == 1:
            break
        chunk = max(1, min(chunk, len(rivals)) // 2)
    return rivals, minimal


def limits_at_fault(
    problem: Problem, jobs: Sequence[int], left_s: Clock
) -> tuple[tuple[Blocked, ...], bool]:
    """Limits without any of which the jobs would fit, over as few slots as it takes.

    Parameters
    ----------
    problem
        Proven to have no schedule with these jobs in it.
    jobs
        Indices.
    left_s
        Time left.

    Returns
    -------
    limits
        At least one.
    minimal
        Whether it is proven that each of them is needed.
    """
    n_resources, n_regions, n_slots = problem.places.capacity.shape
    lifting = _Lifting(problem, jobs, left_s)
    needed = [
        (k, r)
        for k, r in np.ndindex(n_resources, n_regions)
        if not lifting.lift(k, r, 0, n_slots)
    ]
    minimal = not lifting.undecided
    return tuple(lifting.narrow(k, r) for k, r in needed), minimal


class _Lifting:
    """Limits made endless on trial, and kept so while the conflict stays."""

    def __init__(self, problem: Problem, jobs: Sequence[int], left_s: Clock) -> None:
        self._problem, self._jobs, self._left_s = problem, jobs, left_s
        self._capacity = problem.places.capacity.copy()
        self.undecided = False

    def lift(self, resource: int, region: int, start: int, end: int) -> bool:
        """Lift a limit in some slots if the conflict stays; say whether it did."""
        trial = self._capacity.copy()
        trial[resource, region, start:end] = np.inf
        places = replace(self._problem.places, capacity=trial)
        lifted = replace(self._problem, places=places)
        verdict = _ask(lifted, self._jobs, self._left_s)
        self.undecided = self.undecided or verdict is Verdict.UNKNOWN
        if verdict is not Verdict.IMPOSSIBLE:
            return False
        self._capacity = trial
        return True

    def narrow(self, resource: int, region: int) -> Blocked:
        """Lift a limit from both ends of the horizon as far as the conflict stays."""
        n_slots = self._capacity.shape[2]
        start = _farthest(n_slots - 1, lambda t: self.lift(resource, region, 0, t))
        shortening = _farthest(
            n_slots - start - 1,
            lambda t: self.lift(resource, region, n_slots - t, n_slots),
        )
        return Blocked(
            resource=resource, region=region, start=start, end=n_slots - shortening
        )


def _farthest(high: int, holds: Callable[[int], bool]) -> int:
    """Largest of 0 … high for which a statement holds that only ever turns false."""
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _ask(problem: Problem, jobs: Sequence[int], left_s: Clock) -> Verdict:
    return fit(problem, jobs, time_limit_s=_SHARE * left_s()).verdict
