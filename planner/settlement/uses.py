"""What segments were for, and their share of the making of the hardware."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from planner.executor.states import State
from planner.settlement.columns import Work
from planner.settlement.work import Found
from solvers.problem import BoolArray, FloatArray

UNIT_LABEL, COUNT_LABEL = "functional_unit", "units"

_US_PER_HOUR = 3.6e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uses:
    """What segments that ran were for, shape (n_ran,) all.

    Parameters
    ----------
    unit
        Functional unit, null where the job names none.
    units
        How many of them were made; NaN where nothing was, or nobody counted.
    by_job
        Whether the job itself counted them, not its label.
    embodied_kg
        Share of the making of the hardware; NaN without any rate. [kg CO₂e]
    """

    unit: pa.Array
    units: FloatArray
    by_job: BoolArray
    embodied_kg: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What a spec says: its unit, how many, and embodied emissions of an hour."""

    unit: str | None
    units: float
    kg_per_hour: float


def uses_of(found: Found, work: Work, rates: Mapping[str, float]) -> Uses:
    """What segments that ran were for.

    Parameters
    ----------
    rates
        Embodied emissions of each resource, for one unit of it and one hour.
        [kg CO₂e]
    """
    specs = pc.dictionary_encode(work.rows["spec"].combine_chunks())
    # One more for what only the ledger knows, which has no spec here.
    stated = [_stated(text, rates) for text in (*specs.dictionary.to_pylist(), None)]
    at = specs.indices.fill_null(len(stated) - 1).to_numpy()
    unit = pa.array([one.unit for one in stated], pa.string()).take(pa.array(at))
    label = np.array([one.units for one in stated])[at]
    label = np.where(work.rows["segment"].to_numpy() == 0, label, np.nan)
    told = found.attempts.number("units")[work.tries[work.last]]
    done = pc.equal(found.state, State.DONE.value).to_numpy()[work.at]
    counts = done & unit.is_valid().to_numpy(zero_copy_only=False)
    by_job = ~np.isnan(told)
    return Uses(
        unit=unit,
        units=np.where(counts, np.where(by_job, told, label), np.nan),
        by_job=by_job,
        embodied_kg=_hours(work) * np.array([one.kg_per_hour for one in stated])[at],
    )


def _hours(work: Work) -> FloatArray:
    """How long all attempts at each segment took together. [h]"""
    times = work.metered.times
    return work.summed(times.end_us - times.start_us) / _US_PER_HOUR


def _stated(text: str | None, rates: Mapping[str, float]) -> _Stated:
    spec = _spec(text)
    labels = spec.get("labels") or {}
    unit = labels.get(UNIT_LABEL)
    held = spec.get("resources") or {}
    per_hour = sum(rates.get(name, 0.0) * float(n) for name, n in held.items())
    return _Stated(
        unit=str(unit) if unit else None,
        units=_count(labels.get(COUNT_LABEL)),
        kg_per_hour=per_hour if rates else math.nan,
    )


def _spec(text: str | None) -> dict[str, Any]:
    """What dispatch was told of a job; nothing where the ledger alone knows it."""
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _count(text: object) -> float:
    """How many units a label says, NaN if that is no number."""
    try:
        number = float(str(text))
    except ValueError:
        return math.nan
    return number if math.isfinite(number) and number >= 0 else math.nan
