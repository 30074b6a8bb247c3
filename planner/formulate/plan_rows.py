"""A schedule in slots becomes plan rows in wall-clock time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from inputs.jobs import FloatArray, Jobs
from inputs.settings import Settings
from inputs.timegrid import TimeGrid
from outputs.plan import PLAN_SCHEMA, PLANNED, UNPLACED
from planner.formulate.formulation import Formulation
from solvers.evaluate import Evaluation
from solvers.solution import Schedule

IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PricedSchedule:
    """A schedule with what it uses and emits."""

    schedule: Schedule
    evaluation: Evaluation


def plan_rows(
    jobs: Jobs,
    formulation: Formulation,
    *,
    grid: TimeGrid,
    settings: Settings,
    planned: PricedSchedule,
    baseline: PricedSchedule,
    reasons: Sequence[str | None],
) -> pa.Table:
    """Rows of the plan file, sorted by start, then job id; unplaced jobs last.

    Parameters
    ----------
    jobs, formulation, grid, settings
        What was planned.
    planned
        The schedule to write.
    baseline
        The schedule under ``asap``, for the ``baseline_*`` columns.
    reasons
        Why a job of the problem is unplaced, one entry a job.
    """
    rows = np.concatenate([formulation.rows, formulation.excluded.rows])
    outside = len(formulation.excluded.rows)
    columns = _Columns(jobs, rows, outside, grid, settings)
    table = pa.Table.from_arrays(
        [
            jobs.ids.take(pa.array(rows)),
            pa.array(np.zeros(len(rows), dtype=np.int32)),
            *_planned(columns, planned, [*reasons, *formulation.excluded.reasons]),
            *_compared(columns, baseline),
            jobs.team.take(pa.array(rows)),
            columns.executors(columns.place(planned.schedule)[0]),
            jobs.command.take(pa.array(rows)),
            jobs.spec.take(pa.array(rows)),
        ],
        schema=PLAN_SCHEMA,
    )
    keys = [("start", "ascending"), ("job_id", "ascending")]
    return table.take(pc.sort_indices(table, sort_keys=keys))


def _planned(
    columns: _Columns, planned: PricedSchedule, reasons: Sequence[str | None]
) -> list[pa.Array]:
    """Columns ``status`` to ``emissions_kg``."""
    region, start = columns.place(planned.schedule)
    placed, result = region >= 0, planned.evaluation
    shares = (
        *(result.job_energy_kwh, result.job_solar_kwh),
        *(result.job_grid_kwh, result.job_emissions_kg),
    )
    return [
        pa.array(np.where(placed, PLANNED, UNPLACED), pa.string()),
        pa.array(reasons, pa.string()),
        columns.region_names(region),
        columns.instants(start),
        columns.instants(start, after_us=columns.duration_us()),
        _where(placed, np.ones(len(region), dtype=np.int32)),
        _where(placed, columns.running(region)),
        *(_where(placed, columns.spread(share)) for share in shares),
    ]


def _compared(columns: _Columns, baseline: PricedSchedule) -> list[pa.Array]:
    """Columns ``baseline_region`` to ``baseline_emissions_kg``."""
    region, start = columns.place(baseline.schedule)
    emissions_kg = columns.spread(baseline.evaluation.job_emissions_kg)
    return [
        columns.region_names(region),
        columns.instants(start),
        _where(region >= 0, emissions_kg),
    ]


class _Columns:
    """Spreads what is known of the problem's jobs over all rows of the plan."""

    def __init__(
        self,
        jobs: Jobs,
        rows: IndexArray,
        n_outside: int,
        grid: TimeGrid,
        settings: Settings,
    ) -> None:
        self._jobs = jobs
        self._rows = rows
        self._n_outside = n_outside
        self._grid = grid
        self._regions = settings.regions

    def place(
        self, schedule: Schedule
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Region and start slot of every row; -1 where unplaced."""
        outside = np.full(self._n_outside, -1)
        return (
            np.concatenate([schedule.region, outside]).astype(np.int64),
            np.concatenate([schedule.start, outside]).astype(np.int64),
        )

    def spread(self, values: FloatArray) -> FloatArray:
        """Values of the problem's jobs, and zero for the excluded ones."""
        return np.concatenate([values, np.zeros(self._n_outside)])

    def duration_us(self) -> npt.NDArray[np.int64]:
        """Running time of every row. [µs]"""
        duration: npt.NDArray[np.int64] = self._jobs.duration_us[self._rows]
        return duration

    def running(self, region: npt.NDArray[np.int64]) -> FloatArray:
        """Metered power of every row while it runs. [kW]"""
        pue = np.array([r.pue for r in self._regions])
        metered: FloatArray = self._jobs.power_kw[self._rows] * pue[region]
        return metered

    def region_names(self, region: npt.NDArray[np.int64]) -> pa.Array:
        """Names by index, null where unplaced."""
        names = pa.array([r.name for r in self._regions], pa.string())
        return names.take(pa.array(region, mask=region < 0))

    def instants(
        self, slot: npt.NDArray[np.int64], *, after_us: npt.NDArray[np.int64] | int = 0
    ) -> pa.Array:
        """Wall-clock time of slot borders, null where unplaced."""
        us = self._grid.start_us + slot * self._grid.step_us + after_us
        return pa.array(us, pa.int64(), mask=slot < 0).cast(
            PLAN_SCHEMA.field("start").type
        )

    def executors(self, region: npt.NDArray[np.int64]) -> pa.Array:
        """The job's own executor, else the region's; null where unplaced."""
        of_region = pa.array([r.executor for r in self._regions], pa.string())
        chosen = of_region.take(pa.array(region, mask=region < 0))
        return pc.coalesce(self._jobs.executor.take(pa.array(self._rows)), chosen)


def _where(known: npt.NDArray[np.bool_], values: npt.NDArray[np.generic]) -> pa.Array:
    return pa.array(values, mask=~known)
