"""Sums over a settled day: stages, regret by cause, saving, energy, scores."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outputs.evidence import Evidence
from planner.executor.energy import LABELS
from planner.settlement.hindsight import Hindsight
from planner.settlement.intensity import scores
from planner.settlement.remarks import missing_hours, notes_of
from planner.settlement.rows import rows_of
from planner.settlement.settled import Settled
from planner.settlement.uses import Uses, uses_of
from planner.version import planner_version, solver_versions
from solvers.problem import FloatArray


def evidence_of(settled: Settled) -> Evidence:
    """Rows and sums of a settled day."""
    rates = settled.workspace.settings.settlement.embodied_kg_per_hour
    uses = uses_of(settled.found, settled.work, rates)
    rows = rows_of(settled, uses)
    return Evidence(rows=rows, meta=sums_of(settled, rows, uses))


def sums_of(settled: Settled, rows: pa.Table, uses: Uses) -> dict[str, Any]:
    """Metadata of the evidence, as plain JSON values."""
    plan, values = settled.plan.meta, settled.values
    energy_kwh = settled.work.summed(settled.work.metered.energy_kwh)
    scored = scores(
        uses, energy_kwh=energy_kwh, operational_kg=settled.stages.realised_kg
    )
    provisional = bool(pc.any(rows["provisional"]).as_py())
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
        "segments": dict(Counter(rows["ending"].to_pylist())),
        "states": dict(Counter(rows["state"].to_pylist())),
        "emissions_kg": _emissions(settled),
        "regret_kg": _regret(settled),
        "saving": _saving(settled),
        "energy_kwh": _energy(settled),
        "hindsight": _hindsight(settled.hindsight),
        "sci": [asdict(score) for score in scored],
        "sources": [asdict(use) for use in values.sources],
        "missing": missing_hours(settled),
        "notes": [*settled.notes, *notes_of(settled, rows)],
    }


def _emissions(settled: Settled) -> dict[str, Any]:
    """The promise of all, and every stage of what ran. [kg CO₂e]"""
    stages = settled.stages
    promised = settled.work.rows["emissions_kg"].drop_null().to_pylist()
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
    labels = settled.work.metered.label[both[settled.work.attempted.segment]]
    return {
        "baseline": "asap",
        "segments": int(both.sum()),
        "segments_left_out": int((~both).sum()),
        "baseline_kg": base,
        "realised_kg": realised,
        "avoided_kg": base - realised,
        "percent": 100 * (base - realised) / base if base > 0 else None,
        "energy": LABELS[labels.max()] if len(labels) else None,
    }


def _energy(settled: Settled) -> dict[str, Any]:
    """Metered energy of all attempts, by how far it is known. [kWh]"""
    work, metered = settled.work, settled.work.metered
    repeated = np.ones(len(work.tries), dtype=np.bool_)
    repeated[work.last] = False
    return {
        "planned": _sum(work.segments.energy_kwh),
        "realised": _sum(metered.energy_kwh),
        "of_repeated_attempts": _sum(metered.energy_kwh[repeated]),
        "solar": _sum(settled.stages.solar_kwh),
        "by_label": {
            label: _sum(metered.energy_kwh[metered.label == code])
            for code, label in enumerate(LABELS)
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


def _sum(values: FloatArray) -> float:
    return math.fsum(values.tolist())
