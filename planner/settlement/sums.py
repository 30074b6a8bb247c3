"""Sums over a settled day: stages, regret by cause, saving, energy, scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from outputs.evidence import EVIDENCE_SCHEMA, Evidence
from planner.executor.energy import LABELS
from planner.settlement.hindsight import Hindsight
from planner.settlement.intensity import SciPart, scores
from planner.settlement.remarks import missing_hours, notes_of
from planner.settlement.rows import rows_of
from planner.settlement.settled import Settled
from planner.settlement.work import Ending
from planner.version import planner_version, solver_versions
from solvers.problem import FloatArray


def evidence_of(settled: Settled) -> Evidence:
    """Rows and sums of a settled day."""
    rows = rows_of(settled)
    table = pa.Table.from_pylist(rows, schema=EVIDENCE_SCHEMA)
    return Evidence(rows=table, meta=sums_of(settled, rows))


def sums_of(settled: Settled, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Metadata of the evidence, as plain JSON values."""
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
        "missing": missing_hours(settled),
        "notes": [*settled.notes, *notes_of(settled, rows)],
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
    stages, both = settled.stages, settled.work.segments.has_baseline
    base, realised = _sum(stages.baseline_kg[both]), _sum(stages.realised_kg[both])
    labels = {
        one.label
        for tries, counted in zip(settled.work.metered, both, strict=True)
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
    every = [one for tries in settled.work.metered for one in tries]
    failed = [one for tries in settled.work.metered for one in tries[:-1]]
    return {
        "planned": _sum(settled.work.segments.energy_kwh),
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


def _sum(values: FloatArray) -> float:
    return math.fsum(values.tolist())
