"""A night from solving to settling with real shell jobs, and its report."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from outputs.errors import EvidenceError
from outputs.evidence import read_evidence
from planner.cli import main
from planner.cli.app import App
from tests.factories_executor import until
from tests.settled_days import SettledDay, at, series

FORECAST = [100.0, 300.0, 300.0, 500.0]
ACTUAL = [400.0, 200.0, 100.0, *[500.0] * 21]
DOUBLED = [2 * value for value in ACTUAL]
TELLS = '["sh", "-c", "echo \'{\\"energy_kwh\\": 3}\' > $PLANNER_ENERGY_FILE"]'
ENVIRONMENT = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}

Run = Callable[..., Result]


@pytest.fixture
def day(tmp_path: Path) -> SettledDay:
    job = {"id": "a", "duration": "1h", "power_kw": 2, "command": TELLS}
    found = SettledDay(tmp_path, job, forecast=FORECAST, actual=ACTUAL)
    found.solve()
    return found


@pytest.fixture
def run(day: SettledDay) -> Run:
    def planner(*words: str, hour: float, **variables: str) -> Result:
        when: datetime = at(hour)
        app = App(
            clock=lambda: when,
            environment={**ENVIRONMENT, **variables},
            directory=day.folder.root,
            root=lambda: False,
        )
        return CliRunner().invoke(main, list(words), obj=app)

    return planner


def worked_off(run: Run) -> None:
    """Have the real job start and end, and be collected."""
    assert run("execute", "--once", hour=0).exit_code == 0

    def collected() -> bool:
        run("execute", "--once", hour=1)
        shown = run("status", "2026-11-22", "--json", hour=1)
        return json.loads(shown.stdout)["jobs"][0]["state"] == "done"

    until(collected, pause=0.1)


def settled(run: Run, **variables: str) -> dict[str, Any]:
    result = run("settle", "--date", "2026-11-22", "--json", hour=30, **variables)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_a_night_of_real_jobs_is_settled_with_what_they_told(run: Run) -> None:
    worked_off(run)
    found = settled(run)
    assert found["emissions_kg"]["realised"] == pytest.approx(3 * 0.4)
    assert found["energy_kwh"]["by_label"]["reported"] == 3
    assert found["regret_kg"]["total"] == pytest.approx(1.2 - 0.2)
    assert sum(found["regret_kg"].values()) == pytest.approx(2 * 1.0)
    (row,) = read_evidence(Path(found["evidence"])).rows.to_pylist()
    assert row["energy_source"] == "the job"


def test_measured_values_come_from_the_file_of_the_settings(run: Run) -> None:
    worked_off(run)
    (source,) = settled(run)["sources"]
    assert (source["actual_slots"], source["slots"]) == (24, 24)
    assert "actual.csv" in source["source"]


def test_measured_values_of_another_file_and_unit_may_be_named_by_variables(
    run: Run, day: SettledDay
) -> None:
    worked_off(run)
    in_kg = series([value / 1000 for value in DOUBLED])
    day.folder.write("other.csv", in_kg.replace("g_per_kwh", "value"))
    found = settled(
        run,
        PLANNER_SETTLEMENT_CARBON_PATH="other.csv",
        PLANNER_SETTLEMENT_CARBON_UNIT="kg/kWh",
    )
    assert found["emissions_kg"]["realised"] == pytest.approx(3 * 0.8)
    assert "other.csv" in found["sources"][0]["source"]


def test_a_file_of_measured_values_that_is_gone_is_refused_in_one_line(
    run: Run,
) -> None:
    worked_off(run)
    gone = {"PLANNER_SETTLEMENT_CARBON_PATH": "gone.csv"}
    result = run("settle", "--date", "2026-11-22", hour=30, **gone)
    assert result.exit_code == 1
    assert "gone.csv" in result.stderr
    assert "Traceback" not in result.stderr


def test_measured_values_that_break_off_leave_the_day_provisional(
    run: Run, day: SettledDay
) -> None:
    worked_off(run)
    day.folder.write("short.csv", series([None, *ACTUAL[1:]]))
    short = {"PLANNER_SETTLEMENT_CARBON_PATH": "short.csv"}
    result = run("settle", "--date", "2026-11-22", "--json", hour=30, **short)
    assert result.exit_code == 5
    found = json.loads(result.stdout)
    assert found["missing"][0]["stand_in"] == "forecast"
    assert found["emissions_kg"]["realised"] == pytest.approx(3 * 0.1)


def test_the_report_shows_promise_against_outcome(run: Run, day: SettledDay) -> None:
    worked_off(run)
    settled(run)
    assert run("report", "2026-11-22", hour=30).exit_code == 0
    reports = day.folder.root / "outputs/reports"
    text = (reports / "report-2026-11-22.md").read_text()
    assert "## What became of it" in text
    assert "reported energy" in text
    outcome = json.loads((reports / "report-2026-11-22.json").read_text())["outcome"]
    assert outcome["emissions_kg"]["realised"] == pytest.approx(1.2)


def test_before_the_day_nothing_is_said_of_its_outcome(
    run: Run, day: SettledDay
) -> None:
    run("report", "2026-11-22", hour=0)
    page = day.folder.root / "outputs/reports/report-2026-11-22.md"
    assert "What became of it" not in page.read_text()


def test_a_day_that_is_not_over_is_provisional_by_exit_status(run: Run) -> None:
    result = run("settle", "--date", "2026-11-22", hour=0)
    assert result.exit_code == 5
    assert "not settled yet: 1 in state planned" in result.stderr
    assert "No saving is realised" in result.stdout


def test_a_day_without_a_plan_is_refused_in_one_line(run: Run) -> None:
    result = run("settle", "--date", "2026-11-20", hour=30)
    assert result.exit_code == 1
    assert "no such file; a day is settled against the plan" in result.stderr


def test_the_same_day_settled_again_is_the_same_evidence(run: Run) -> None:
    worked_off(run)
    first, second = settled(run), settled(run)
    assert first["digest"] == second["digest"]


def test_damaged_evidence_is_refused(run: Run) -> None:
    worked_off(run)
    path = Path(settled(run)["evidence"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(EvidenceError, match="settle the day again"):
        read_evidence(path)
