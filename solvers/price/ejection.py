"""Drive a job into a full region: which jobs leave, so that little is lost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.job_columns import JobColumns
from solvers.price.marginal import Board, Terms, put
from solvers.problem import BoolArray, FloatArray, Int64Array

MOST_RIVALS = 512
"""Jobs of a region that are looked at; of more, every second or third one."""


class Rivals(NamedTuple):
    """Jobs that could leave a place for another one; room to work, changed in place.

    Parameters
    ----------
    job
        Indices, of which the first few count, shape (MOST_RIVALS,).
    leaves
        Which of them leave, of the same shape.
    driven
        Indices of those that leave at the best place so far, of the same shape.
    freed
        Units that they free, shape (n_resources, n_slots).
    """

    job: Int64Array
    leaves: BoolArray
    driven: Int64Array
    freed: FloatArray


@compiled
def rivals_of(jobs: JobColumns, j: int, r: int, board: Board, rivals: Rivals) -> int:
    """Number of jobs that run in region ``r`` when ``j`` could and hold what it needs.

    Where there are too many for ``rivals``, every second one is let go, and again.
    """
    first, end = jobs.first[j], jobs.last[j] + jobs.n_slots[j]
    n, seen, stride = 0, 0, 1
    for i in range(len(jobs.n_slots)):
        s = board.start[i]
        if board.region[i] != r or s >= end or s + jobs.n_slots[i] <= first:
            continue
        held = 0.0
        for k in range(jobs.demand.shape[1]):
            held += jobs.demand[i, k] * jobs.demand[j, k]
        if held <= 0.0:
            continue
        if seen % stride == 0:
            if n == MOST_RIVALS:
                n, stride = n // 2, 2 * stride
                for m in range(n):
                    rivals.job[m] = rivals.job[2 * m]
            rivals.job[n] = i
            n += 1
        seen += 1
    return n


@compiled
def cheapest_to_leave(
    jobs: JobColumns,
    k: int,
    t: int,
    end: int,
    lack: float,
    board: Board,
    rivals: Rivals,
    n_rivals: int,
    weight: FloatArray,
) -> int:
    """Rival that frees most of resource ``k`` from slot ``t`` on for its weight."""
    least, pick = np.inf, -1
    for n in range(n_rivals):
        i = rivals.job[n]
        until = board.start[i] + jobs.n_slots[i]
        if rivals.leaves[n] or board.start[i] > t or until <= t:
            continue
        room = min(jobs.demand[i, k], lack) * (min(end, until) - t)
        if weight[i] < least * room:
            least, pick = weight[i] / room, n
    return pick


@compiled
def lost_at(
    jobs: JobColumns,
    j: int,
    r: int,
    s: int,
    board: Board,
    terms: Terms,
    rivals: Rivals,
    n_rivals: int,
    weight: FloatArray,
    most: float,
) -> float:
    """Weight of the rivals that leave if job ``j`` starts at ``s``; marks them.

    They are picked slot by slot, the cheapest first. Gives up at ``most``, and
    returns infinity where no leaving helps.
    """
    lost: float = 0.0
    end = s + jobs.n_slots[j]
    for n in range(n_rivals):
        rivals.leaves[n] = False
    for k in range(jobs.demand.shape[1]):
        for t in range(s, end):
            rivals.freed[k, t] = 0.0
    for k in range(jobs.demand.shape[1]):
        units = jobs.demand[j, k]
        for t in range(s, end if units > 0.0 else s):
            free = terms.capacity[r, k, t] - board.usage[r, k, t]
            while units > free + rivals.freed[k, t]:
                lack = units - free - rivals.freed[k, t]
                n = cheapest_to_leave(
                    jobs, k, t, end, lack, board, rivals, n_rivals, weight
                )
                if n < 0:
                    return np.inf
                i = rivals.job[n]
                rivals.leaves[n] = True
                lost += weight[i]
                if lost >= most:
                    return lost
                until = min(end, board.start[i] + jobs.n_slots[i])
                for m in range(jobs.demand.shape[1]):
                    for u in range(max(s, board.start[i]), until):
                        rivals.freed[m, u] += jobs.demand[i, m]
    return lost


@compiled
def drive_in(
    jobs: JobColumns,
    j: int,
    board: Board,
    terms: Terms,
    rivals: Rivals,
    weight: FloatArray,
) -> tuple[int, int, int]:
    """Where a job that is out would drive out the least, and whom.

    Parameters
    ----------
    jobs, board, terms
        As for ``sweeps.sweep``; the board keeps its limits and is not changed.
    j
        The job.
    rivals
        Room to work.
    weight
        What driving a job out counts for, above zero, shape (n_jobs,).

    Returns
    -------
    region, start
        The first of the best places; -1 where the job has none even so.
    n_driven
        Number of jobs that have to leave it: the first ones of ``rivals.driven``.
    """
    least, region, start, n_driven = np.inf, -1, -1, 0
    for r in range(board.usage.shape[0]):
        if not jobs.allowed[j, r]:
            continue
        near = rivals_of(jobs, j, r, board, rivals)
        for s in range(jobs.first[j], jobs.last[j] + 1):
            lost = lost_at(jobs, j, r, s, board, terms, rivals, near, weight, least)
            if lost < least:
                least, region, start, n_driven = lost, r, s, 0
                for n in range(near):
                    if rivals.leaves[n]:
                        rivals.driven[n_driven] = rivals.job[n]
                        n_driven += 1
    return region, start, n_driven


@compiled
def move(
    jobs: JobColumns,
    which: Int64Array,
    places: Int64Array,
    board: Board,
    metered_hours: FloatArray,
) -> None:
    """Take some jobs to other places: region and start of each, -1 for none.

    ``places`` has the shape (2, n).
    """
    for n in range(len(which)):
        j = which[n]
        if board.region[j] >= 0:
            put(jobs, j, -1.0, board, metered_hours)
        board.region[j], board.start[j] = places[0, n], places[1, n]
        if board.region[j] >= 0:
            put(jobs, j, 1.0, board, metered_hours)


def room_to_work(board: Board) -> Rivals:
    """What ``drive_in`` needs beside the board."""
    return Rivals(
        job=np.empty(MOST_RIVALS, dtype=np.int64),
        leaves=np.empty(MOST_RIVALS, dtype=np.bool_),
        driven=np.empty(MOST_RIVALS, dtype=np.int64),
        freed=np.empty(board.usage.shape[1:]),
    )
