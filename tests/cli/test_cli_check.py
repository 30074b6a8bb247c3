"""``planner check``: the arithmetic again, and what changed since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import (
    DAY,
    SETTINGS,
    Folder,
    a_workspace,
    carbon_csv,
    jobs_yaml,
)


@pytest.fixture
def planned(tmp_path: Path) -> Folder:
    """A workspace whose day is planned at once, two jobs in the north."""
    workspace = a_workspace(tmp_path, {"id": "a"}, {"id": "b"})
    result = workspace.run("solve", "--date", DAY, "--solver", "asap")
    assert result.exit_code == ExitCode.DONE, result.stderr
    return workspace


def test_fresh_plan_has_no_violations_and_no_notes(planned: Folder) -> None:
    result = planned.run("check", DAY)
    assert result.exit_code == ExitCode.DONE
    assert result.stdout.endswith(f"plan-{DAY}.parquet: 0 violations\n")
    assert result.stderr == ""


def test_tomorrow_is_checked_when_nothing_is_named(planned: Folder) -> None:
    assert planned.run("check").stdout == planned.run("check", DAY).stdout


def test_plan_is_found_by_its_path_too(planned: Folder) -> None:
    by_path = planned.run("check", f"outputs/plans/plan-{DAY}.parquet")
    assert by_path.stdout == planned.run("check", DAY).stdout


def test_job_that_draws_more_by_now_makes_its_numbers_wrong(planned: Folder) -> None:
    heavier = jobs_yaml({"id": "a", "power_kw": 3}, {"id": "b"})
    planned.write("inputs/jobs.yaml", heavier)
    result = planned.run("check", DAY)
    assert result.exit_code == ExitCode.REFUSED
    # 3 kW at a PUE of 1.2, for two hours
    assert 'energy_kwh: job "a": found 2.4, expected 7.2' in result.stdout
    assert 'job "b"' not in result.stdout
    assert "inputs/jobs.yaml has changed since the plan was made" in result.stderr


def test_limit_that_shrank_is_broken(planned: Folder) -> None:
    planned.write("planner.toml", SETTINGS.replace("cpu = 4", "cpu = 1"))
    found = json.loads(planned.run("check", DAY, "--json").stdout)
    assert any(
        text.startswith('resource: cpu in region "north"')
        and text.endswith("found 2, expected at most 1")
        for text in found["violations"]
    )
    assert found["notes"] == ["planner.toml has changed since the plan was made"]


def test_jobs_that_came_and_went_are_named(planned: Folder) -> None:
    planned.write("inputs/jobs.yaml", jobs_yaml({"id": "a"}, {"id": "new"}))
    result = planned.run("check", DAY)
    assert result.exit_code == ExitCode.REFUSED
    assert 'job-unknown: job "b"' in result.stdout
    assert 'job-missing: job "new"' in result.stdout


def test_manifest_that_broke_since_is_told(planned: Folder) -> None:
    planned.write("inputs/jobs.yaml", "jobs: [")
    result = planned.run("check", DAY)
    assert result.exit_code == ExitCode.REFUSED
    assert "note: left out a manifest: inputs/jobs.yaml" in result.stderr


def test_plan_is_checked_against_the_forecast_that_it_trusted(planned: Folder) -> None:
    cleaner = {"north": [1.0] * 24, "south": [2.0] * 24}
    planned.write("carbon.csv", carbon_csv(values=cleaner))
    result = planned.run("check", DAY)
    assert result.exit_code == ExitCode.DONE
    assert "carbon.csv has changed since the plan was made" in result.stderr


def test_forecast_that_is_gone_is_gathered_anew_and_said(planned: Folder) -> None:
    for snapshot in planned.root.glob("outputs/forecasts/*"):
        snapshot.unlink()
    result = planned.run("check", DAY)
    assert result.exit_code == ExitCode.DONE
    assert "the forecasts of this plan are gone" in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("slot_minutes = 60", "slot_minutes = 30", "48 slots of 30 min"),
        ('"UTC"', '"Asia/Tokyo"', "Asia/Tokyo"),
    ],
)
def test_plan_of_other_slots_is_refused_with_both_sides_shown(
    planned: Folder, old: str, new: str, shown: str
) -> None:
    planned.write("planner.toml", SETTINGS.replace(old, new))
    for command in ("check", "report"):
        result = planned.run(command, DAY)
        assert result.exit_code == ExitCode.REFUSED
        assert shown in result.stderr
        assert "24 slots of 60 min from 2026-11-22T00:00:00+00:00 (UTC)" in (
            result.stderr
        )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ("2026-11-30",),
            ExitCode.REFUSED,
            "no such file; run planner solve --date 2026-11-30 to make a plan",
        ),
        (("elsewhere.parquet",), ExitCode.REFUSED, "elsewhere.parquet: no such file"),
        (("inputs/jobs.yaml",), ExitCode.REFUSED, "not a Parquet file"),
        (("outputs",), ExitCode.REFUSED, "not a regular file"),
        (("yesterday",), ExitCode.USAGE, "'PLAN'"),
    ],
)
def test_what_is_no_plan_is_told_apart(
    planned: Folder, words: tuple[str, ...], code: ExitCode, said: str
) -> None:
    result = planned.run("check", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == ""
