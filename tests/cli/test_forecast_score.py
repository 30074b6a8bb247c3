"""``planner forecast score``: who would have kept how much of the saving."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.factories_forecast import HOUR_US
from tests.factories_past import FIRST, intensity, record_of_days, write_history

N_DAYS = 70
ACTUAL = intensity(N_DAYS)
NOW = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=N_DAYS)
SETTINGS = """
[regions.here]
zone = "XX"
[regions.there]
[forecasts.carbon]
provider = "file"
path = "said.parquet"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "planner.toml").write_text(SETTINGS)
    record = record_of_days(ACTUAL)
    write_history(tmp_path / "history.parquet", record)
    noise = np.random.default_rng(2).normal(0, 8, ACTUAL.shape)
    said = record_of_days(ACTUAL + noise)
    days_us = said.starts_us // (24 * HOUR_US) * 24 * HOUR_US
    said = replace(said, issues_us=days_us - 3 * HOUR_US)
    write_history(tmp_path / "said.parquet", said)
    return tmp_path


def run(root: Path, *words: str, now: datetime = NOW) -> Result:
    app = App(clock=lambda: now, environment={}, directory=root)
    command = ["forecast", "score", "--history", "history.parquet", *words]
    return CliRunner().invoke(main, command, obj=app)


def scores(root: Path, *words: str) -> dict[str, dict[str, Any]]:
    result = run(root, "--region", "here", "--json", *words)
    assert result.exit_code == ExitCode.DONE, result.stderr
    answer = json.loads(result.stdout)
    assert answer["schema"] == 1
    return {score["forecaster"]: score for score in answer["scores"]}


def test_forecasters_are_ranked_by_the_saving_that_is_kept(root: Path) -> None:
    found = scores(root, "--from", "2026-09-10")
    kept = [score["kept"] for score in found.values()]
    assert kept == sorted(kept, reverse=True)
    assert set(found) == {
        "file", "blend of file", "learned", "climatology", "yesterday", "last_week",
    }  # fmt: skip
    assert found["file"]["kept"] > found["learned"]["kept"]
    assert found["learned"]["kept"] > found["yesterday"]["kept"]
    assert {score["days"] for score in found.values()} == {32}


def test_issue_that_came_after_the_lead_is_not_used(root: Path) -> None:
    assert "file" in scores(root, "--lead", "3")
    assert "file" not in scores(root, "--lead", "3.5")


def test_what_is_measured_later_than_now_plays_no_part(root: Path) -> None:
    early = NOW - timedelta(days=20)
    result = run(root, "--region", "here", "--json", now=early)
    before = json.loads(result.stdout)
    poisoned = ACTUAL.copy()
    poisoned[-20:] = 1.0
    write_history(root / "history.parquet", record_of_days(poisoned))
    assert json.loads(run(root, "--region", "here", "--json", now=early).stdout) == (
        before
    )


def test_table_names_region_days_and_a_region_that_cannot_be_scored(
    root: Path,
) -> None:
    result = run(root)
    assert result.exit_code == ExitCode.DONE
    assert result.stdout.startswith("here, ")
    assert "blend of file" in result.stdout
    assert "there: history.parquet has no region 'there'" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--region", "her"), ExitCode.USAGE, "did you mean here?"),
        (("--from", "2026-09-02", "--to", "2026-09-01"), ExitCode.USAGE, "lies before"),
        (("--to", "2020-01-01"), ExitCode.REFUSED, "the history holds 2026-08-03 to"),
        (("--series", "price"), ExitCode.REFUSED, "no table [forecasts.price]"),
    ],
)
def test_wrong_words_are_answered_with_what_is_known(
    root: Path, words: tuple[str, ...], code: ExitCode, message: str
) -> None:
    result = run(root, *words)
    assert result.exit_code == code
    assert message in result.stderr


def test_without_a_history_the_command_says_where_to_name_it(root: Path) -> None:
    app = App(clock=lambda: NOW, environment={}, directory=root)
    result = CliRunner().invoke(main, ["forecast", "score"], obj=app)
    assert result.exit_code == ExitCode.REFUSED
    assert "--history" in result.stderr
