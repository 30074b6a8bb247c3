"""What each solar service documents, spoken about one clear and hazy day's power."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from forecasts.photovoltaics import (
    array_power_kw,
    clear_sky_irradiance,
    sun_position,
)
from forecasts.series import Series
from inputs.timegrid import to_us
from tests.factories_forecast import ARRAY
from tests.replay_servers import Reply, Seen
from tests.replay_services import CANARY, GRID, NOW, Service, Story, steps, telling, z

HAZE = 4.0
SITE = "1a2b-3c4d-5e6f-7a8b"
HERE = (ARRAY.latitude, ARRAY.longitude)
HOUR = timedelta(hours=1)
_MINUTES = np.arange(60) * 60_000_000 + 30_000_000


@cache
def _hours() -> dict[datetime, tuple[float, float, float]]:
    """Mean power, global and diffuse irradiance of each hour. [kW, W/m², W/m²]

    All at once: a service that computes while it is asked would be slow.
    """
    first = NOW.replace(hour=0) - timedelta(days=4)
    starts = [first + i * HOUR for i in range(24 * 10)]
    minutes = np.array([to_us(start) for start in starts])[:, None] + _MINUTES
    sun = sun_position(minutes.ravel(), ARRAY)
    sky = clear_sky_irradiance(sun, HAZE)
    power = array_power_kw(sky, sun, ARRAY, losses=0.14)
    means = [v.reshape(-1, 60).mean(axis=1) for v in (power, sky.ghi, sky.dhi)]
    rows = zip(*(mean.tolist() for mean in means), strict=True)
    return dict(zip(starts, rows, strict=True))


def power_kw(start: datetime) -> float:
    return _hours()[start][0]


SOLAR_DAY = np.array([power_kw(GRID.start + i * HOUR) for i in range(24)])
"""What every service says of the planned day. [kW]"""


@telling
def open_meteo(
    seen: Seen, story: Story, *, place: tuple[float, float] = (52.52, 13.42)
) -> Reply:
    if seen.query.get("apikey", CANARY) != CANARY:
        return Reply({"error": True, "reason": "The API key is invalid."}, 401)
    if seen.path != "/v1/forecast" or "hourly" not in seen.query:
        return Reply({"error": True, "reason": "Not found"}, 404)
    start, end = (
        datetime.fromisoformat(seen.query[key]).replace(tzinfo=UTC)
        for key in ("start_date", "end_date")
    )
    end = min(end + timedelta(days=1), story.issued + timedelta(hours=48))
    # the stamp is the end of the hour whose mean it holds
    stamps = list(steps(start, end, 60))
    light = [_hours()[stamp - HOUR][1:] for stamp in stamps]
    return Reply(
        {
            "latitude": place[0],
            "longitude": place[1],
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "hourly_units": {
                "time": "unixtime",
                "shortwave_radiation": "W/m²",
                "diffuse_radiation": "W/m²",
                "temperature_2m": "°C",
                "wind_speed_10m": "m/s",
            },
            "hourly": {
                "time": [int(stamp.timestamp()) for stamp in stamps],
                "shortwave_radiation": [story.scale * ghi for ghi, _ in light],
                "diffuse_radiation": [story.scale * dhi for _, dhi in light],
                "temperature_2m": [20.0] * len(stamps),
                # at which the cooling by wind is that of the usual formula
                "wind_speed_10m": [(1 / 0.03 - 25) / 6.84] * len(stamps),
            },
        }
    )


@cache
def sunlit(day: date) -> tuple[datetime, datetime]:
    """Sunrise and sunset at the array, to the minute."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    minutes = [start + timedelta(minutes=i) for i in range(1440)]
    sun = sun_position(np.array([to_us(at) for at in minutes]), ARRAY)
    up = np.flatnonzero(sun["apparent_elevation"].to_numpy() > -0.3)
    return minutes[up[0]], minutes[up[-1]]


