"""The evidence of a settled day: a row for each segment, and the sums over them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from inputs.settings import Workspace
from inputs.timegrid import from_us
from outputs.evidence import EVIDENCE_SCHEMA, Evidence
from outputs.plan import Plan
from planner.executor.energy import ASSUMED, LABELS
from planner.executor.states import State
from planner.settlement.hindsight import Hindsight
from planner.settlement.intensity import SciPart, embodied_kg, scores, unit_of
from planner.settlement.stages import Attempted, Segments, Stages
from planner.settlement.values import Origin, Values
from planner.settlement.work import Ending, Metered, Segment, worst_label
from planner.version import planner_version, solver_versions
from solvers.metered import touched
from solvers.problem import BoolArray, FloatArray, Places

_US_PER_HOUR = 3.6e9
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """Everything that is known of a settled day.

    Parameters
    ----------
    found
        Every segment.
    ran, metered
        Those that ran, and the attempts of each of them.
    segments, attempted, stages
        The same as columns, and what they emitted in each stage.
    hindsight
        The best plan, or why it is not known.
    notes
        What a reader must know.
    """

    workspace: Workspace
    plan: Plan
    ledger_digest: str
    found: Sequence[Segment]
    ran: Sequence[Segment]
    metered: Sequence[Sequence[Metered]]
    segments: Segments
    attempted: Attempted
    stages: Stages
    hindsight: Hindsight | str
    values: Values
    places: Places
    now: datetime
    notes: tuple[str, ...]

    @property
    def waits(self) -> BoolArray:
        """Which of the segments that ran used a slot whose value is to come."""
        runs, step_us = self.attempted.runs, self.values.grid.step_us
        flag = touched(self.places, runs, self.values.awaited, step_us=step_us)
        waits = np.bincount(self.attempted.segment, flag, len(self.ran)) > 0
        unsure = [segment.state is State.UNKNOWN for segment in self.ran]
        return waits | np.array(unsure, dtype=np.bool_)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names, in the order of planner.toml."""
        return tuple(region.name for region in self.workspace.regions)


def evidence_of(settled: Settled) -> Evidence:
    """Rows and sums of a settled day."""
    rows = _rows(settled)
    table = pa.Table.from_pylist(rows, schema=EVIDENCE_SCHEMA)
    return Evidence(rows=table, meta=_meta(settled, rows))


def _rows(settled: Settled) -> list[dict[str, Any]]:
    ran = {id(segment): i for i, segment in enumerate(settled.ran)}
    waits = settled.waits.tolist()
    columns = _columns(settled)
    rows = []
    for segment in settled.found:
        at = ran.get(id(segment))
        row = _planned(segment)
        if at is not None:
            row |= {name: values[at] for name, values in columns.items()}
            row |= _ran(segment, settled.metered[at], settled)
            row["provisional"] = waits[at]
        rows.append(row)
    rows.sort(key=lambda row: (row["planned_start"], row["job_id"], row["segment"]))
    return rows


def _planned(segment: Segment) -> dict[str, Any]:
    planned = segment.planned
    last = segment.attempts[-1] if segment.attempts else None
    return {
        "job_id": segment.job_id,
        "segment": segment.segment,
        "team": planned["team"],
        "ending": segment.ending.value,
        "state": segment.state.value,
        "provisional": segment.ending is Ending.OPEN,
        "attempts": len(segment.ran),
        "exit_code": last and last.exit_code,
        "reason": last and last.reason,
        "planned_region": planned["region"],
        "planned_start": from_us(planned["start"]),
        "planned_end": from_us(planned["end"]),
        "planned_energy_kwh": planned["energy_kwh"],
        "planned_solar_kwh": planned["solar_kwh"],
        "planned_emissions_kg": planned["emissions_kg"],
    }


def _ran(
    segment: Segment, metered: Sequence[Metered], settled: Settled
) -> dict[str, Any]:
    """What really happened to one segment."""
    hours = sum(one.end_us - one.start_us for one in metered) / _US_PER_HOUR
    spec = segment.planned["spec"]
    sources = {a.energy_source for a in segment.ran if a.energy_source}
    count = unit_of(spec)
    told = segment.ran[-1].units
    label = count.units if count and segment.segment == 0 else None
    units = label if told is None else told
    rates = settled.workspace.settings.settlement.embodied_kg_per_hour
    return {
        "actual_region": settled.regions[metered[-1].region],
        "actual_start": from_us(metered[0].start_us),
        "actual_end": from_us(metered[-1].end_us),
        "times": max(one.times for one in metered).name.lower(),
        "energy_kwh": math.fsum(one.energy_kwh for one in metered),
        "energy_label": worst_label(metered),
        "energy_source": ", ".join(sorted(sources)) or None,
        "repeated_energy_kwh": math.fsum(one.energy_kwh for one in metered[:-1]),
        "functional_unit": count and count.unit,
        "units": units if segment.state is State.DONE and count else None,
        "counted_by": "label" if told is None else "job",
        "embodied_kg": embodied_kg(spec, hours, rates),
    }


