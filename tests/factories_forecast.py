"""Smallest valid things that forecast tests are about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from forecasts.preparation import prepare
from forecasts.provider import ForecastRequest, Observations
from forecasts.series import Forecast, Series, Signal
from inputs.settings import ForecastTable, Region, Settings, SolarArray, Workspace
from inputs.timegrid import TimeGrid, day_grid, to_us

HOUR_US = 3_600_000_000
ARRAY = SolarArray(kwp=100.0, latitude=52.5, longitude=13.4)


def grid_of(
    day: date = date(2026, 11, 22), *, timezone: str = "UTC", **settings: int
) -> TimeGrid:
    return day_grid(day, timezone=timezone, **{"slot_minutes": 60, **settings})


def region_of(name: str = "here", **settings: Any) -> Region:
    return Region(name=name, **settings)


def request_of(
    series: Series = Series.CARBON,
    *,
    grid: TimeGrid | None = None,
    region: Region | None = None,
    now: datetime | None = None,
    root: Path = Path("/nowhere"),
) -> ForecastRequest:
    grid = grid or grid_of()
    solar = ARRAY if series is Series.SOLAR else None
    return ForecastRequest(
        series=series,
        region=region or region_of(zone="DE", solar=solar),
        grid=grid,
        now=now or grid.start - timedelta(hours=6),
        root=root,
    )


UNITS = {Series.CARBON: "g/kWh", Series.SOLAR: "kW", Series.PRICE: "EUR/kWh"}


def observations_of(
    values: Any, *, grid: TimeGrid | None = None, step_us: int = HOUR_US, **given: Any
) -> Observations:
    """Values from the start of the grid on, one every ``step_us``."""
    grid = grid or grid_of()
    series = given.pop("series", Series.CARBON)
    values = np.asarray(values, dtype=np.float64)
    return Observations(
        **{
            "series": series,
            "place": "here",
            "times_us": grid.start_us + step_us * np.arange(len(values)),
            "values": values,
            "unit": UNITS[series],
            "signal": Signal.AVERAGE if series is Series.CARBON else None,
            **given,
        }
    )


def prepared(
    observations: Observations,
    request: ForecastRequest | None = None,
    **table: Any,
) -> Forecast:
    return prepare(
        observations,
        request or request_of(observations.series),
        table=ForecastTable(provider="test", **table),
        provider="test",
    )


def day_values(n: int = 24, *, seed: int = 0) -> np.ndarray:
    """A plausible day of carbon intensity. [g/kWh]"""
    return np.random.default_rng(seed).uniform(50, 500, n).round(1)


def workspace_of(root: Path, *regions: Region, **settings: Any) -> Workspace:
    """Workspace with ``forecasts`` and other tables given as in planner.toml."""
    tables: Mapping[str, Any] = {"regions": regions or (region_of(zone="DE"),)}
    parsed = Settings.model_validate({**tables, **settings})
    return Workspace(root=root, settings=parsed)


def carbon_csv(
    path: Path, values: Any, *, grid: TimeGrid | None = None, region: str = "here"
) -> Path:
    """Hourly carbon file from the start of the grid on; returns the path."""
    grid = grid or grid_of()
    lines = ["region,start,g_per_kwh"]
    for i, value in enumerate(values):
        start = grid.start + timedelta(hours=i)
        lines.append(f"{region},{start.isoformat()},{value}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def us(text: str) -> int:
    return to_us(datetime.fromisoformat(text))
