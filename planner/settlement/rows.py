"""A row of evidence for each segment: the promise beside what became of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from inputs.timegrid import from_us
from planner.executor.states import State
from planner.settlement.hindsight import Hindsight
from planner.settlement.intensity import embodied_kg, unit_of
from planner.settlement.settled import Settled
from planner.settlement.work import Ending, Metered, Segment, worst_label
from solvers.problem import FloatArray

_US_PER_HOUR = 3.6e9


def rows_of(settled: Settled) -> list[dict[str, Any]]:
    """A row for each segment, by planned start and job; more keys than columns."""
    ran = {id(segment): i for i, segment in enumerate(settled.work.ran)}
    waits = settled.waits.tolist()
    columns = _columns(settled)
    rows = []
    for segment in settled.found:
        at = ran.get(id(segment))
        row = _planned(segment)
        if at is not None:
            row |= {name: values[at] for name, values in columns.items()}
            row |= _ran(segment, settled.work.metered[at], settled)
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
    stages, segments = settled.stages, settled.work.segments
    energy = stages.solar_kwh + stages.grid_kwh
    share = np.divide(
        stages.solar_kwh, energy, out=np.zeros_like(energy), where=energy > 0
    )
    begun = settled.work.attempted.runs.region[settled.work.attempted.first]
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
