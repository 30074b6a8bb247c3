"""What is known of an unplaced job: a conflict, and the changes that would end it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from solvers.solution import Schedule


class ChangeKind(StrEnum):
    """What could be changed to place the job."""

    CAPACITY = "capacity"
    """Units of one resource added in one region, all day."""
    DEADLINE = "deadline"
    """Slots by which the job may end later."""
    EARLIEST = "earliest"
    """Slots by which the job may start earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change after which the job fits beside all others; tried, not guessed.

    Parameters
    ----------
    kind
        What is changed.
    amount
        Units or slots.
    resource, region
        Indices, for ``CAPACITY``.
    smallest
        Whether it is proven that less of the same would not do.
    """

    kind: ChangeKind
    amount: float
    resource: int | None = None
    region: int | None = None
    smallest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A limit without which the conflict would not be, and its slots.

    Parameters
    ----------
    resource, region
        Indices.
    start, end
        Slots ``start ≤ t < end`` that matter.
    """

    resource: int
    region: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Why a job is unplaced.

    Parameters
    ----------
    job
        The job.
    others
        Jobs that cannot all be placed together with it, in rising order; empty where
        it has no room even alone.
    minimal
        Whether it is proven that leaving out any one of ``others`` makes room.
    limits
        What they compete for.
    limits_minimal
        Whether it is proven that lifting any one of ``limits`` makes room.
    changes
        Single changes that place the job, smallest first: units relative to the
        capacity, slots relative to the window.
    held
        Number of other jobs kept where the schedule has them throughout; with 0 the
        conflict holds for every plan that places these jobs.
    schedule
        Instead of a conflict: a schedule that places the job too, where there is one.
    decided
        False where the time was too short to tell anything.
    """

    job: int
    others: tuple[int, ...] = ()
    minimal: bool = False
    limits: tuple[Blocked, ...] = ()
    limits_minimal: bool = False
    changes: tuple[Change, ...] = ()
    held: int = 0
    schedule: Schedule | None = None
    decided: bool = True
