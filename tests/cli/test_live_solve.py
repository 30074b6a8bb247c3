"""The nightly command on replayed services, as cron runs it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from outputs.plan_file import read_plan
from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.drivers_live import BY_NAME, DAY, texts_below
from tests.factories_workspace import jobs_yaml
from tests.replay_servers import Fault, closed_port, drip_body, page, serving
from tests.replay_services import CANARY, NOW, SERVICES, TOKEN, Service

DATE = "2026-11-22"
JOBS = ({"id": "two-hours"}, {"id": "half-a-day", "duration": "12h", "power_kw": 3})


def solve(root: Path, service: Service, base_url: str) -> Result:
    """Run ``planner solve`` on one region in the zone of a service."""
    options = {"base_url": base_url, "total_limit": "1s", **service.options}
    lines = [f"{key} = {json.dumps(value)}" for key, value in options.items()]
    settings = f"""
[planner]
jobs = ["jobs.yaml"]

[regions.here]
zone = "{service.zone}"
capacity = {{ cpu = 4 }}

[forecasts.carbon]
provider = "{service.name}"
fallback = ["typical"]
{chr(10).join(lines)}
"""
    root.mkdir(exist_ok=True)
    (root / "planner.toml").write_text(settings)
    (root / "jobs.yaml").write_text(jobs_yaml(*JOBS))
    app = App(clock=lambda: NOW, environment=service.environment, directory=root)
    command = ["-vv", "solve", "--date", DATE, "--solver", "greedy", "--json"]
    return CliRunner().invoke(main, command, obj=app)


def rows_of(result: Result) -> list[dict[str, Any]]:
    rows = read_plan(Path(json.loads(result.stdout)["plan"])).rows
    kept = ["job_id", "start", "end", "emissions_kg", "baseline_emissions_kg"]
    found: list[dict[str, Any]] = rows.select(kept).to_pylist()
    return found


def test_same_true_series_gives_the_same_plan_through_every_provider(
    tmp_path: Path,
) -> None:
    plans = []
    for service in SERVICES:
        with serving(service.answer()) as server:
            root = tmp_path / f"{service.name}-{service.zone}"
            result = solve(root, service, server.url)
        assert result.exit_code == ExitCode.DONE, result.stderr
        plans.append(rows_of(result))
        meta = read_plan(Path(json.loads(result.stdout)["plan"])).meta
        assert [f.provider for f in meta.forecasts] == [service.name]
        assert [f.signal for f in meta.forecasts] == [service.signal]
    first = plans[0]
    cleanest = min(range(23), key=lambda hour: DAY[hour] + DAY[hour + 1])
    (short,) = [row for row in first if row["job_id"] == "two-hours"]
    assert short["start"].hour == cleanest
    for plan in plans[1:]:
        for row, other in zip(first, plan, strict=True):
            assert [row[key] for key in ("job_id", "start", "end")] == [
                other[key] for key in ("job_id", "start", "end")
            ]
            assert other["emissions_kg"] == pytest.approx(row["emissions_kg"], rel=1e-9)


@pytest.mark.parametrize("fault", [drip_body, page("text/html")])
def test_service_that_fails_delays_the_night_by_its_limit_and_is_named(
    tmp_path: Path, fault: Fault
) -> None:
    service = BY_NAME["electricity_maps"]
    with serving(service.answer()) as server:
        server.misbehave(forever=fault)
        begun = time.monotonic()
        result = solve(tmp_path, service, server.url)
        seconds = json.loads(result.stdout)["seconds"]
        assert time.monotonic() - begun < 10
    assert seconds["forecast"] < 2
    assert result.exit_code == ExitCode.DEGRADED
    told = " ".join(json.loads(result.stdout)["warnings"])
    assert "typical was used because electricity_maps" in told


def test_key_is_in_nothing_that_a_night_leaves_behind(tmp_path: Path) -> None:
    for service in (BY_NAME["electricity_maps"], BY_NAME["watttime"]):
        for url in (None, closed_port()):
            with serving(service.answer()) as server:
                root = tmp_path / f"{service.name}-{service.zone}"
                result = solve(root, service, url or server.url)
            left = (result.stdout + result.stderr).encode() + texts_below(root)
            for secret in (CANARY, TOKEN):
                assert secret.encode() not in left
