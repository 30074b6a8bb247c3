"""Where a solve stands, told while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from solvers.solution import relative_gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One moment of a solve.

    Parameters
    ----------
    solver
        Name of the solver at work; under ``auto`` that of the one it asks.
    iteration
        Passes, sweeps or steps so far; 0 for solvers that cannot tell.
    bound, best
        Proven lower limit, and objective of the best plan; None before there is
        one.
    seconds
        Elapsed time. [s]
    time_limit_s
        Elapsed time at which the solve ends at the latest. [s]
    """

    solver: str
    iteration: int = 0
    bound: float | None = None
    best: float | None = None
    seconds: float = 0.0
    time_limit_s: float = 0.0

    @property
    def gap(self) -> float | None:
        """Between bound and best plan; None before both are there."""
        return relative_gap(self.best, self.bound)

    @property
    def seconds_left(self) -> float:
        """Time left, never below 0. [s]"""
        return max(self.time_limit_s - self.seconds, 0.0)


Report = Callable[[Progress], None]
"""Is told where a solve stands; called often and from any thread, so it is quick."""


def joined(part: Progress, whole: Progress) -> Progress:
    """What the solver of a part of a run tells, seen from the whole run.

    Parameters
    ----------
    part
        Told by the solver at work: who it is and how far.
    whole
        The run's own best plan, bound and clock.
    """
    bests = [p.best for p in (part, whole) if p.best is not None]
    bounds = [p.bound for p in (part, whole) if p.bound is not None]
    return replace(
        whole,
        solver=part.solver,
        iteration=part.iteration,
        best=min(bests, default=None),
        bound=max(bounds, default=None),
    )
