"""Segments and attempts as columns, counted from the start of the first slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inputs.settings import Workspace
from inputs.timegrid import TimeGrid
from planner.settlement.hindsight import Ran
from planner.settlement.stages import Attempted, Segments
from planner.settlement.work import Metered, Segment, index_of, meter, runs_of
from solvers.evaluate import IndexArray
from solvers.metered import Runs
from solvers.problem import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """What ran, in every form that settling needs.

    Parameters
    ----------
    ran, metered
        Segments that ran, and the attempts of each of them.
    segments, attempted
        The same as columns.
    """

    ran: Sequence[Segment]
    metered: Sequence[Sequence[Metered]]
    segments: Segments
    attempted: Attempted

    def last_us(self) -> int:
        """End of the latest run of any stage, from the start of the first slot."""
        segments, runs = self.segments, self.attempted.runs
        first = runs.start_us[self.attempted.first]
        moved = (segments.baseline_start_us - first)[self.attempted.segment]
        based = segments.has_baseline[self.attempted.segment]
        ends = (
            segments.end_us,
            np.maximum(runs.end_us, runs.start_us + 1),
            first + segments.end_us - segments.start_us,
            (np.maximum(runs.end_us, runs.start_us + 1) + moved)[based],
        )
        return max(int(column.max(initial=0)) for column in ends)


def work_of(ran: Sequence[Segment], workspace: Workspace, origin_us: int) -> Work:
    """Columns of the segments that ran.

    Raises
    ------
    SettlementError
        If a region is gone.
    """
    regions = {region.name: r for r, region in enumerate(workspace.regions)}
    pue = [region.pue for region in workspace.regions]
    metered = [[meter(a, regions, pue) for a in segment.ran] for segment in ran]
    counts = [len(tries) for tries in metered]
    every = (one for tries in metered for one in tries)
    return Work(
        ran=ran,
        metered=metered,
        segments=planned_columns(ran, regions, origin_us),
        attempted=Attempted(
            segment=np.repeat(np.arange(len(ran)), counts),
            runs=runs_of(every, origin_us=origin_us),
        ),
    )


def jobs_of(ran: Sequence[Segment]) -> Ran:
    """Their jobs, for planning them once more."""
    return Ran(
        job_ids=[segment.job_id for segment in ran],
        planned_us=[s.planned["end"] - s.planned["start"] for s in ran],
    )


def planned_columns(
    ran: Sequence[Segment], regions: Mapping[str, int], origin_us: int
) -> Segments:
    """What was planned of the segments that ran; nothing is known of their data yet."""
    rows = [segment.planned for segment in ran]
    base = [row["baseline_region"] for row in rows]
    known = [
        name in regions and row["baseline_start"] is not None
        for name, row in zip(base, rows, strict=True)
    ]

    def column(name: str) -> FloatArray:
        return np.array([row[name] for row in rows], dtype=np.float64)

    def instants(name: str) -> IndexArray:
        return np.array([row[name] or origin_us for row in rows], np.int64) - origin_us

    return Segments(
        region=np.array(
            [index_of(row["region"], regions, row["job_id"]) for row in rows], np.intp
        ),
        start_us=instants("start"),
        end_us=instants("end"),
        energy_kwh=column("energy_kwh"),
        baseline_region=np.array(
            [regions[b] if k else -1 for b, k in zip(base, known, strict=True)], np.intp
        ),
        baseline_start_us=instants("baseline_start"),
        place_kg=np.zeros((len(rows), len(regions))),
    )


def inside(runs: Runs, grid: TimeGrid) -> Runs:
    """The part of earlier work that lies on the slots."""
    end_us = grid.n_slots * grid.step_us
    begin = np.clip(runs.start_us, 0, end_us)
    stop = np.clip(runs.end_us, 0, end_us)
    length = np.maximum(runs.end_us - runs.start_us, 1)
    kept = stop > begin
    part = (stop - begin) / length
    return Runs(
        region=runs.region[kept],
        start_us=begin[kept],
        end_us=stop[kept],
        energy_kwh=(runs.energy_kwh * part)[kept],
    )
