"""The smallest valid jobs and grids; a test overrides what it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from inputs.jobs import NO_INSTANT, NO_REGION, Jobs
from inputs.timegrid import TimeGrid, day_grid, to_us

DAY = date(2026, 11, 22)
GRID = day_grid(DAY, timezone="UTC", slot_minutes=60)


def at(text: str, day: date = DAY) -> datetime:
    """Instant of a UTC clock time on the test day."""
    hour, minute = (int(part) for part in text.split(":"))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return midnight + timedelta(hours=hour, minutes=minute)


@dataclass(frozen=True, kw_only=True)
class DayJob:
    """One job as a test thinks of it."""

    id: str = "job"
    duration: timedelta = timedelta(hours=1)
    power_kw: float = 1.0
    cpu: float = 1.0
    earliest: datetime | None = None
    deadline: datetime | None = None
    regions: tuple[int, ...] = (0,)
    home: int = 0
    data_gb: float = 0.0
    weight: float = 1.0
    pin_region: int = int(NO_REGION)
    pin_start: datetime | None = None
    team: str | None = None
    executor: str | None = None


def some_jobs(*jobs: DayJob, n_regions: int = 1) -> Jobs:
    """Columns of a few jobs that demand one resource, ``cpu``."""
    allowed = np.zeros((len(jobs), n_regions), dtype=bool)
    for row, job in enumerate(jobs):
        allowed[row, list(job.regions)] = True
    return Jobs(
        ids=pa.array([job.id for job in jobs], pa.string()),
        duration_us=_us([job.duration // timedelta(microseconds=1) for job in jobs]),
        power_kw=np.array([job.power_kw for job in jobs]),
        resource_names=("cpu",),
        demand=np.array([[job.cpu] for job in jobs]).reshape(len(jobs), 1),
        earliest_us=_us([_instant(job.earliest) for job in jobs]),
        deadline_us=_us([_instant(job.deadline) for job in jobs]),
        allowed=allowed,
        home=np.array([job.home for job in jobs], dtype=np.int16),
        data_gb=np.array([job.data_gb for job in jobs]),
        weight=np.array([job.weight for job in jobs]),
        pin_region=np.array([job.pin_region for job in jobs], dtype=np.int16),
        pin_start_us=_us([_instant(job.pin_start) for job in jobs]),
        team=pa.array([job.team for job in jobs], pa.string()),
        executor=pa.array([job.executor for job in jobs], pa.string()),
        command=pa.array([["true"]] * len(jobs), pa.list_(pa.string())),
        spec=pa.array(['{"command":["true"]}'] * len(jobs), pa.string()),
        source=np.zeros(len(jobs), dtype=np.int32),
        source_paths=("jobs.yaml",),
    )


def hourly(
    day: date = DAY, *, timezone: str = "UTC", slot_minutes: int = 60
) -> TimeGrid:
    """Grid of a local day."""
    return day_grid(day, timezone=timezone, slot_minutes=slot_minutes)


def _instant(instant: datetime | None) -> int:
    return int(NO_INSTANT) if instant is None else to_us(instant)


def _us(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)
