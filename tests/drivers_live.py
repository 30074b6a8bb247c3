"""Nightly runs against replayed services, with waits that take no time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest

from forecasts import Forecast, ForecastSet, gather
from forecasts.http.client import HttpClient
from forecasts.http.limits import Limits
from forecasts.series import Series
from inputs.timegrid import TimeGrid
from tests.factories_forecast import ARRAY, region_of, workspace_of
from tests.replay_price import PRICE_SERVICES
from tests.replay_servers import Answer, Reply, Seen, serving
from tests.replay_services import GRID, NOW, SERVICES, TRUTH, Service, steps
from tests.replay_solar import SOLAR_SERVICES

DAY = TRUTH[6:30]
"""What every service says of the planned day. [g/kWh]"""

STAND_INS = {Series.CARBON: "typical", Series.SOLAR: "clear_sky", Series.PRICE: "file"}
LIMITS = Limits(connect_s=5.0, answer_s=20.0, total_s=60.0)
SHORT = Limits(connect_s=0.1, answer_s=0.1, total_s=0.12, backoff_s=0.01)
"""For servers that waste real time."""


@dataclass
class Waits:
    """A steady clock that sleeping moves at once."""

    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def timer(self) -> float:
        return time.monotonic() + sum(self.slept)


def client_of(
    waits: Waits | None = None,
    *,
    now: datetime = NOW,
    limits: Limits = LIMITS,
    memory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seed: int = 0,
) -> HttpClient:
    waits = waits or Waits()
    return HttpClient(
        now=now,
        environment=environment or {},
        memory=memory,
        limits=limits,
        sleep=waits.sleep,
        timer=waits.timer,
        rng=Random(seed),
    )


@dataclass
class Night:
    """One service, asked night after night in one workspace."""

    root: Path
    service: Service
    base_url: str
    waits: Waits = field(default_factory=Waits)

    def run(
        self,
        *,
        now: datetime = NOW,
        limits: Limits = LIMITS,
        environment: Mapping[str, str] | None = None,
        tables: Mapping[str, Any] | None = None,
        grid: TimeGrid = GRID,
        **own: Any,
    ) -> ForecastSet:
        service = self.service
        table = {
            "provider": service.name,
            "fallback": [STAND_INS[service.series]],
            service.name: {"base_url": self.base_url, **service.options},
            **(tables or {}),
            **own,
        }
        if service.series is Series.PRICE:
            table |= {"path": self._prices()}
        solar = ARRAY if service.series is Series.SOLAR else None
        workspace = workspace_of(
            self.root,
            region_of(zone=service.zone, solar=solar),
            forecasts={"carbon": {"provider": "typical"}, service.series.value: table},
        )
        given = service.environment if environment is None else environment
        client = client_of(
            self.waits,
            now=now,
            limits=limits,
            memory=workspace.outputs / "cache" / "http" / "cool_downs",
            environment=given,
        )
        return gather(workspace, grid, now=now, environment=given, http=client)

    def forecast(self, **settings: Any) -> Forecast:
        forecasts = self.run(**settings).forecasts
        (only,) = [f for f in forecasts if f.series is self.service.series]
        return only

    @property
    def truth(self) -> Any:
        """What the service says of the planned day, for comparing."""
        tolerance = self.service.tolerance or 1e-12
        return pytest.approx(self.service.day, rel=1e-12, abs=tolerance)

    def carbon(self, **settings: Any) -> Forecast:
        return self.run(**settings).carbon[0]

    def _prices(self) -> str:
        """A file with a price that no service says."""
        self.root.mkdir(parents=True, exist_ok=True)
        rows = [f"here,{at.isoformat()},9" for at in steps(GRID.start, GRID.end, 60)]
        lines = ["region,start,price_per_kwh", *rows]
        (self.root / "prices.csv").write_text("\n".join(lines))
        return "prices.csv"


def texts_below(root: Path) -> bytes:
    """Every byte of every file, for what must not be among them."""
    return b"\n".join(p.read_bytes() for p in root.rglob("*") if p.is_file())


def assert_stood_in(forecast: Forecast, *words: str) -> None:
    """What needs no service was used, and the note says why."""
    assert forecast.provider == STAND_INS[forecast.series]
    assert forecast.degraded
    for word in words:
        assert word in forecast.notes[0]


BY_NAME = {service.name: service for service in SERVICES}
EVERY = (*SERVICES, *SOLAR_SERVICES, *PRICE_SERVICES)


def id_of(service: Service) -> str:
    return f"{service.series.value}-{service.name}-{service.zone}"


def asked(
    name: str, answer: Answer, root: Path, **settings: Any
) -> tuple[Forecast, list[Seen]]:
    with serving(answer) as server:
        forecast = Night(root, BY_NAME[name], server.url).carbon(**settings)
    return forecast, server.seen


def changed(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    """Good answers, except that ``change`` has been at their body."""

    def altered(seen: Seen) -> Reply:
        reply = answer(seen)
        body = json.loads(reply.data) if reply.status == 200 else None
        if body is None or "token" in body:
            return reply
        return Reply(change(body))

    return altered


def with_rows(name: str, answer: Answer, change: Callable[[list[Any]], Any]) -> Answer:
    """Good answers, except that ``change`` has been at their list of points."""

    def rows_changed(body: Any) -> Any:
        if name == "energy_charts":
            keys = ("unix_seconds", "co2eq", "co2eq_forecast")
            rows = change(list(zip(*(body[key] for key in keys), strict=True)))
            columns = zip(*rows, strict=True) if rows else ([], [], [])
            return {**body, **dict(zip(keys, map(list, columns), strict=True))}
        holder, key = {
            "electricity_maps": lambda: (body, "forecast"),
            "watttime": lambda: (body, "data"),
            "uk_carbon_intensity": lambda: (
                (body, "data")
                if isinstance(body["data"], list)
                else (body["data"], "data")
            ),
            "carbon_aware_sdk": lambda: (body[0], "forecastData"),
        }[name]()
        holder[key] = change(list(holder[key]))
        return body

    return changed(answer, rows_changed)


def row_start(row: Any) -> datetime:
    """Start of the interval that a point of any service is about."""
    if isinstance(row, tuple):
        return datetime.fromtimestamp(row[0], UTC)
    stamp = next(
        row[k] for k in ("datetime", "point_time", "from", "timestamp") if k in row
    )
    return datetime.fromisoformat(stamp).astimezone(UTC)


def with_value(row: Any, value: float | None) -> Any:
    """The same point with another value."""
    if isinstance(row, tuple):
        return (row[0], None, value)
    if "intensity" in row:
        return {**row, "intensity": {**row["intensity"], "forecast": value}}
    key = "carbonIntensity" if "carbonIntensity" in row else "value"
    return {**row, key: value}


def table_of(name: str, url: str, **own: Any) -> dict[str, Any]:
    return {name: {"base_url": url, **BY_NAME[name].options, **own}}


def of_services(where: Callable[[Service], bool]) -> pytest.MarkDecorator:
    """Run a test of the ``service`` fixture for those services alone."""
    chosen = [service for service in EVERY if where(service)]
    return pytest.mark.parametrize("service", chosen, indirect=True, ids=id_of)


def in_turn(names: str, *values: Any) -> pytest.MarkDecorator:
    """Run a test of the ``service`` fixture with one of the values for each service.

    For faults that the one HTTP client meets for all of them: every value meets
    several services, and every service one value.
    """
    pairs = [
        (service, *(value if isinstance(value, tuple) else (value,)))
        for service, value in zip(EVERY, cycle(values), strict=False)
    ]
    ids = [f"{id_of(service)}-{n % len(values)}" for n, (service, *_) in
           enumerate(pairs)]  # fmt: skip
    return pytest.mark.parametrize(
        f"service,{names}", pairs, indirect=["service"], ids=ids
    )