def _columns(settled: Settled) -> dict[str, list[Any]]:
    """Numbers of every segment that ran, None where there is none."""
    stages, segments = settled.stages, settled.segments
    energy = stages.solar_kwh + stages.grid_kwh
    share = np.divide(
        stages.solar_kwh, energy, out=np.zeros_like(energy), where=energy > 0
    )
    begun = settled.attempted.runs.region[settled.attempted.first]
    columns: dict[str, list[Any]] = {
        "solar_kwh": stages.solar_kwh.tolist(),
        "grid_kwh": stages.grid_kwh.tolist(),
        "solar_share": share.tolist(),
        "transfer_kg": segments.moved_kg(begun).tolist(),
        "emissions_kg": stages.realised_kg.tolist(),
        "baseline_kg": _or_none(stages.baseline_kg),
        "planned_at_actual_kg": stages.planned_kg.tolist(),
        "dispatched_kg": stages.dispatched_kg.tolist(),
    }
    best = settled.hindsight
    if isinstance(best, Hindsight) and stages.hindsight_kg is not None:
        origin_us = settled.values.grid.start_us
        columns["hindsight_region"] = [settled.regions[r] for r in best.region]
        columns["hindsight_start"] = [from_us(us + origin_us) for us in best.start_us]
        columns["hindsight_kg"] = stages.hindsight_kg.tolist()
    return columns


