"""The nightly command with live solar and price services, as cron runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from outputs.plan_file import read_plan
from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.drivers_live import id_of, texts_below
from tests.factories_workspace import jobs_yaml
from tests.replay_price import PRICE_DAY, PRICE_SERVICES, acknowledgement
from tests.replay_servers import ReplayServer, page, replying, serving
from tests.replay_services import CANARY, NOW, Service
from tests.replay_solar import SOLAR_DAY, SOLAR_SERVICES

DATE = "2026-11-22"
JOB = {"id": "two-hours", "duration": "2h", "power_kw": 40.0}
SOLAR = "{ kwp = 100, latitude = 52.5, longitude = 13.4 }"


def table(service: Service, base_url: str, fallback: str) -> str:
    options = {"base_url": base_url, "total_limit": "1s", **service.options}
    zones = options.pop("zones", {})
    lines = [f"{key} = {json.dumps(value)}" for key, value in options.items()]
    lines += [f'zones.{name} = "{zone}"' for name, zone in zones.items()]
    return "\n".join(
        [
            f"[forecasts.{service.series.value}]",
            f'provider = "{service.name}"',
            f"fallback = {fallback}",
            *lines,
        ]
    )


class Night:
    """One workspace with one solar and one price service."""

    def __init__(self, root: Path, sun: Service, market: Service) -> None:
        self.root, self.sun, self.market = root, sun, market
        self._stack = ExitStack()
        self.sky: ReplayServer = self._stack.enter_context(serving(sun.answer()))
        self.exchange: ReplayServer = self._stack.enter_context(
            serving(market.answer())
        )

    def close(self) -> None:
        self._stack.close()

    def solve(self) -> Result:
        settings = f"""
[planner]
jobs = ["jobs.yaml"]

[objective]
carbon_price_per_kg = 0.0
energy_cost = 1.0

[regions.here]
zone = "{self.market.zone}"
capacity = {{ cpu = 4 }}
solar = {SOLAR}

{table(self.sun, self.sky.url, '["clear_sky"]')}

{table(self.market, self.exchange.url, "[]")}
"""
        self.root.mkdir(exist_ok=True)
        (self.root / "planner.toml").write_text(settings)
        (self.root / "jobs.yaml").write_text(jobs_yaml(JOB))
        environment = {**self.sun.environment, **self.market.environment}
        app = App(clock=lambda: NOW, environment=environment, directory=self.root)
        command = ["-vv", "solve", "--date", DATE, "--solver", "greedy", "--json"]
        return CliRunner().invoke(main, command, obj=app)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    one = Night(tmp_path, SOLAR_SERVICES[0], PRICE_SERVICES[0])
    yield one
    one.close()


def cheapest_start() -> int:
    """Hour at which two hours of 40 kW cost least, worked out by hand."""
    drawn = np.maximum(40.0 - SOLAR_DAY, 0.0) * PRICE_DAY
    return int(np.argmin(drawn[:-1] + drawn[1:]))


PAIRS = list(zip(SOLAR_SERVICES, PRICE_SERVICES, strict=True))


@pytest.mark.parametrize(("sun", "market"), PAIRS, ids=[id_of(m) for _, m in PAIRS])
def test_job_runs_where_sun_and_market_make_it_cheapest(
    tmp_path: Path, sun: Service, market: Service
) -> None:
    night = Night(tmp_path, sun, market)
    result = night.solve()
    night.close()
    assert result.exit_code == ExitCode.DONE, result.stderr
    plan = read_plan(Path(json.loads(result.stdout)["plan"]))
    (row,) = plan.rows.to_pylist()
    assert row["start"].hour == cheapest_start()
    used = {f.series: f.provider for f in plan.meta.forecasts}
    assert (used["solar"], used["price"]) == (sun.name, market.name)
    left = (result.stdout + result.stderr).encode() + texts_below(tmp_path)
    assert CANARY.encode() not in left


def test_sky_that_lies_with_zeros_is_replaced_and_named(night: Night) -> None:
    night.sky.answer_with(night.sun.answer(scale=0.0))
    result = night.solve()
    assert result.exit_code == ExitCode.DEGRADED
    told = " ".join(json.loads(result.stdout)["warnings"])
    assert "clear_sky was used because open_meteo" in told


@pytest.mark.parametrize(
    "answer",
    [
        replying(
            200,
            acknowledgement("No matching data found"),
            {"Content-Type": "application/xml"},
        ),
        page("text/html"),
    ],
)
def test_price_that_a_cost_depends_on_and_nobody_has_refuses_the_run(
    night: Night, answer: Any
) -> None:
    night.exchange.misbehave(forever=answer)
    result = night.solve()
    assert result.exit_code == ExitCode.REFUSED, result.stderr
    assert "no usable price forecast for here" in result.stderr
    assert "Traceback" not in result.stderr
    assert CANARY not in result.stderr
