"""Which other jobs may move when a place for one is sought, and which stay put."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from solvers.evaluate import evaluate
from solvers.problem import BoolArray, FloatArray, Int64Array, Problem, RigidJobs
from solvers.solution import Schedule

_REACHES = (0, 8, 32, 128)
"""Numbers of neighbours that may move, tried one after another."""

_MOST_ALL = 300
"""Most jobs that could ever meet to be asked about without holding any."""

_GRAINS = 1e6
"""Parts of a unit of capacity that are told apart."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """Small problem of a job and of those that may move for it.

    Parameters
    ----------
    problem
        The movable jobs, then the job itself; its capacity is what the held jobs
        leave.
    jobs
        Indices of its jobs in the whole problem.
    held
        Number of jobs kept where the schedule has them.
    whole
        The whole schedule.
    """

    problem: Problem
    jobs: Int64Array
    held: int
    whole: Schedule

    def merged(self, part: Schedule) -> Schedule:
        """The whole schedule with other places for the jobs of the scope."""
        region, start = self.whole.region.copy(), self.whole.start.copy()
        region[self.jobs], start[self.jobs] = part.region, part.start
        return Schedule(region=region, start=start)


def scopes(problem: Problem, schedule: Schedule, job: int) -> Iterator[Scope]:
    """Scopes of an unplaced job, from the narrowest to the widest worth asking about.

    First all others are held, then more and more of those in its way may move. Last,
    where few enough jobs could ever meet, none is held: what is impossible then is
    impossible in every plan.
    """
    usage = evaluate(problem, schedule).usage
    rivals = _nearest(problem, schedule, job)
    for before, reach in zip((-1, *_REACHES), _REACHES, strict=False):
        if reach and len(rivals) <= max(before, 0):
            break
        yield _holding(problem, schedule, usage, rivals[:reach], job)
    together = _connected(problem, schedule, job)
    if len(together) <= _MOST_ALL:
        chosen = np.append(together, job)
        yield Scope(
            problem=replace(problem, jobs=_only(problem.jobs, chosen)),
            jobs=chosen,
            held=0,
            whole=schedule,
        )


def _holding(
    problem: Problem,
    schedule: Schedule,
    usage: FloatArray,
    movable: Int64Array,
    job: int,
) -> Scope:
    """Scope in which all but the movable jobs stay where they are."""
    chosen = np.append(np.sort(movable), job)
    part = replace(problem, jobs=_only(problem.jobs, chosen))
    places = Schedule(region=schedule.region[chosen], start=schedule.start[chosen])
    held_usage = usage - evaluate(part, places).usage
    left = np.maximum(problem.places.capacity - held_usage, 0.0)
    # Sums leave specks of rounding; up to the next millionth, a no stays a proof.
    left = np.ceil(left * _GRAINS - 1e-3) / _GRAINS
    free = replace(problem.places, capacity=left)
    return Scope(
        problem=replace(part, places=free),
        jobs=chosen,
        held=problem.n_jobs - schedule.n_unplaced - len(movable),
        whole=schedule,
    )


def _only(jobs: RigidJobs, chosen: Int64Array) -> RigidJobs:
    return RigidJobs(
        **{name: getattr(jobs, name)[chosen] for name in RigidJobs.__dataclass_fields__}
    )


def _nearest(problem: Problem, schedule: Schedule, job: int) -> Int64Array:
    """Placed jobs that run where and when the job could, the longest overlap first."""
    jobs = problem.jobs
    begin, end = jobs.first[job], jobs.last[job] + jobs.n_slots[job]
    placed = np.flatnonzero(schedule.region >= 0)
    start = schedule.start[placed]
    overlap = np.minimum(start + jobs.n_slots[placed], end) - np.maximum(start, begin)
    shares = (jobs.demand[placed] * jobs.demand[job]).any(axis=1)
    rival = (overlap > 0) & jobs.allowed[job, schedule.region[placed]] & shares
    order = np.argsort(-overlap[rival], kind="stable")
    nearest: Int64Array = placed[rival][order]
    return nearest


def _connected(problem: Problem, schedule: Schedule, job: int) -> Int64Array:
    """Placed jobs that could ever meet the job, directly or through others."""
    jobs = problem.jobs
    placed = np.flatnonzero(schedule.region >= 0)
    ends = jobs.last + jobs.n_slots
    found = np.zeros(problem.n_jobs, dtype=np.bool_)
    edge = np.array([job])
    while len(edge) and found.sum() <= _MOST_ALL:
        begin = np.full(problem.places.n_regions, problem.places.n_slots)
        end = np.zeros(problem.places.n_regions, dtype=np.int64)
        for j in edge.tolist():
            allowed = jobs.allowed[j]
            begin[allowed] = np.minimum(begin[allowed], jobs.first[j])
            end[allowed] = np.maximum(end[allowed], ends[j])
        reach: BoolArray = (jobs.first[placed, None] < end) & (
            ends[placed, None] > begin
        )
        met = placed[(reach & jobs.allowed[placed]).any(axis=1)]
        edge = met[~found[met]]
        found[met] = True
    return np.flatnonzero(found)
