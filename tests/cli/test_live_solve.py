"""The nightly command on replayed services, as cron runs it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from outputs.plan_file import read_plan
from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.drivers_live import (
    BY_NAME,
    DAY,
    row_start,
    texts_below,
    with_rows,
    with_value,
)
from tests.factories_workspace import jobs_yaml
from tests.replay_servers import Answer, Fault, closed_port, drip_body, page, serving
from tests.replay_services import CANARY, GRID, NOW, SERVICES, TOKEN, Service

DATE = "2026-11-22"
HOUR = timedelta(hours=1)
JOBS = ({"id": "two-hours"}, {"id": "half-a-day", "duration": "12h", "power_kw": 3})


def solve(
    root: Path,
    service: Service,
    base_url: str,
    *,
    fallback: tuple[str, ...] = ("typical",),
) -> Result:
    """Run ``planner solve`` on one region in the zone of a service."""
    options = {"base_url": base_url, "total_limit": "1s", **service.options}
    lines = [f"{key} = {toml_of(value)}" for key, value in options.items()]
    settings = f"""
[planner]
jobs = ["jobs.yaml"]

[regions.here]
zone = "{service.zone}"
capacity = {{ cpu = 4 }}

[forecasts.carbon]
provider = "{service.name}"
fallback = {json.dumps(fallback)}
{chr(10).join(lines)}
"""
    root.mkdir(exist_ok=True)
    (root / "planner.toml").write_text(settings)
    (root / "jobs.yaml").write_text(jobs_yaml(*JOBS))
    app = App(clock=lambda: NOW, environment=service.environment, directory=root)
    command = ["-vv", "solve", "--date", DATE, "--solver", "greedy", "--json"]
    return CliRunner().invoke(main, command, obj=app)


def toml_of(value: Any) -> str:
    """A text, or a table of texts, as TOML has it."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{k} = {json.dumps(v)}' for k, v in value.items())} }}"
    return json.dumps(value)


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
@pytest.mark.parametrize("name", ["electricity_maps", "watttime", "energy_charts"])
def test_service_that_fails_delays_the_night_by_its_limit_and_is_named(
    tmp_path: Path, fault: Fault, name: str
) -> None:
    service = BY_NAME[name]
    with serving(service.answer()) as server:
        server.misbehave(forever=fault)
        begun = time.monotonic()
        result = solve(tmp_path, service, server.url)
        seconds = json.loads(result.stdout)["seconds"]
        assert time.monotonic() - begun < 10
    assert seconds["forecast"] < 2
    assert result.exit_code == ExitCode.DEGRADED
    told = " ".join(json.loads(result.stdout)["warnings"])
    assert f"typical was used because {name}" in told


def lying(service: Service, first: int, hours: int) -> Answer:
    """Good answers, except that some hours of the day are said to be clean."""
    lie = (GRID.start + first * HOUR, GRID.start + (first + hours) * HOUR)
    return with_rows(
        service.name,
        service.answer(),
        lambda rows: [
            with_value(r, 0.0) if lie[0] <= row_start(r) < lie[1] else r for r in rows
        ],
    )


DIRTIEST = max(range(1, 22), key=lambda hour: DAY[hour : hour + 2].sum())


@pytest.mark.parametrize("hours", [1, 3, 24])
@pytest.mark.parametrize("service", SERVICES, ids=lambda s: f"{s.name}-{s.zone}")
def test_zeros_never_move_a_job_into_their_false_clean_slots(
    tmp_path: Path, service: Service, hours: int
) -> None:
    first = DIRTIEST if hours < 24 else 0
    with serving(lying(service, first, hours)) as server:
        result = solve(tmp_path / "lied", service, server.url)
    honest = closed_port() if hours > 2 else None
    with serving(service.answer()) as server:
        expected = solve(tmp_path / "honest", service, honest or server.url)
    starts = [{r["job_id"]: r["start"] for r in rows_of(x)} for x in (result, expected)]
    if hours == 1:  # filled in between its neighbours, and labelled
        assert result.exit_code == ExitCode.DONE, result.stderr
        start = starts[0]["two-hours"]
        assert not first - 2 < start.hour < first + hours
        assert "taken as missing" in " ".join(json.loads(result.stdout)["warnings"])
    else:  # not believed at all: the plan is that of a service that is down
        assert result.exit_code == ExitCode.DEGRADED
        assert starts[0] == starts[1]


def test_first_night_without_any_forecast_is_refused_or_planned_by_deadline(
    tmp_path: Path,
) -> None:
    service = BY_NAME["electricity_maps"]
    refused = solve(tmp_path / "a", service, closed_port(), fallback=())
    assert refused.exit_code == ExitCode.REFUSED
    assert "Connection refused" in refused.stderr
    assert not list((tmp_path / "a" / "outputs").rglob("plan-*.parquet"))
    planned = solve(tmp_path / "b", service, closed_port(), fallback=("flat",))
    assert planned.exit_code == ExitCode.DEGRADED
    told = " ".join(json.loads(planned.stdout)["warnings"])
    assert "NOT CARBON-AWARE" in told
    assert "flat was used because electricity_maps" in told
    assert {row["start"] for row in rows_of(planned)} == {GRID.start}


def test_key_is_in_nothing_that_a_night_leaves_behind(tmp_path: Path) -> None:
    for service in (BY_NAME["electricity_maps"], BY_NAME["watttime"]):
        for url in (None, closed_port()):
            with serving(service.answer()) as server:
                root = tmp_path / f"{service.name}-{service.zone}"
                result = solve(root, service, url or server.url)
            left = (result.stdout + result.stderr).encode() + texts_below(root)
            for secret in (CANARY, TOKEN):
                assert secret.encode() not in left


@pytest.mark.parametrize(("scale", "code"), [(1.0, 0), (3.0, 5)])
def test_fc_18_second_source_far_apart_ends_with_5_and_the_same_rows(
    tmp_path: Path, scale: float, code: int
) -> None:
    first, second = BY_NAME["electricity_maps"], BY_NAME["energy_charts"]
    with serving(first.answer()) as one, serving(second.answer(scale=scale)) as two:
        alone = solve(tmp_path / "alone", first, one.url)
        root = tmp_path / "both"
        own = {"base_url": two.url}
        table = replace(first, options={second.name: own})
        both = solve(root, table, one.url, fallback=(second.name,))
    assert alone.exit_code == ExitCode.DONE, alone.stderr
    assert both.exit_code == code, both.stderr
    assert rows_of(both) == rows_of(alone)
    told = json.loads(both.stdout)
    words = "electricity_maps and energy_charts are far apart"
    assert any(words in warning for warning in told["warnings"]) == (scale == 3.0)
    (forecast,) = read_plan(Path(told["plan"])).meta.forecasts
    assert forecast.provider == first.name
    assert forecast.degraded == (scale == 3.0)
