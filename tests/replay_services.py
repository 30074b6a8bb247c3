"""What each forecast service documents, spoken about one true series."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from typing import Any

import numpy as np

from forecasts.series import Series, Signal
from tests.factories_forecast import day_values, grid_of
from tests.replay_servers import Answer, Reply, Seen, basic_pair

GRID = grid_of()
NOW = GRID.start - timedelta(hours=6)
"""The evening before, as a nightly run."""

CANARY = "canary-0123456789-secret"
USER = "canary-user-name"
TOKEN = "canary.token.of-the-service"
TRUTH = 100 + day_values(36, seed=4)
"""Intensity of each hour from ``NOW`` on: the day and a few hours more. [g/kWh]"""

LB_PER_MWH = 1 / 0.45359237


def truth_at(instant: datetime) -> float:
    hour = (instant - NOW) // timedelta(hours=1)
    return float(TRUTH[int(np.clip(hour, 0, len(TRUTH) - 1))])


def steps(start: datetime, end: datetime, minutes: int) -> Iterator[datetime]:
    while start < end:
        yield start
        start += timedelta(minutes=minutes)


def z(instant: datetime, fraction: str = "") -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One provider as its documentation has it.

    Parameters
    ----------
    name
        Of the provider.
    zone
        As the region calls it.
    answer
        Its answers, by the parts of a ``Story``.
    signal
        Of its values.
    environment
        Keys that it wants.
    options
        Settings besides ``base_url``.
    names_zone
        Whether its answers say what they are about.
    dated
        Whether its answers say when the forecast was made.
    dated_when_old
        Whether they do so only when that was long before the request.
    login
        End of the path that gives a token.
    series
        What it forecasts.
    day, tolerance
        What it says of the planned day, and how far from it slots may be.
    key_optional
        Whether it answers without its keys as well.
    uses_zone
        Whether it wants to know the region's zone.
    other
        Another zone that it might speak about.
    refresh
        Time after which it is asked again.
    filled
        Slots of the planned day that it leaves to be filled in.
    """

    name: str
    zone: str
    answer: Callable[..., Answer]
    signal: Signal | None = Signal.AVERAGE
    environment: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    names_zone: bool = True
    dated: bool = False
    dated_when_old: bool = False
    login: str = ""
    series: Series = Series.CARBON
    day: np.ndarray = field(default_factory=lambda: TRUTH[6:30])
    tolerance: float = 0.0
    key_optional: bool = False
    uses_zone: bool = True
    other: str = ""
    refresh: timedelta = timedelta(minutes=31)
    filled: int = 0

    @property
    def shelf(self) -> str:
        """Start of the folder's name under which its answers are kept."""
        if self.series is Series.SOLAR:
            return "here_"
        suffix = "" if self.series is Series.CARBON else f".{self.series.value}"
        return f"{self.zone}{suffix}"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a service is to tell.

    Parameters
    ----------
    issued
        When its series begins.
    made
        Time of issue that it states, the same by default.
    zone
        What it speaks about, by default what was asked.
    scale
        Factor on the truth.
    """

    issued: datetime = NOW
    made: datetime | None = None
    zone: str | None = None
    scale: float = 1.0

    @property
    def stated(self) -> datetime:
        return self.made or self.issued


def telling(reply: Callable[..., Reply]) -> Callable[..., Answer]:
    """A service's answers, by the parts of a story and by what else it knows of."""

    @wraps(reply)
    def answers(**given: Any) -> Answer:
        parts = {f.name: given.pop(f.name) for f in fields(Story) if f.name in given}
        return partial(reply, story=Story(**parts), **given)

    return answers


@telling
def electricity_maps(seen: Seen, story: Story) -> Reply:
    if seen.headers.get("auth-token") != CANARY:
        return Reply({"error": "Invalid auth-token"}, 401)
    if seen.path not in (f"/{v}/carbon-intensity/forecast" for v in ("v3", "v4")):
        return Reply({"status": "error", "message": "no such path"}, 404)
    hours = int(seen.query["horizonHours"])
    if hours not in (6, 24, 48, 72):
        return Reply({"status": "error", "message": "horizon"}, 400)
    end = story.issued + timedelta(hours=hours + 1)
    return Reply(
        {
            "zone": story.zone or seen.query["zone"],
            "forecast": [
                {"carbonIntensity": story.scale * truth_at(t), "datetime": z(t, ".000")}
                for t in steps(story.issued, end, 60)
            ],
            "updatedAt": z(story.stated + timedelta(seconds=3), ".500"),
            "temporalGranularity": seen.query["temporalGranularity"],
        }
    )


