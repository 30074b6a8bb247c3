"""Equal jobs as one group, so that swapping two of them is not a new answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.problem import Int64Array, RigidJobs
from solvers.solution import UNPLACED, Schedule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """Which jobs are equal in all that the model knows of them.

    Groups are sorted by what the jobs are, not by where they stand, so that the
    same jobs in another order give the same model.

    Parameters
    ----------
    of_job
        Group of every job, shape (n_jobs,).
    first_job
        Lowest job of every group, shape (n_groups,).
    size
        Number of jobs in every group, shape (n_groups,).
    """

    of_job: Int64Array
    first_job: Int64Array
    size: Int64Array

    def __len__(self) -> int:
        return len(self.size)


def group_jobs(jobs: RigidJobs) -> Groups:
    """Group the jobs that are equal, see ``RigidJobs.traits``."""
    traits = np.column_stack(jobs.traits()).astype(np.float64)
    _, first_job, of_job, size = np.unique(
        traits, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    return Groups(
        of_job=of_job.reshape(-1).astype(np.int64),
        first_job=first_job.astype(np.int64),
        size=size.astype(np.int64),
    )


def ungroup(
    groups: Groups,
    *,
    group: Int64Array,
    region: Int64Array,
    start: Int64Array,
    count: Int64Array,
) -> Schedule:
    """Hand the places of every group to its jobs, the earliest to the lowest job.

    Parameters
    ----------
    groups
        What ``group_jobs`` found.
    group, region, start
        A place each, shape (n_places,).
    count
        Jobs of the group at that place, at most the group's size in total,
        shape (n_places,).
    """
    order = np.lexsort((region, start, group))
    taken = np.repeat(order, count[order])
    placed = np.bincount(group[taken], minlength=len(groups))
    member = np.lexsort((np.arange(len(groups.of_job)), groups.of_job))
    begin = np.cumsum(groups.size) - groups.size
    rank = np.arange(len(taken)) - np.repeat(np.cumsum(placed) - placed, placed)
    job = member[begin[group[taken]] + rank]
    regions = np.full(len(groups.of_job), UNPLACED, dtype=np.int16)
    starts = np.full(len(groups.of_job), UNPLACED, dtype=np.int32)
    regions[job] = region[taken]
    starts[job] = start[taken]
    return Schedule(region=regions, start=starts)