def _or_none(values: FloatArray) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _meta(settled: Settled, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    plan, values = settled.plan.meta, settled.values
    open_rows = [row for row in rows if row["ending"] == Ending.OPEN]
    provisional = bool(open_rows) or bool(settled.waits.any())
    return {
        "date": plan.date.isoformat(),
        "timezone": plan.timezone,
        "settled_at": settled.now.isoformat(),
        "provisional": provisional,
        "plan": {
            "plan_id": plan.plan_id,
            "serial": plan.serial,
            "digest": plan.digest,
            "emissions_kg": plan.emissions_kg,
            "unplaced": plan.unplaced,
        },
        "ledger_digest": settled.ledger_digest,
        "planner_version": planner_version(),
        "solver_versions": solver_versions(),
        "segments": dict(Counter(row["ending"] for row in rows)),
        "states": dict(Counter(row["state"] for row in rows)),
        "emissions_kg": _emissions(settled, rows),
        "regret_kg": _regret(settled),
        "saving": _saving(settled),
        "energy_kwh": _energy(settled),
        "hindsight": _hindsight(settled.hindsight),
        "sci": [asdict(score) for score in scores(_sci_parts(rows))],
        "sources": [asdict(use) for use in values.sources],
        "missing": _missing(settled),
        "notes": [*settled.notes, *_notes(settled, rows)],
    }


def _emissions(settled: Settled, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The promise of all, and every stage of what ran. [kg CO₂e]"""
    stages = settled.stages
    promised = [
        row["planned_emissions_kg"]
        for row in rows
        if row["ending"] == Ending.RAN and row["planned_emissions_kg"] is not None
    ]
    best = stages.hindsight_kg
    return {
        "promised": settled.plan.meta.emissions_kg,
        "promised_of_what_ran": math.fsum(promised),
        "planned_at_actual": _sum(stages.planned_kg),
        "dispatched_at_actual": _sum(stages.dispatched_kg),
        "realised": _sum(stages.realised_kg),
        "hindsight": None if best is None else _sum(best),
    }


def _regret(settled: Settled) -> dict[str, float] | None:
    """What the realised day emitted more than the best one, by cause. [kg CO₂e]"""
    stages = settled.stages
    if stages.hindsight_kg is None:
        return None
    planned, begun = _sum(stages.planned_kg), _sum(stages.dispatched_kg)
    realised, best = _sum(stages.realised_kg), _sum(stages.hindsight_kg)
    return {
        "total": realised - best,
        "forecast_error": planned - best,
        "dispatch_error": begun - planned,
        "runtime_error": realised - begun,
    }


def _saving(settled: Settled) -> dict[str, Any]:
    """Realised saving against asap, on what ran and what asap would have run."""
    stages, both = settled.stages, settled.segments.has_baseline
    base, realised = _sum(stages.baseline_kg[both]), _sum(stages.realised_kg[both])
    labels = {
        one.label
        for tries, counted in zip(settled.metered, both, strict=True)
        for one in tries
        if counted
    }
    return {
        "baseline": "asap",
        "segments": int(both.sum()),
        "segments_left_out": int((~both).sum()),
        "baseline_kg": base,
        "realised_kg": realised,
        "avoided_kg": base - realised,
        "percent": 100 * (base - realised) / base if base > 0 else None,
        "energy": max(labels, key=LABELS.index) if labels else None,
    }


def _energy(settled: Settled) -> dict[str, Any]:
    """Metered energy of all attempts, by how far it is known. [kWh]"""
    every = [one for tries in settled.metered for one in tries]
    failed = [one for tries in settled.metered for one in tries[:-1]]
    return {
        "planned": _sum(settled.segments.energy_kwh),
        "realised": math.fsum(one.energy_kwh for one in every),
        "of_repeated_attempts": math.fsum(one.energy_kwh for one in failed),
        "solar": _sum(settled.stages.solar_kwh),
        "by_label": {
            label: math.fsum(one.energy_kwh for one in every if one.label == label)
            for label in LABELS
        },
    }


def _hindsight(best: Hindsight | str) -> dict[str, Any]:
    if isinstance(best, str):
        return {"why_unknown": best}
    return {
        "objective": best.objective,
        "bound": best.bound,
        "gap": best.gap,
        "status": best.status.value,
        "solver": best.solver,
    }


def _sci_parts(rows: Sequence[dict[str, Any]]) -> list[SciPart]:
    return [
        SciPart(
            unit=row["functional_unit"],
            units=row["units"] or 0.0,
            counted_by=row["counted_by"],
            energy_kwh=row["energy_kwh"],
            operational_kg=row["emissions_kg"],
            embodied_kg=row["embodied_kg"],
        )
        for row in rows
        if row.get("functional_unit")
    ]


def _missing(settled: Settled) -> list[dict[str, Any]]:
    """Hours whose actual carbon value is to come, and what stands in."""
    values, found = settled.values, []
    for r, name in enumerate(settled.regions):
        origin = values.carbon_origin[r]
        edges = np.flatnonzero(np.diff(origin, prepend=-1, append=-1))
        for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if origin[first] != Origin.ACTUAL:
                found.append(
                    {
                        "region": name,
                        "start": values.grid.slot_start(first).isoformat(),
                        "end": values.grid.slot_start(end).isoformat(),
                        "stand_in": Origin(int(origin[first])).name.lower(),
                    }
                )
    return found


def _notes(settled: Settled, rows: Sequence[dict[str, Any]]) -> list[str]:
    notes = []
    waiting = [row for row in rows if row["ending"] == Ending.OPEN]
    for state, number in sorted(Counter(row["state"] for row in waiting).items()):
        notes.append(f"not settled yet: {number} in state {state}")
    skipped = [row for row in rows if row["ending"] == Ending.NOT_RUN]
    for state, number in sorted(Counter(row["state"] for row in skipped).items()):
        notes.append(f"never ran, and counts nowhere: {number} {state}")
    doubtful = Counter(row.get("times") for row in rows)
    if doubtful["executor"]:
        notes.append(
            f"{doubtful['executor']} ran on a clock that contradicts the executor's: "
            "they count from when they were sent"
        )
    if doubtful["assumed"]:
        notes.append(f"{doubtful['assumed']} are taken to have run as long as planned")
    if any(
        use.series == "solar" and use.source == "nothing"
        for use in settled.values.sources
    ):
        notes.append("on-site solar is as forecast: nobody measured it")
    if any(
        use.source == "nothing"
        for use in settled.values.sources
        if use.series == "carbon"
    ):
        notes.append(
            "no actual carbon values are known for some regions; name a file in "
            "[settlement.carbon] or keep the history of a service"
        )
    assumed = sum(one.label == ASSUMED for tries in settled.metered for one in tries)
    if assumed:
        notes.append(
            f"energy of {assumed} attempts is assumed: planned power for as long as "
            "they ran"
        )
    return notes


def _sum(values: FloatArray) -> float:
    return math.fsum(values.tolist())