@telling
def watttime(seen: Seen, story: Story) -> Reply:
    sent = seen.headers.get("authorization", "")
    if seen.path == "/login":
        good = sent.startswith("Basic ") and basic_pair(sent) == f"{USER}:{CANARY}"
        return Reply({"token": TOKEN}) if good else Reply({"error": "who"}, 401)
    if sent != f"Bearer {TOKEN}":
        return Reply(b"<html>403 Forbidden</html>", 403)
    end = story.issued + timedelta(hours=int(seen.query["horizon_hours"]))
    return Reply(
        {
            "data": [
                {"point_time": t.isoformat(), "value": story.scale * lb(truth_at(t))}
                for t in steps(story.issued, end, 5)
            ],
            "meta": {
                "data_point_period_seconds": 300,
                "region": story.zone or seen.query["region"],
                "signal_type": seen.query["signal_type"],
                "units": "lbs_co2_per_mwh",
                "warnings": [{"type": "TEST", "message": "all is replayed"}],
                "model": {"date": "2023-03-01"},
                "generated_at_period_seconds": 300,
                "generated_at": story.stated.isoformat(),
            },
        }
    )


def lb(g_per_kwh: float) -> float:
    return g_per_kwh * LB_PER_MWH


def _half_hours(seen: Seen, issued: datetime, scale: float) -> list[dict[str, Any]]:
    start, end = (
        datetime.fromisoformat(part)
        for part in seen.path.split("/intensity/")[1].split("/")[:2]
    )
    # a boundary brings the half-hour before it as well
    half = timedelta(minutes=30)
    end = min(end, issued + timedelta(hours=48))
    return [
        {
            "from": f"{t:%Y-%m-%dT%H:%MZ}",
            "to": f"{t + half:%Y-%m-%dT%H:%MZ}",
            "intensity": {
                "forecast": scale * truth_at(t),
                "actual": None,
                "index": "moderate",
            },
        }
        for t in steps(start - half, end, 30)
    ]


@telling
def uk_national(seen: Seen, story: Story) -> Reply:
    return Reply({"data": _half_hours(seen, story.issued, story.scale)})


@telling
def uk_regional(seen: Seen, story: Story, *, listed: bool = False) -> Reply:
    asked = seen.path.rsplit("/", 1)[1]
    part = {
        "regionid": int((story.zone or asked).removeprefix("GB-")),
        "dnoregion": "UKPN London",
        "shortname": "London",
        "data": _half_hours(seen, story.issued, story.scale),
    }
    return Reply({"data": [part] if listed else part})


@telling
def energy_charts(seen: Seen, story: Story) -> Reply:
    start, end = (
        datetime.fromtimestamp(int(seen.query[key]), UTC) for key in ("start", "end")
    )
    times = list(steps(start, min(end, story.issued + timedelta(hours=30)), 15))
    past = [t < story.issued for t in times]
    values = [story.scale * truth_at(t) for t in times]
    pairs = list(zip(values, past, strict=True))
    return Reply(
        {
            "unix_seconds": [int(t.timestamp()) for t in times],
            "co2eq": [v if p else None for v, p in pairs],
            "co2eq_forecast": [None if p else v for v, p in pairs],
            "deprecated": False,
        }
    )


@telling
def carbon_aware_sdk(seen: Seen, story: Story) -> Reply:
    if seen.path != "/emissions/forecasts/current":
        return Reply({"title": "Not Found", "status": 404}, 404)
    end = story.issued + timedelta(hours=31)
    points = [
        {
            "location": "PJM_ROANOKE",
            "timestamp": t.isoformat(),
            "duration": 5,
            "value": story.scale * truth_at(t),
        }
        for t in steps(story.issued, end, 5)
    ]
    forecast = {
        "generatedAt": story.stated.isoformat(),
        "requestedAt": (story.issued + timedelta(minutes=3)).isoformat(),
        "location": story.zone or seen.query["location"],
        "dataStartAt": story.issued.isoformat(),
        "dataEndAt": end.isoformat(),
        "windowSize": 5,
        "optimalDataPoints": points[:1],
        "forecastData": points,
    }
    return Reply([forecast])


SERVICES = (
    Service(
        name="electricity_maps",
        other="FR",
        zone="DE",
        answer=electricity_maps,
        environment={"ELECTRICITY_MAPS_TOKEN": CANARY},
        dated_when_old=True,
    ),
    Service(
        name="watttime",
        other="PJM_DC",
        zone="CAISO_NORTH",
        answer=watttime,
        signal=Signal.MARGINAL,
        environment={"WATTTIME_USER": USER, "WATTTIME_PASSWORD": CANARY},
        dated=True,
        login="/login",
    ),
    Service(
        name="uk_carbon_intensity", zone="GB", answer=uk_national, names_zone=False
    ),
    Service(name="uk_carbon_intensity", zone="GB-13", answer=uk_regional, other="GB-1"),
    Service(name="energy_charts", zone="DE", answer=energy_charts, names_zone=False),
    Service(
        name="carbon_aware_sdk",
        other="westus",
        zone="eastus",
        answer=carbon_aware_sdk,
        signal=Signal.MARGINAL,
        options={"signal": "marginal"},
        dated=True,
    ),
)
