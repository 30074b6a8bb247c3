"""What was planned and what ran of it, side by side, segment by segment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow.compute as pc

from outputs.plan import PLANNED, Plan
from planner.executor.energy import ASSUMED, LABELS
from planner.executor.states import State
from planner.settlement.attempts import SETTLED_STATES, Attempt, Times
from planner.settlement.errors import SettlementError
from solvers.metered import Runs

_US_PER_HOUR = 3.6e9

Key = tuple[str, int]
"""Job id and segment."""


class Ending(StrEnum):
    """What became of a segment, for the settlement."""

    RAN = "ran"
    """It began, and nothing more will happen."""
    NOT_RUN = "not_run"
    """It never began, and never will under this plan."""
    OPEN = "open"
    """It waits, runs, or nobody knows; settled later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment: its plan row and its attempts.

    Parameters
    ----------
    planned
        Columns of the plan row; for what only an earlier plan of the date had, what
        the ledger knows of them.
    attempts
        All attempts by number.
    in_plan
        Whether the plan has it.
    """

    job_id: str
    segment: int
    planned: Mapping[str, Any]
    attempts: tuple[Attempt, ...]
    in_plan: bool

    @property
    def ran(self) -> tuple[Attempt, ...]:
        """Attempts that began."""
        return tuple(attempt for attempt in self.attempts if attempt.ran)

    @property
    def state(self) -> State:
        """Where its last attempt stands."""
        return self.attempts[-1].state if self.attempts else State.PLANNED

    @property
    def ending(self) -> Ending:
        """What became of it."""
        if self.state is State.UNKNOWN and self.attempts[-1].started_us is not None:
            return Ending.RAN
        if self.state not in SETTLED_STATES:
            return Ending.OPEN
        return Ending.RAN if self.ran else Ending.NOT_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """One attempt that ran: when, with which energy, and who says so.

    Parameters
    ----------
    energy_kwh
        At the plug. [kWh]
    """

    start_us: int
    end_us: int
    region: int
    energy_kwh: float
    label: str
    times: Times


@dataclass(slots=True, kw_only=True)
class _Columns:
    region: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    energy: list[float] = field(default_factory=list)

    def runs(self, origin_us: int) -> Runs:
        start = np.array(self.start, dtype=np.int64) - origin_us
        return Runs(
            region=np.array(self.region, dtype=np.intp),
            start_us=start,
            end_us=np.array(self.end, dtype=np.int64) - origin_us,
            energy_kwh=np.array(self.energy, dtype=np.float64),
        )


def segments_of(plan: Plan, attempts: Iterable[Attempt]) -> list[Segment]:
    """Every segment that the plan has or the ledger knows, by job and segment."""
    placed = plan.rows.filter(pc.equal(plan.rows["status"], PLANNED))
    rows: dict[Key, dict[str, Any]] = {
        (row["job_id"], row["segment"]): row for row in _with_us(placed).to_pylist()
    }
    by_key: dict[Key, tuple[Attempt, ...]] = {
        key: tuple(group)
        for key, group in groupby(attempts, lambda a: (a.job_id, a.segment))
    }
    return [
        Segment(
            job_id=key[0],
            segment=key[1],
            planned=rows[key] if key in rows else _from_ledger(by_key[key][0]),
            attempts=by_key.get(key, ()),
            in_plan=key in rows,
        )
        for key in sorted({*rows, *by_key})
    ]


def meter(
    attempt: Attempt, regions: Mapping[str, int], pue: Sequence[float]
) -> Metered:
    """When an attempt ran and how much energy it drew at the plug.

    Without a figure, the planned power counts for as long as it really ran: what
    ended early did not use what was planned for it.

    Raises
    ------
    SettlementError
        If its region is gone.
    """
    region = index_of(attempt.region, regions, attempt.job_id)
    start, end, times = attempt.times()
    if attempt.energy_kwh is None:
        energy = attempt.power_kw * (end - start) / _US_PER_HOUR
    else:
        energy = attempt.energy_kwh * (1.0 if attempt.energy_at_plug else pue[region])
    return Metered(
        start_us=start,
        end_us=end,
        region=region,
        energy_kwh=energy,
        label=attempt.energy_label or ASSUMED,
        times=times,
    )


def runs_of(metered: Iterable[Metered], *, origin_us: int) -> Runs:
    """Attempts as runs, counted from the start of the first slot."""
    columns = _Columns()
    for one in metered:
        columns.region.append(one.region)
        columns.start.append(one.start_us)
        columns.end.append(one.end_us)
        columns.energy.append(one.energy_kwh)
    return columns.runs(origin_us)


def index_of(name: str, regions: Mapping[str, int], job_id: str) -> int:
    """Index of a region.

    Raises
    ------
    SettlementError
        If the workspace has none of that name any more.
    """
    if name not in regions:
        raise SettlementError(
            f'job "{job_id}" ran in region {name}, which planner.toml has no more; '
            "put it back to settle the day"
        )
    return regions[name]


def worst_label(metered: Iterable[Metered]) -> str:
    """Label of a sum: that of its least certain part."""
    return max((one.label for one in metered), key=LABELS.index)


def _with_us(rows: Any) -> Any:
    """The few columns that are needed, instants as microseconds."""
    names = (
        *("job_id", "segment", "region", "start", "end", "energy_kwh", "solar_kwh"),
        *("grid_kwh", "emissions_kg", "baseline_region", "baseline_start"),
        *("team", "spec"),
    )
    table = rows.select(names)
    for name in ("start", "end", "baseline_start"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast("int64"))
    return table


def _from_ledger(attempt: Attempt) -> dict[str, Any]:
    return {
        "job_id": attempt.job_id,
        "segment": attempt.segment,
        "region": attempt.region,
        "start": attempt.start_us,
        "end": attempt.end_us,
        "energy_kwh": attempt.power_kw * attempt.planned_us / _US_PER_HOUR,
        "solar_kwh": None,
        "grid_kwh": None,
        "emissions_kg": None,
        "baseline_region": None,
        "baseline_start": None,
        "team": None,
        "spec": None,
    }
