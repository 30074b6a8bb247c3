"""A plan: a schedule in wall-clock time with its provenance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1

PLANNED = "planned"
UNPLACED = "unplaced"

_INSTANT = pa.timestamp("us", tz="UTC")

PLAN_SCHEMA = pa.schema(
    [
        pa.field("job_id", pa.string(), nullable=False),
        pa.field("segment", pa.int32(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("region", pa.string()),
        pa.field("start", _INSTANT),
        pa.field("end", _INSTANT),
        pa.field("replicas", pa.int32()),
        pa.field("power_kw", pa.float64()),
        pa.field("energy_kwh", pa.float64()),
        pa.field("solar_kwh", pa.float64()),
        pa.field("grid_kwh", pa.float64()),
        pa.field("emissions_kg", pa.float64()),
        pa.field("baseline_region", pa.string()),
        pa.field("baseline_start", _INSTANT),
        pa.field("baseline_emissions_kg", pa.float64()),
        pa.field("team", pa.string()),
        pa.field("executor", pa.string()),
        pa.field("command", pa.list_(pa.string())),
        pa.field("spec", pa.string(), nullable=False),
    ]
)
"""Columns of a plan, one row per job and run segment, sorted by start, job id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What one policy would emit on the same day under the same limits."""

    emissions_kg: float
    unplaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastUse:
    """Which forecast a plan trusted for one series in one region."""

    series: str
    region: str
    provider: str
    issued_at: datetime | None
    signal: str | None
    age_s: float | None
    filled_slots: int
    degraded: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """An input that a plan was made from, with its digest."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMeta:
    """Provenance of a plan; the contract's file metadata, key by key.

    Parameters
    ----------
    seconds
        Elapsed time of each stage: load, forecast, formulate, solve, check, write.
    carry_over
        Earlier plan whose running work took capacity first, None if none did.
    found_by
        Which solver found the ``plan`` and the ``bound``, where several were asked.
    warnings
        Everything that a reader of the plan must know, one sentence each.
    site
        Name of the site that it was made for, None for an unnamed one.
    rows_digest, digest
        Filled in when the plan is written: over the rows, and over all metadata
        with the digest of the rows among them.
    signature
        Over the digest; None where plans are not signed.
    """

    plan_id: str
    serial: int
    date: date
    timezone: str
    horizon_start: datetime
    horizon_end: datetime
    slot_minutes: int
    solver: str
    solver_versions: dict[str, str]
    seed: int
    status: str
    objective: float | None
    bound: float | None
    gap: float | None
    emissions_kg: float
    unplaced: int
    policies: dict[str, PolicyOutcome]
    forecasts: tuple[ForecastUse, ...]
    inputs: tuple[InputFile, ...]
    seconds: dict[str, float]
    created_at: datetime
    planner_version: str
    degraded: bool = False
    carry_over: str | None = None
    found_by: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    site: str | None = None
    schema_version: int = SCHEMA_VERSION
    rows_digest: str | None = None
    digest: str | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Rows of ``PLAN_SCHEMA`` and where they come from."""

    rows: pa.Table
    meta: PlanMeta
