"""Measured pasts with a daily shape, for forecasters and scores."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from forecasts.own.calendar import DAY_US, calendar_of
from forecasts.own.past import Past
from forecasts.own.record import UNDATED_US, Record
from forecasts.series import Signal
from inputs.timegrid import to_us

HOUR_US = DAY_US // 24
FIRST = date(2026, 8, 3)  # a Monday


def intensity(n_days: int, *, per_day: int = 24, seed: int = 0) -> np.ndarray:
    """Days with a shape of the hour, weekends and weather that lasts; [g/kWh]."""
    rng = np.random.default_rng(seed)
    hours = np.arange(per_day) * 24 / per_day
    shape = 60 * np.cos((hours - 19) / 24 * 2 * np.pi)
    weekend = -40 * ((np.arange(n_days) % 7) >= 5)
    weather = np.zeros(n_days)
    for day in range(1, n_days):
        weather[day] = 0.7 * weather[day - 1] + rng.normal(0, 30)
    noise = rng.normal(0, 12, (n_days, per_day))
    level = 250 + weekend + weather
    return np.maximum(level[:, None] + shape + noise, 5.0)


def past_of(
    actual: np.ndarray,
    *,
    lead_hours: float = 0.0,
    timezone: str = "UTC",
    first: date = FIRST,
) -> Past:
    """Past whose days are forecast some hours before they begin."""
    step_us = DAY_US // actual.shape[1]
    last = first + timedelta(days=len(actual) - 1)
    calendar = calendar_of(first, last, timezone=timezone, step_us=step_us)
    cuts_us = calendar.starts_us - round(lead_hours * HOUR_US)
    return Past(calendar=calendar, actual=actual, cuts_us=cuts_us)


def record_of_days(
    values: Any, *, first: date = FIRST, step_us: int = HOUR_US, **given: Any
) -> Record:
    """Values from the first midnight of UTC on."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    start_us = to_us(_midnight(first))
    return Record(
        **{
            "starts_us": start_us + step_us * np.arange(len(flat)),
            "steps_us": np.full(len(flat), step_us),
            "values": flat,
            "issues_us": np.full(len(flat), UNDATED_US),
            "signal": Signal.AVERAGE,
            "currency": None,
            **given,
        }
    )


def write_history(path: Path, record: Record, *, region: str = "here") -> Path:
    """Forecast file of a record, with ``issued_at`` where it is dated."""
    instant = pa.timestamp("us", "UTC")
    columns = {
        "region": [region] * len(record.values),
        "start": pa.array(record.starts_us).cast(instant),
        "g_per_kwh": record.values,
    }
    if (record.issues_us != UNDATED_US).all():
        columns["issued_at"] = pa.array(record.issues_us).cast(instant)
    path.parent.mkdir(parents=True, exist_ok=True)
    pa_parquet.write_table(pa.table(columns), path)
    return path


def _midnight(day: date) -> Any:
    from datetime import UTC, datetime

    return datetime(day.year, day.month, day.day, tzinfo=UTC)
