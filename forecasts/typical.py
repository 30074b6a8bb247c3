"""A typical day of a grid, for demonstrations and as a last resort: no forecast."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from forecasts.provider import ForecastRequest, Observations, ProviderOptions
from forecasts.series import FloatArray, Quality, Series, Signal
from forecasts.typical_profiles import FAMILIES, WORLD, ZoneProfile, profile_of
from inputs.timegrid import TimeGrid

_STEP = timedelta(minutes=15)
_WEEKDAYS = 5


class Typical:
    """Annual mean of the zone times a stylised shape of hour and weekday."""

    name: ClassVar[str] = "typical"
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[ProviderOptions]] = ProviderOptions

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options

    def fetch(self, request: ForecastRequest) -> Observations:
        """Typical intensity of the region's zone, else of the world."""
        region, grid = request.region, request.grid
        profile = profile_of(request.zone) or WORLD
        steps = -(-(grid.end - grid.start) // _STEP)
        step_us = _STEP // timedelta(microseconds=1)
        times = grid.start_us + step_us * np.arange(steps, dtype=np.int64)
        return Observations(
            series=Series.CARBON,
            place=region.name,
            times_us=times,
            steps_us=np.full(steps, step_us, dtype=np.int64),
            values=typical_g_per_kwh(profile, grid, steps),
            unit="g/kWh",
            signal=Signal.AVERAGE,
            quality=Quality.TYPICAL,
            notes=(_note(profile, request.zone),),
        )


def typical_g_per_kwh(profile: ZoneProfile, grid: TimeGrid, steps: int) -> FloatArray:
    """Intensity of each quarter of an hour from the start of a grid on.

    Parameters
    ----------
    profile
        Level and kind of the grid.
    grid
        Whose start and, where the profile has none, whose time zone is meant.
    steps
        Number of quarters of an hour.

    Returns
    -------
    ndarray, shape (steps,)
        Its mean over a week of seven 24-hour days is the profile's level. [g/kWh]
    """
    family = FAMILIES[profile.family]
    zone = ZoneInfo(profile.timezone or grid.timezone)
    local = [(grid.start + i * _STEP).astimezone(zone) for i in range(steps)]
    shape = np.asarray(family.hours, dtype=np.float64)
    shape *= profile.g_per_kwh / shape.mean()
    hours = shape[[instant.hour for instant in local]]
    weekend = np.array([instant.weekday() >= _WEEKDAYS for instant in local])
    mean_factor = (_WEEKDAYS + (7 - _WEEKDAYS) * family.weekend) / 7
    return hours * np.where(weekend, family.weekend, 1.0) / mean_factor


def _note(profile: ZoneProfile, zone: str | None) -> str:
    kind = f"{FAMILIES[profile.family].label}, {profile.g_per_kwh:g} g/kWh"
    if profile is WORLD:
        whom = f"zone {zone} is not known" if zone else "the region names no zone"
        return f"typical profile, not a forecast; {whom}, so the world's mean ({kind})"
    return f"typical profile, not a forecast ({kind}: {profile.source})"
