"""Segments and attempts as arrays, counted from the start of the first slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from inputs.settings import Workspace
from inputs.timegrid import TimeGrid
from planner.settlement.hindsight import Ran
from planner.settlement.stages import Attempted, Segments
from planner.settlement.work import (
    Ending,
    Found,
    Metered,
    index_of,
    known_regions,
    meter,
)
from solvers.evaluate import IndexArray
from solvers.metered import Runs
from solvers.problem import FloatArray, Int64Array

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Work:
    """What ran, in every form that settling needs.

    Parameters
    ----------
    at
        Which of all segments ran, shape (n_ran,).
    rows
        Their planned columns.
    tries
        Which of all attempts ran, of those segments, shape (n_tries,).
    metered
        What each of them used.
    segments, attempted
        The same for pricing; ``attempted.segment`` counts the segments that ran.
    """

    at: IndexArray
    rows: pa.Table
    tries: IndexArray
    metered: Metered
    segments: Segments
    attempted: Attempted

    def __len__(self) -> int:
        return len(self.at)

    @property
    def first(self) -> IndexArray:
        """First try at each segment, shape (n_ran,)."""
        return self.attempted.first

    @property
    def last(self) -> IndexArray:
        """Last try at each segment, shape (n_ran,)."""
        return np.append(self.first[1:], len(self.tries)) - 1 if len(self) else self.at

    def summed(self, values: AnyArray) -> AnyArray:
        """Sum over the tries at each segment, shape (n_ran,)."""
        return np.add.reduceat(values, self.first) if len(self) else values

    def worst(self, values: AnyArray) -> AnyArray:
        """Highest value of the tries at each segment, shape (n_ran,)."""
        return np.maximum.reduceat(values, self.first) if len(self) else values

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


def work_of(found: Found, workspace: Workspace, origin_us: int) -> Work:
    """Arrays of the segments that ran.

    Raises
    ------
    SettlementError
        If a region is gone.
    """
    regions = {region.name: r for r, region in enumerate(workspace.regions)}
    pue = [region.pue for region in workspace.regions]
    ran = found.ending == Ending.RAN
    at = np.flatnonzero(ran)
    rows = found.planned.take(pa.array(at))
    counted = found.attempts.ran & ran[found.of]
    metered = meter(found.attempts.among(counted), regions, pue)
    return Work(
        at=at,
        rows=rows,
        tries=np.flatnonzero(counted),
        metered=metered,
        segments=planned_columns(rows, regions, origin_us),
        attempted=Attempted(
            segment=(np.cumsum(ran) - 1)[found.of[counted]],
            runs=metered.runs(origin_us),
        ),
    )


def jobs_of(work: Work) -> Ran:
    """Their jobs, for planning them once more."""
    return Ran(
        job_ids=work.rows["job_id"],
        planned_us=work.segments.end_us - work.segments.start_us,
    )


def planned_columns(
    rows: pa.Table, regions: Mapping[str, int], origin_us: int
) -> Segments:
    """What was planned of the segments that ran; nothing is known of their data yet."""
    base = rows["baseline_region"]
    known = known_regions(base, regions)
    known &= rows["baseline_start"].is_valid().to_numpy()
    based = np.full(len(known), -1, dtype=np.intp)
    based[known] = index_of(base.filter(pa.array(known)), regions, rows["job_id"])

    def number(name: str) -> FloatArray:
        return rows[name].to_numpy()  # type: ignore[no-any-return]

    def instants(name: str) -> Int64Array:
        known_us: Int64Array = rows[name].fill_null(origin_us).to_numpy()
        return known_us - origin_us

    return Segments(
        region=index_of(rows["region"], regions, rows["job_id"]),
        start_us=instants("start"),
        end_us=instants("end"),
        energy_kwh=number("energy_kwh"),
        baseline_region=based,
        baseline_start_us=instants("baseline_start"),
        place_kg=np.zeros((rows.num_rows, len(regions))),
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
