"""A row of evidence for each segment: the promise beside what became of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from outputs.evidence import EVIDENCE_SCHEMA
from planner.executor.energy import LABELS
from planner.settlement.attempts import Times
from planner.settlement.hindsight import Hindsight
from planner.settlement.settled import Settled
from planner.settlement.uses import Uses
from planner.settlement.work import Ending
from solvers.evaluate import IndexArray

_INSTANT = pa.timestamp("us", tz="UTC")
_TIMES = [times.name.lower() for times in Times]


def rows_of(settled: Settled, uses: Uses) -> pa.Table:
    """Rows of ``EVIDENCE_SCHEMA``, one for each segment, by planned start and job."""
    columns = {
        **_planned(settled),
        **_spread(settled, {**_ran(settled), **_priced(settled), **_made(uses)}),
    }
    n = len(settled.found)
    table = pa.table(
        [columns.get(field.name, pa.nulls(n, field.type)) for field in EVIDENCE_SCHEMA],
        names=EVIDENCE_SCHEMA.names,
    )
    order = [(name, "ascending") for name in ("planned_start", "job_id", "segment")]
    return table.cast(EVIDENCE_SCHEMA).sort_by(order)


def _planned(settled: Settled) -> dict[str, Any]:
    """What is known of every segment, whether it ran or not."""
    found, ending = settled.found, settled.found.ending
    provisional = ending == Ending.OPEN
    provisional[settled.work.at] = settled.waits
    planned = found.planned
    return {
        "job_id": planned["job_id"],
        "segment": planned["segment"],
        "team": planned["team"],
        "ending": pa.array(ending),
        "state": found.state,
        "provisional": pa.array(provisional),
        "attempts": pa.array(found.begun),
        "exit_code": found.of_last("exit_code"),
        "reason": found.of_last("reason"),
        "planned_region": planned["region"],
        "planned_start": planned["start"].cast(_INSTANT),
        "planned_end": planned["end"].cast(_INSTANT),
        "planned_energy_kwh": planned["energy_kwh"],
        "planned_solar_kwh": planned["solar_kwh"],
        "planned_emissions_kg": planned["emissions_kg"],
    }


def _spread(settled: Settled, columns: dict[str, Any]) -> dict[str, Any]:
    """Columns of the segments that ran, over all segments; null for the others."""
    work = settled.work
    at = np.full(len(settled.found), -1)
    at[work.at] = np.arange(len(work))
    taken = pa.array(at, mask=at < 0)
    return {name: values.take(taken) for name, values in columns.items()}


def _ran(settled: Settled) -> dict[str, Any]:
    """What really happened to segments that ran."""
    work, metered = settled.work, settled.work.metered
    first, last, times = work.first, work.last, metered.times
    repeated = metered.energy_kwh.copy()
    repeated[last] = 0.0
    return {
        "actual_region": _named(settled.regions, metered.region[last]),
        "actual_start": pa.array(times.start_us[first]).cast(_INSTANT),
        "actual_end": pa.array(times.end_us[last]).cast(_INSTANT),
        "times": _named(_TIMES, work.worst(times.told_by)),
        "energy_kwh": pa.array(work.summed(metered.energy_kwh)),
        "energy_label": _named(LABELS, work.worst(metered.label)),
        "energy_source": _sources(settled),
        "repeated_energy_kwh": pa.array(work.summed(repeated)),
    }


def _sources(settled: Settled) -> pa.Array:
    """Who told the energy of each segment; all of them, where attempts differ."""
    work = settled.work
    every = settled.found.attempts.rows["energy_source"].take(pa.array(work.tries))
    told = every.to_pylist()
    first, last = work.first, work.last
    names = [told[i] or None for i in first.tolist()]
    for n in np.flatnonzero(last > first).tolist():
        apart = {name for name in told[first[n] : last[n] + 1] if name}
        names[n] = ", ".join(sorted(apart)) or None
    return pa.array(names, pa.string())


def _priced(settled: Settled) -> dict[str, Any]:
    """What the stages of segments that ran have emitted."""
    stages, segments = settled.stages, settled.work.segments
    energy = stages.solar_kwh + stages.grid_kwh
    share = np.divide(
        stages.solar_kwh, energy, out=np.zeros_like(energy), where=energy > 0
    )
    begun = settled.work.attempted.runs.region[settled.work.first]
    columns = {
        "solar_kwh": pa.array(stages.solar_kwh),
        "grid_kwh": pa.array(stages.grid_kwh),
        "solar_share": pa.array(share),
        "transfer_kg": pa.array(segments.moved_kg(begun)),
        "emissions_kg": pa.array(stages.realised_kg),
        "baseline_kg": pa.array(stages.baseline_kg, from_pandas=True),
        "planned_at_actual_kg": pa.array(stages.planned_kg),
        "dispatched_kg": pa.array(stages.dispatched_kg),
    }
    best = settled.hindsight
    if isinstance(best, Hindsight) and stages.hindsight_kg is not None:
        start_us = best.start_us + settled.values.grid.start_us
        columns["hindsight_region"] = _named(settled.regions, best.region)
        columns["hindsight_start"] = pa.array(start_us).cast(_INSTANT)
        columns["hindsight_kg"] = pa.array(stages.hindsight_kg)
    return columns


def _made(uses: Uses) -> dict[str, Any]:
    return {
        "functional_unit": uses.unit,
        "units": pa.array(uses.units, from_pandas=True),
        "embodied_kg": pa.array(uses.embodied_kg, from_pandas=True),
    }


def _named(names: Any, at: IndexArray | npt.NDArray[np.int8]) -> pa.Array:
    """Name of each index."""
    return pa.array(list(names), pa.string()).take(pa.array(at))
