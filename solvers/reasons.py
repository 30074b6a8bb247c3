"""The limit that keeps each unplaced job out: cheap, for many jobs at once.

What ``solvers.conflict`` proves for one job, this only points at for all: it counts in
array passes how many of a job's starts each limit blocks as the schedule stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from solvers.board import ROOM
from solvers.evaluate import evaluate
from solvers.problem import BoolArray, FloatArray, Int16Array, Int64Array, Problem
from solvers.solution import Schedule

_CELLS = 2_000_000
"""Jobs times limits times slots that one pass holds in memory."""

NO_LIMIT = -1


class Why(IntEnum):
    """Kind of reason for which a job has no place."""

    ROOM = 0
    """There is room: leaving it out costs less, or the solver did not find it."""
    TOO_LARGE = 1
    """No region could hold it even if nothing else ran."""
    TAKEN = 2
    """Other jobs hold what it would need."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reasons:
    """One reason for each unplaced job, as columns of shape (n_unplaced,).

    Parameters
    ----------
    job
        Index of the job, rising.
    why
        Values of ``Why``.
    resource, region
        The limit that blocks most of the job's starts, ``NO_LIMIT`` with ``ROOM``.
        Ties go to the home region, then to the first region and resource.
    share
        Share of the starts in that region that this limit alone blocks. [0 … 1]
    """

    job: Int64Array
    why: Int16Array
    resource: Int16Array
    region: Int16Array
    share: FloatArray


def reasons(problem: Problem, schedule: Schedule) -> Reasons:
    """Point at the limit that keeps each unplaced job out.

    Parameters
    ----------
    problem, schedule
        A schedule that keeps every limit.

    Returns
    -------
    Reasons
        In the order of the problem's jobs.
    """
    unplaced = np.flatnonzero(schedule.region < 0)
    capacity = problem.places.capacity
    slack = ROOM * np.maximum(1.0, np.abs(capacity))
    room = capacity - evaluate(problem, schedule).usage + slack
    found = Reasons(
        job=unplaced,
        why=np.zeros(len(unplaced), dtype=np.int16),
        resource=np.full(len(unplaced), NO_LIMIT, dtype=np.int16),
        region=np.full(len(unplaced), NO_LIMIT, dtype=np.int16),
        share=np.zeros(len(unplaced)),
    )
    # Jobs with windows close together share one narrow pass.
    by_time = np.argsort(problem.jobs.first[unplaced], kind="stable")
    size = max(1, _CELLS // max(1, capacity.size))
    for begin in range(0, len(unplaced), size):
        rows = by_time[begin : begin + size]
        _explain(problem, rows, room, capacity + slack, found)
    return found


def _explain(
    problem: Problem, rows: Int64Array, room: FloatArray, empty: FloatArray, to: Reasons
) -> None:
    """Fill in the reasons of some rows."""
    job = to.job[rows]
    blocked, somewhere = _blocked_starts(problem, job, room)
    alone, ever = _blocked_starts(problem, job, empty)
    to.why[rows] = np.where(
        somewhere, Why.ROOM, np.where(ever, Why.TAKEN, Why.TOO_LARGE)
    )
    starts = problem.jobs.last[job] - problem.jobs.first[job] + 1
    shares = np.where(ever[:, None, None], blocked, alone) / starts[:, None, None]
    shares = np.where(problem.jobs.allowed[job][:, None, :], shares, -1.0)
    if not shares[0].size:
        return
    at_home = np.arange(problem.places.n_regions) == problem.jobs.home[job][:, None]
    ranked = (shares + 1e-9 * at_home[:, None, :]).reshape(len(job), -1)
    limit = ranked.argmax(axis=1)
    resource, region = np.divmod(limit, problem.places.n_regions)
    shut = ~somewhere
    to.resource[rows[shut]], to.region[rows[shut]] = resource[shut], region[shut]
    flat = shares.reshape(len(job), -1)
    to.share[rows[shut]] = flat[np.arange(len(job)), limit][shut]


def _blocked_starts(
    problem: Problem, job: Int64Array, room: FloatArray
) -> tuple[Int64Array, BoolArray]:
    """Starts that each limit blocks, and whether any place is left open.

    Returns
    -------
    blocked
        Number of starts, shape (n, n_resources, n_regions).
    open
        Shape (n,).
    """
    jobs = problem.jobs
    first, last, duration = jobs.first[job], jobs.last[job], jobs.n_slots[job]
    begin, end = int(first.min()), int((last + duration).max())
    short = room[None, :, :, begin:end] < jobs.demand[job][:, :, None, None]
    times = np.arange(begin, end)
    possible = (times >= first[:, None]) & (times <= last[:, None])
    after = np.minimum(times - begin + duration[:, None], end - begin)
    by_limit = _hits(short, after) & possible[:, None, None, :]
    taken = _hits(np.asarray(short.any(axis=1)), after) | ~possible[:, None, :]
    free = ~taken & jobs.allowed[job][:, :, None]
    return by_limit.sum(axis=-1), np.asarray(free.any(axis=(1, 2)))


def _hits(short: BoolArray, after: Int64Array) -> BoolArray:
    """Whether a run from each slot to just before ``after`` meets a short slot."""
    before = np.zeros((*short.shape[:-1], short.shape[-1] + 1), dtype=np.int16)
    np.cumsum(short, axis=-1, out=before[..., 1:])
    index = after.reshape(len(after), *[1] * (short.ndim - 2), -1)
    index = np.broadcast_to(index, short.shape)
    hits: BoolArray = np.take_along_axis(before, index, axis=-1) > before[..., :-1]
    return hits