def _energies(day: date) -> list[tuple[datetime, float]]:
    """Stamps of a day and the energy since the one before. [Wh]"""
    rise, set_ = sunlit(day)
    first = rise.replace(minute=0) + HOUR
    stamps = [rise, *steps(first, set_, 60), set_]
    second = timedelta(seconds=1)
    hours = [(stamp - second).replace(minute=0, second=0) for stamp in stamps]
    energies = [0.0, *(1000 * power_kw(hour) for hour in hours[1:])]
    return list(zip(stamps, energies, strict=True))


@telling
def forecast_solar(
    seen: Seen, story: Story, *, place: tuple[float, float] = HERE
) -> Reply:
    parts = seen.path.strip("/").split("/")
    if parts[0] == CANARY:
        parts = parts[1:]
    if parts != ["estimate", "52.5000", "13.4000", "35", "0", "100"]:
        return Reply({"result": None, "message": {"code": 404}}, 404)
    assert seen.query == {"time": "utc"}
    energies = [
        pair
        for days in (0, 1)
        for pair in _energies(story.issued.date() + timedelta(days=days))
    ]
    said = {f"{at.isoformat()}": story.scale * wh for at, wh in energies}
    return Reply(
        {
            "result": {
                "watts": dict.fromkeys(said, 0),
                "watt_hours_period": said,
                "watt_hours": said,
                "watt_hours_day": {"2026-11-22": 5400},
            },
            "message": {
                "code": 0,
                "type": "success",
                "text": "",
                "info": {"latitude": place[0], "longitude": place[1]},
                "ratelimit": {"period": 3600, "limit": 12, "remaining": 11},
            },
        }
    )


@telling
def solcast(seen: Seen, story: Story, *, prefix: str = "pv_estimate") -> Reply:
    def point(start: datetime) -> dict[str, Any]:
        kw = story.scale * power_kw(start.replace(minute=0))
        return {
            prefix: kw,
            f"{prefix}10": 0.5 * kw,
            f"{prefix}90": 1.2 * kw,
            "period_end": z(start + timedelta(minutes=30), ".0000000"),
            "period": "PT30M",
        }

    if seen.headers.get("authorization") != f"Bearer {CANARY}":
        return Reply({"response_status": {"error_code": "Unauthorized"}}, 401)
    paths = (f"/rooftop_sites/{SITE}/forecasts", "/data/forecast/rooftop_pv_power")
    if seen.path not in paths:
        return Reply({"response_status": {"error_code": "NotFound"}}, 404)
    hours = timedelta(hours=int(seen.query["hours"]))
    # one row more than asked for: the running half-hour
    first = story.issued - timedelta(minutes=30)
    end = story.issued + hours
    return Reply({"forecasts": [point(start) for start in steps(first, end, 30)]})


SOLAR_SERVICES = (
    Service(
        name="open_meteo",
        zone="DE",
        series=Series.SOLAR,
        signal=None,
        answer=open_meteo,
        environment={"OPEN_METEO_API_KEY": CANARY},
        key_optional=True,
        day=SOLAR_DAY,
        tolerance=0.3,
        names_zone=False,
        uses_zone=False,
        refresh=timedelta(minutes=61),
    ),
    Service(
        name="forecast_solar",
        zone="DE",
        series=Series.SOLAR,
        signal=None,
        answer=forecast_solar,
        environment={"FORECAST_SOLAR_API_KEY": CANARY},
        key_optional=True,
        day=SOLAR_DAY,
        names_zone=False,
        uses_zone=False,
    ),
    Service(
        name="solcast",
        zone="DE",
        series=Series.SOLAR,
        signal=None,
        answer=solcast,
        environment={"SOLCAST_API_KEY": CANARY},
        options={"zones": {"here": SITE}},
        day=SOLAR_DAY,
        names_zone=False,
        uses_zone=False,
        refresh=timedelta(hours=3, minutes=1),
    ),
)
