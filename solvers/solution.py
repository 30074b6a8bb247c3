"""What a solver returns: a schedule, how good it is, and why it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from solvers.problem import FloatArray, Int16Array, Int32Array

UNPLACED = -1


class Status(StrEnum):
    """How much a solution promises."""

    OPTIMAL = "optimal"
    """The proven gap is within what was asked."""
    FEASIBLE = "feasible"
    """Every job is placed; the gap asked for is not proven."""
    PARTIAL = "partial"
    """Some jobs are unplaced; the gap tells whether they must be."""
    INFEASIBLE = "infeasible"
    """No job at all can be placed."""
    NO_SOLUTION = "no_solution"
    """The limit was reached with nothing in hand; says nothing of the problem."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """Region and start slot of every job; ``UNPLACED`` in both where left out.

    Parameters
    ----------
    region, start
        Indices, shape (n_jobs,).
    """

    region: Int16Array
    start: Int32Array

    def __post_init__(self) -> None:
        self.region.setflags(write=False)
        self.start.setflags(write=False)

    @classmethod
    def empty(cls, n_jobs: int) -> Schedule:
        """Schedule that leaves every job out."""
        return cls(
            region=np.full(n_jobs, UNPLACED, dtype=np.int16),
            start=np.full(n_jobs, UNPLACED, dtype=np.int32),
        )

    @property
    def n_unplaced(self) -> int:
        """Number of jobs left out."""
        return int((self.region == UNPLACED).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How an answer came about.

    Parameters
    ----------
    solver
        Name under which the solver is registered.
    engine
        Program that did the work and its version, e.g. ``HiGHS (ortools 9.15)``.
    seconds
        Elapsed solving time. [s]
    seed
        Seed that was used.
    messages
        Sentences about fallbacks and contradictions, for logs and reports.
    notes
        Sentences about a run that went as it should, for logs.
    found_by
        Which solver found the ``plan`` and the ``bound``, where several were asked.
    interrupted
        Whether the user ended the run before the solver did.
    """

    solver: str
    engine: str = ""
    seconds: float = 0.0
    seed: int = 0
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    found_by: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of the bound: ``solvers.price.bound`` proves it from them alone.

    What one more unit of a limit saves is ``solvers.price.shadow.Worth``.

    Parameters
    ----------
    capacity
        Objective per unit of a resource in a slot, shape
        (n_resources, n_regions, n_slots), not negative.
    solar
        Discount on the weight of metered energy where there is sun: the whole
        weight where sun is plenty, nothing where it is short, shape
        (n_regions, n_slots). [objective/kWh]
    """

    capacity: FloatArray
    solar: FloatArray

    def __post_init__(self) -> None:
        self.capacity.setflags(write=False)
        self.solar.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """Answer of a solver to a problem.

    Parameters
    ----------
    status
        See ``Status``.
    schedule
        None only with ``NO_SOLUTION``.
    objective
        ``evaluate(problem, schedule).objective``; None without a schedule.
    bound
        Proven lower limit on the objective of any schedule; None without a proof.
    prices
        Shadow prices, from solvers that know them.
    stats
        How the answer came about.
    """

    status: Status
    schedule: Schedule | None
    objective: float | None
    bound: float | None
    prices: Prices | None = None
    stats: Stats

    @property
    def gap(self) -> float | None:
        """``(objective - bound) / |objective|``; see ``relative_gap``."""
        return relative_gap(self.objective, self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveOptions:
    """What every solver is told besides the problem.

    Parameters
    ----------
    gap
        Proven relative gap at which to stop.
    time_limit_s
        Elapsed time after which to return the best schedule so far. [s]
    seed
        Same problem, options and seed: same schedule.
    threads
        Most cores to use.
    extra
        Options of one solver only; these win over the common ones.
    """

    gap: float = 1e-3
    time_limit_s: float = 60.0
    seed: int = 0
    threads: int = 1
    extra: Mapping[str, str | float | int | bool] = field(default_factory=dict)


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """Gap between an objective and a proven bound, as the plan file states it.

    None where no number can tell it: without a proof, and where the objective is 0
    and the bound is not.
    """
    if objective is None or bound is None:
        return None
    if objective == bound:
        return 0.0
    return (objective - bound) / abs(objective) if objective else None
