"""Work of earlier plans that still runs when a new horizon begins.

It takes up its resources, its power and its part of the sun before any new job.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from inputs.timegrid import TimeGrid, to_us
from outputs.errors import PlanFormatError
from outputs.plan import PLANNED, Plan

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int16Array = npt.NDArray[np.int16]

_US_PER_HOUR = 3_600_000_000
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EarlierWork:
    """Segments that already run, from an earlier plan or from a ledger.

    Parameters
    ----------
    region
        Index of each segment's region, shape (n_segments,).
    start_us, end_us
        When it began and will end, shape (n_segments,). [µs since 1970 UTC]
    power_kw
        Metered power while it runs, after PUE, shape (n_segments,). [kW]
    demand
        Units of every resource that it holds, shape (n_segments, n_resources).
    """

    region: Int16Array
    start_us: Int64Array
    end_us: Int64Array
    power_kw: FloatArray
    demand: FloatArray

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            column = getattr(self, name)
            column.setflags(write=False)
            if len(column) != len(self.region):
                raise ValueError(
                    f"{name} has {len(column)} entries, region {len(self.region)}"
                )

    def __len__(self) -> int:
        return len(self.region)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Occupancy:
    """What earlier work uses of each region in each slot.

    Parameters
    ----------
    power_kw
        Place taken under the power cap: full in every touched slot, metered, shape
        (n_regions, n_slots). [kW]
    demand
        Units of every resource, full in every touched slot, shape
        (n_resources, n_regions, n_slots).
    energy_kwh
        Metered energy, in proportion where a slot is used in part, shape
        (n_regions, n_slots). [kWh]
    """

    power_kw: FloatArray
    demand: FloatArray
    energy_kwh: FloatArray

    def solar_kwh(self, available_kwh: FloatArray) -> FloatArray:
        """Solar energy that the earlier work takes, shape (n_regions, n_slots).

        Parameters
        ----------
        available_kwh
            On-site solar left over by base load, same shape. [kWh]
        """
        return np.minimum(self.energy_kwh, np.maximum(available_kwh, 0.0))


def earlier_work(
    plan: Plan, *, at: datetime, regions: Sequence[str], resources: Sequence[str]
) -> EarlierWork:
    """Segments of an earlier plan that run at an instant: start < at < end.

    A segment that starts at the instant itself belongs to the new horizon, whose
    plan decides anew about it.

    Parameters
    ----------
    plan
        The earlier plan.
    at
        Start of the new horizon, aware.
    regions
        Names of today's regions; work in a region that is gone takes nothing.
    resources
        Names of today's resources; others that a job holds do not matter.

    Returns
    -------
    EarlierWork
        Demand is ``resources`` of a row's ``spec`` times its replicas.

    Raises
    ------
    PlanFormatError
        If a running row's ``spec`` does not say which resources it holds.
    """
    instant = pa.scalar(to_us(at), pa.timestamp("us", tz="UTC"))
    rows = plan.rows
    running = pc.and_(
        pc.equal(rows["status"], PLANNED),
        pc.and_(pc.less(rows["start"], instant), pc.greater(rows["end"], instant)),
    )
    known = pc.is_in(rows["region"], pa.array(regions, pa.string()))
    rows = rows.filter(pc.and_(running, known))
    region = pc.index_in(rows["region"], pa.array(regions, pa.string()))
    return EarlierWork(
        region=region.to_numpy().astype(np.int16),
        start_us=rows["start"].cast(pa.int64()).to_numpy().copy(),
        end_us=rows["end"].cast(pa.int64()).to_numpy().copy(),
        power_kw=rows["power_kw"].to_numpy().copy(),
        demand=_demand(rows, resources),
    )


def occupancy(work: EarlierWork, grid: TimeGrid, *, n_regions: int) -> Occupancy:
    """What earlier work uses on the slots of a new horizon."""
    n_resources = work.demand.shape[1]
    power = np.zeros((n_regions, grid.n_slots))
    energy = np.zeros((n_regions, grid.n_slots))
    demand = np.zeros((n_resources, n_regions, grid.n_slots))
    at_once = max(1, _CELLS_AT_ONCE // max(1, grid.n_slots))
    for r in range(n_regions):
        members = np.flatnonzero(work.region == r)
        for first in range(0, len(members), at_once):
            rows = members[first : first + at_once]
            hours = _hours_in_slots(work.start_us[rows], work.end_us[rows], grid)
            touched = (hours > 0).astype(np.float64)
            power[r] += work.power_kw[rows] @ touched
            energy[r] += work.power_kw[rows] @ hours
            demand[:, r] += work.demand[rows].T @ touched
    return Occupancy(power_kw=power, demand=demand, energy_kwh=energy)


def _hours_in_slots(
    start_us: Int64Array, end_us: Int64Array, grid: TimeGrid
) -> FloatArray:
    """Hours that each segment runs in each slot, shape (n_segments, n_slots)."""
    slot_start = grid.starts_us()
    begin = np.maximum(start_us[:, None], slot_start)
    stop = np.minimum(end_us[:, None], slot_start + grid.step_us)
    hours: FloatArray = np.maximum(stop - begin, 0) / _US_PER_HOUR
    return hours


def _demand(rows: pa.Table, resources: Sequence[str]) -> FloatArray:
    """Resources of each row, shape (n_rows, n_resources); equal specs read once."""
    coded = rows["spec"].combine_chunks().dictionary_encode()
    distinct = [_resources(text, resources) for text in coded.dictionary.to_pylist()]
    shape = (len(distinct), len(resources))  # -1 cannot be told from no resource
    table = np.asarray(distinct, dtype=np.float64).reshape(shape)
    replicas = rows["replicas"].to_numpy().astype(np.float64)
    demand: FloatArray = table[coded.indices.to_numpy()] * replicas[:, None]
    return demand


def _resources(text: str, names: Sequence[str]) -> list[float]:
    try:
        spec: Any = json.loads(text)
        held = spec["resources"]
        return [float(held.get(name, 0.0)) for name in names]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PlanFormatError(
            f"spec {text[:80]!r} does not name the resources of a running job"
        ) from error
