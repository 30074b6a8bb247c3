"""``solve --date today`` in the afternoon, on services that know what is to come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from forecasts.series import Quality
from forecasts.snapshot import read_snapshot
from outputs.plan_file import read_plan
from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from planner.day import grid_of
from tests.factories_forecast import workspace_of
from tests.factories_workspace import jobs_yaml
from tests.replay_servers import serving
from tests.replay_services import SERVICES, Service, truth_at

DATE = "2026-11-22"
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
MORNING = MIDNIGHT + timedelta(hours=5, minutes=2)
AFTERNOON = MIDNIGHT + timedelta(hours=15, minutes=7)
NEXT_SLOT = MIDNIGHT + timedelta(hours=15, minutes=15)
TRUE = [truth_at(MIDNIGHT + timedelta(minutes=15 * slot)) for slot in range(96)]
FUTURE_ONLY = [
    s for s in SERVICES if s.name not in ("uk_carbon_intensity", "energy_charts")
]
JOBS: tuple[Mapping[str, Any], ...] = (
    {"id": "two-hours"},
    {"id": "all-evening", "duration": "6h", "power_kw": 3},
    {"id": "was-due", "deadline": '"06:30"'},
    {"id": "pinned", "pin": "{ start: earliest }"},
    {"id": "later", "earliest": '"20:00"', "duration": "1h"},
)


def workspace(root: Path, service: Service, base_url: str, jobs: Any = JOBS) -> None:
    options = {"base_url": base_url, **service.options}
    lines = "\n".join(f"{key} = {json.dumps(v)}" for key, v in options.items())
    root.mkdir(exist_ok=True, parents=True)
    (root / "jobs.yaml").write_text(jobs_yaml(*jobs))
    (root / "planner.toml").write_text(f"""
[planner]
jobs = ["jobs.yaml"]

[regions.here]
zone = "{service.zone}"
capacity = {{ cpu = 8 }}

[forecasts.carbon]
provider = "{service.name}"
{lines}
""")


def run(root: Path, service: Service, now: datetime, *words: str) -> Result:
    app = App(clock=lambda: now, environment=service.environment, directory=root)
    return CliRunner().invoke(main, [*words], obj=app)


def solve_today(root: Path, service: Service, now: datetime) -> dict[str, Any]:
    result = run(root, service, now, "solve", "--date", "today", "--json")
    assert result.exit_code in (ExitCode.DONE, ExitCode.UNPLACED), result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows_of(planned: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    rows = read_plan(Path(planned["plan"])).rows.to_pylist()
    return {row["job_id"]: row for row in rows}


@pytest.fixture(params=SERVICES, ids=lambda s: f"{s.name}-{s.zone}")
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


def test_no_job_starts_in_the_past_and_the_plan_passes_its_check(
    tmp_path: Path, service: Service
) -> None:
    with serving(service.answer(issued=AFTERNOON.replace(minute=0))) as server:
        workspace(tmp_path, service, server.url)
        planned = solve_today(tmp_path, service, AFTERNOON)
    rows = rows_of(planned)
    placed = {name: row for name, row in rows.items() if row["status"] == "planned"}
    assert set(placed) == {"two-hours", "all-evening", "pinned", "later"}
    assert min(row["start"] for row in placed.values()) >= NEXT_SLOT
    assert min(row["baseline_start"] for row in placed.values()) >= NEXT_SLOT
    assert rows["pinned"]["start"] == NEXT_SLOT
    assert rows["was-due"]["reason"]
    assert not planned["degraded"]
    checked = run(tmp_path, service, AFTERNOON, "check", planned["plan"])
    assert checked.exit_code == ExitCode.DONE, checked.stdout
    assert any("planned from then on" in note for note in planned["warnings"])


def test_slots_that_are_over_hold_what_was_forecast_for_them_in_the_morning(
    tmp_path: Path, service: Service
) -> None:
    with serving(service.answer(issued=MIDNIGHT)) as server:
        workspace(tmp_path, service, server.url)
        done = run(tmp_path, service, MIDNIGHT, "forecast", "show", "--date", "today")
        assert done.exit_code == ExitCode.DONE, done.stderr
        server.answer_with(service.answer(issued=AFTERNOON.replace(minute=0)))
        planned = solve_today(tmp_path, service, AFTERNOON)
    values, quality = trusted(tmp_path, planned)
    assert values == pytest.approx(TRUE, rel=1e-9)
    assert set(quality.tolist()) == {Quality.PROVIDED}
    assert not planned["degraded"]


@pytest.mark.parametrize("service", FUTURE_ONLY, indirect=True, ids=lambda s: s.name)
def test_slots_that_nobody_knew_are_labelled_as_filled(
    tmp_path: Path, service: Service
) -> None:
    with serving(service.answer(issued=AFTERNOON.replace(minute=0))) as server:
        workspace(tmp_path, service, server.url)
        planned = solve_today(tmp_path, service, AFTERNOON)
    values, quality = trusted(tmp_path, planned)
    assert values[61:] == pytest.approx(TRUE[61:], rel=1e-9)
    filled = quality == Quality.FILLED
    assert filled[:60].all()
    assert not filled[61:].any()
    assert values[filled] == pytest.approx(np.mean(TRUE[61:]), rel=1e-9)
    assert any("no job can start there" in note for note in planned["warnings"])


def trusted(root: Path, planned: Mapping[str, Any]) -> tuple[Any, Any]:
    """Intensities that a plan trusted, and their quality, slot by slot."""
    grid = grid_of(workspace_of(root), MIDNIGHT.date())
    path = root / "outputs" / "forecasts" / f"{planned['plan_id']}.parquet"
    (carbon,) = read_snapshot(path, grid).carbon
    return carbon.values, carbon.quality


def test_a_day_that_is_over_or_ahead_is_planned_as_it_was_meant(tmp_path: Path) -> None:
    (service,) = [s for s in SERVICES if s.name == "energy_charts"]
    job = {"id": "two-hours", "deadline": '"06:30"'}
    with serving(service.answer(issued=MIDNIGHT)) as server:
        for day, now in enumerate([MIDNIGHT, MIDNIGHT + timedelta(days=1)]):
            root = tmp_path / str(day)
            workspace(root, service, server.url, [job])
            words = ("solve", "--date", DATE, "--json")
            result = run(root, service, now, *words)
            assert result.exit_code == ExitCode.DONE, result.stderr
            (row,) = rows_of(json.loads(result.stdout)).values()
            assert row["end"] <= MIDNIGHT + timedelta(hours=6, minutes=30)
