"""What was planned and what ran of it, side by side, segment by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from outputs.plan import PLANNED, Plan
from planner.executor.energy import ASSUMED, LABELS
from planner.executor.states import State
from planner.settlement.attempts import SETTLED_STATES, Attempts, RunTimes
from planner.settlement.errors import SettlementError
from solvers.evaluate import IndexArray
from solvers.metered import Runs
from solvers.problem import BoolArray, FloatArray

_US_PER_HOUR = 3.6e9

_TEXT, _WHOLE, _NUMBER = pa.string(), pa.int64(), pa.float64()

PLANNED_SCHEMA = pa.schema(
    {
        "job_id": _TEXT,
        "segment": _WHOLE,
        "region": _TEXT,
        "start": _WHOLE,
        "end": _WHOLE,
        "energy_kwh": _NUMBER,
        "solar_kwh": _NUMBER,
        "grid_kwh": _NUMBER,
        "emissions_kg": _NUMBER,
        "baseline_region": _TEXT,
        "baseline_start": _WHOLE,
        "team": _TEXT,
        "spec": _TEXT,
    }
)
"""What is needed of plan rows, instants as µs since 1970 UTC."""


class Ending(StrEnum):
    """What became of a segment, for the settlement."""

    RAN = "ran"
    """It began, and nothing more will happen."""
    NOT_RUN = "not_run"
    """It never began, and never will under this plan."""
    OPEN = "open"
    """It waits, runs, or nobody knows; settled later."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Every segment that the plan has or the ledger knows, by job and segment.

    Parameters
    ----------
    planned
        Columns of ``PLANNED_SCHEMA``; for what only an earlier plan of the date had,
        what the ledger knows of them.
    attempts
        All attempts at all of them.
    of
        Segment of each attempt, rising, shape (n_attempts,).
    """

    planned: pa.Table
    attempts: Attempts
    of: IndexArray

    def __len__(self) -> int:
        return int(self.planned.num_rows)

    @property
    def last(self) -> IndexArray:
        """Last attempt at each segment, -1 where there is none, shape (n,)."""
        ends = np.cumsum(np.bincount(self.of, minlength=len(self)))
        return np.where(np.diff(ends, prepend=0) > 0, ends - 1, -1).astype(np.intp)

    @property
    def state(self) -> pa.ChunkedArray:
        """Where the last attempt at each stands, shape (n,)."""
        return self.of_last("state").fill_null(State.PLANNED.value)

    def of_last(self, name: str) -> pa.ChunkedArray:
        """A column of the last attempt at each, null where there is none."""
        return self.attempts.rows[name].take(pa.array(self.last, mask=self.last < 0))

    @property
    def begun(self) -> npt.NDArray[np.intp]:
        """How many attempts at each began, shape (n,)."""
        return np.bincount(self.of[self.attempts.ran], minlength=len(self))

    @property
    def ending(self) -> npt.NDArray[np.str_]:
        """What became of each, values of ``Ending``, shape (n,)."""
        state = self.state
        settled = pa.array([one.value for one in SETTLED_STATES], pa.string())
        over = pc.is_in(state, value_set=settled).to_numpy()
        lost = pc.equal(state, State.UNKNOWN.value).to_numpy()
        lost = lost & self.of_last("started_us").is_valid().to_numpy()
        ran = (over & (self.begun > 0)) | lost
        return np.select([ran, over], [Ending.RAN, Ending.NOT_RUN], Ending.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metered:
    """Attempts that ran: when, with which energy, and who says so, shape (n,) all.

    Parameters
    ----------
    times
        When.
    region
        Index of the region.
    energy_kwh
        At the plug. [kWh]
    label
        Index in ``LABELS`` of who says so.
    """

    times: RunTimes
    region: IndexArray
    energy_kwh: FloatArray
    label: npt.NDArray[np.int8]

    def runs(self, origin_us: int) -> Runs:
        """As runs, counted from the start of the first slot."""
        return Runs(
            region=self.region,
            start_us=self.times.start_us - origin_us,
            end_us=self.times.end_us - origin_us,
            energy_kwh=self.energy_kwh,
        )


def segments_of(plan: Plan, attempts: Attempts) -> Found:
    """Every segment that the plan has or the ledger knows, by job and segment."""
    placed = plan.rows.filter(pc.equal(plan.rows["status"], PLANNED))
    planned = placed.select(PLANNED_SCHEMA.names).cast(PLANNED_SCHEMA)
    theirs = _keys(attempts.rows)
    unplanned = pc.invert(pc.is_in(theirs, value_set=_keys(planned)))
    planned = pa.concat_tables([planned, _from_ledger(attempts.rows.filter(unplanned))])
    order = [("job_id", "ascending"), ("segment", "ascending")]
    planned = planned.take(pc.sort_indices(planned, sort_keys=order))
    of = pc.index_in(theirs, value_set=_keys(planned))
    return Found(planned=planned, attempts=attempts, of=of.to_numpy().astype(np.intp))


def meter(
    attempts: Attempts, regions: Mapping[str, int], pue: Sequence[float]
) -> Metered:
    """When attempts ran and how much energy they drew at the plug.

    Without a figure, the planned power counts for as long as it really ran: what
    ended early did not use what was planned for it.

    Raises
    ------
    SettlementError
        If a region is gone.
    """
    rows, times = attempts.rows, attempts.times()
    region = index_of(rows["region"], regions, rows["job_id"])
    told = attempts.number("energy_kwh")
    assumed = attempts.number("power_kw") * (times.end_us - times.start_us)
    at_plug = rows["energy_at_plug"].to_numpy()
    scale = np.where(at_plug, 1.0, np.asarray(pue, dtype=np.float64)[region])
    labels = rows["energy_label"].fill_null(ASSUMED)
    return Metered(
        times=times,
        region=region,
        energy_kwh=np.where(np.isnan(told), assumed / _US_PER_HOUR, told * scale),
        label=_positions(labels, LABELS).astype(np.int8),
    )


def index_of(names: Any, regions: Mapping[str, int], job_ids: Any) -> IndexArray:
    """Index of each region.

    Raises
    ------
    SettlementError
        If the workspace has none of that name any more.
    """
    found = _positions(names, list(regions))
    if (found < 0).any():
        at = int(np.argmin(found))
        raise SettlementError(
            f'job "{job_ids[at]}" ran in region {names[at]}, which planner.toml has no '
            "more; put it back to settle the day"
        )
    return found


def known_regions(names: Any, regions: Mapping[str, int]) -> BoolArray:
    """Whether the workspace has each region."""
    known: BoolArray = _positions(names, list(regions)) >= 0
    return known


def _positions(texts: Any, among: Sequence[str]) -> IndexArray:
    """Position of each text, -1 where it is none of them."""
    at = pc.index_in(texts, value_set=pa.array(among, pa.string())).fill_null(-1)
    found: IndexArray = at.to_numpy().astype(np.intp)
    return found


def _keys(rows: pa.Table) -> Any:
    """One text for each job and segment."""
    return pc.binary_join_element_wise(
        rows["job_id"], rows["segment"].cast(pa.string()), "/"
    )


def _from_ledger(rows: pa.Table) -> pa.Table:
    """What the ledger knows of segments of which the plan has no row."""
    keys = _keys(rows).to_numpy()
    first = np.ones(len(keys), dtype=np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    rows = rows.filter(pa.array(first))
    hours = pc.divide(pc.subtract(rows["end_us"], rows["start_us"]), _US_PER_HOUR)
    known = {
        "job_id": rows["job_id"],
        "segment": rows["segment"],
        "region": rows["region"],
        "start": rows["start_us"],
        "end": rows["end_us"],
        "energy_kwh": pc.multiply(rows["power_kw"], hours),
    }
    columns = [
        known.get(field.name, pa.nulls(rows.num_rows, field.type))
        for field in PLANNED_SCHEMA
    ]
    return pa.table(columns, schema=PLANNED_SCHEMA)
