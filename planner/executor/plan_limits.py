"""Limits that a plan's rows must keep, as far as the plan file itself tells them.

``planner check`` verifies every limit from the inputs. This is what the executor
asks anew before it first sends anything, whoever made the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from outputs.plan import PLANNED, Plan, PlanMeta
from planner.executor.instants import from_us, to_us
from planner.executor.specs import rules_of

Mask = npt.NDArray[np.bool_]
Instants = npt.NDArray[np.int64]

_NEVER = np.iinfo(np.int64).max
_ROUNDING = 1e-6
"""Sums of many powers carry rounding; the check allows the same, relatively."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Placed rows as arrays, one entry for each. Instants are [µs since 1970 UTC]."""

    job_id: list[str]
    segment: Instants
    region: list[str]
    start: Instants
    end: Instants
    deadline: Instants
    power_kw: npt.NDArray[np.float64]
    replicas: Instants


def broken_limits(plan: Plan) -> list[str]:
    """Every limit that the rows break, one sentence each; none for a good plan."""
    placed = plan.rows.filter(pc.equal(plan.rows["status"], PLANNED))
    absent = [
        f"{placed[name].null_count} placed rows have no {name}"
        for name in ("region", "start", "end")
        if placed[name].null_count
    ]
    if absent:
        return absent
    try:
        rows = _rows(placed)
    except ValueError as error:
        return [f"a spec is unusable: {error}"]
    problems = _date(plan.meta)
    for name, mask in _masks(rows, plan.meta):
        problems += [
            f"{rows.job_id[at]}, segment {rows.segment[at]}: {name} "
            f"({from_us(int(rows.start[at])):%Y-%m-%dT%H:%MZ} to "
            f"{from_us(int(rows.end[at])):%Y-%m-%dT%H:%MZ})"
            for at in np.flatnonzero(mask)
        ]
    return problems + _repeats(rows) + _caps(rows, plan.meta)


def _rows(placed: pa.Table) -> _Rows:
    specs = pc.dictionary_encode(placed["spec"]).combine_chunks()
    found = [rules_of(text).deadline_us for text in specs.dictionary.to_pylist()]
    deadlines = np.array([_NEVER if d is None else d for d in found], np.int64)
    return _Rows(
        job_id=placed["job_id"].to_pylist(),
        segment=placed["segment"].to_numpy(),
        region=placed["region"].to_pylist(),
        start=placed["start"].cast(pa.int64()).to_numpy(),
        end=placed["end"].cast(pa.int64()).to_numpy(),
        deadline=deadlines[specs.indices.to_numpy()],
        power_kw=pc.fill_null(placed["power_kw"], 0.0).to_numpy(),
        replicas=pc.fill_null(placed["replicas"], 1).to_numpy(),
    )


def _masks(rows: _Rows, meta: PlanMeta) -> list[tuple[str, Mask]]:
    """Name of each limit of single rows, and the rows that break it."""
    begins, slot_us = to_us(meta.horizon_start), meta.slot_minutes * 60_000_000
    falling = np.zeros(len(rows.start), np.bool_)
    falling[1:] = np.diff(rows.start) < 0
    return [
        ("starts before the horizon", rows.start < begins),
        ("ends after the horizon", rows.end > to_us(meta.horizon_end)),
        ("ends before it starts", rows.end <= rows.start),
        ("starts within a slot", (rows.start - begins) % slot_us != 0),
        ("ends after its deadline", rows.end > rows.deadline),
        ("is out of order", falling),
        (
            "has an impossible power",
            ~(np.isfinite(rows.power_kw) & (rows.power_kw >= 0)),
        ),
        ("has no replica", rows.replicas < 1),
    ]


def _date(meta: PlanMeta) -> list[str]:
    # Not its hour: there are zones with days that begin at one o'clock.
    begins = meta.horizon_start.astimezone(ZoneInfo(meta.timezone))
    if begins.date() == meta.date:
        return []
    return [f"its horizon begins at {begins.isoformat()}, not on {meta.date}"]


def _repeats(rows: _Rows) -> list[str]:
    """Segments that are there twice, and segments of a job that overlap."""
    order = sorted(
        range(len(rows.job_id)), key=lambda at: (rows.job_id[at], rows.start[at])
    )
    problems, seen = [], set[tuple[str, int]]()
    for before, at in zip([None, *order], order, strict=False):
        name = (rows.job_id[at], int(rows.segment[at]))
        if name in seen:
            problems.append(f"{name[0]}, segment {name[1]}: is there twice")
        elif (
            before is not None
            and rows.job_id[before] == name[0]
            and rows.start[at] < rows.end[before]
        ):
            problems.append(f"{name[0]}, segment {name[1]}: begins before another ends")
        seen.add(name)
    return problems


def _caps(rows: _Rows, meta: PlanMeta) -> list[str]:
    """Regions that would draw more than the cap that the plan was made under."""
    caps = meta.settings.get("power_caps_kw")
    if not isinstance(caps, dict):
        return []
    slot_us, begins = meta.slot_minutes * 60_000_000, to_us(meta.horizon_start)
    n_slots = max(1, (to_us(meta.horizon_end) - begins) // slot_us)
    region = np.array(rows.region, dtype=object)
    problems = []
    for name, cap_kw in sorted(caps.items()):
        mine = region == name
        first = np.clip((rows.start[mine] - begins) // slot_us, 0, n_slots)
        # A slot that is touched counts in full.
        after = np.clip(-((begins - rows.end[mine]) // slot_us), 0, n_slots)
        steps = np.zeros(n_slots + 1)
        np.add.at(steps, first, rows.power_kw[mine])
        np.add.at(steps, after, -rows.power_kw[mine])
        peak_kw = float(np.cumsum(steps).max(initial=0.0))
        if peak_kw > cap_kw * (1 + _ROUNDING):
            problems.append(f"{name} would draw {peak_kw:g} kW, its cap is {cap_kw:g}")
    return problems
