"""``planner forecast fetch --past``: what was measured on past days."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.drivers_live import BY_NAME
from tests.replay_measured import remembering
from tests.replay_servers import ReplayServer, replying, serving
from tests.replay_services import CANARY, GRID

NOON = GRID.start + timedelta(hours=12)
SERVICE = BY_NAME["electricity_maps"]


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with serving(remembering(SERVICE, NOON)) as one:
        yield one


@pytest.fixture
def root(tmp_path: Path, server: ReplayServer) -> Path:
    (tmp_path / "planner.toml").write_text(f"""
[regions.frankfurt]
zone = "aws:eu-central-1"

[forecasts.carbon]
provider = "electricity_maps"
fallback = ["typical"]
base_url = "{server.url}"
""")
    return tmp_path


def ran(root: Path, *words: str) -> Result:
    app = App(clock=lambda: NOON, environment=SERVICE.environment)
    return CliRunner().invoke(main, ["-C", str(root), *words], obj=app)


def test_past_days_are_collected_and_the_file_is_named(root: Path) -> None:
    result = ran(root, "forecast", "fetch", "--past", "30d")
    assert result.exit_code == ExitCode.DONE, result.output
    line = result.stdout.splitlines()[1]
    assert "measured: 732 values, 732 of them new" in line
    assert "outputs/forecasts/measured/electricity_maps.carbon.parquet" in line


def test_past_days_are_told_as_json(root: Path) -> None:
    result = ran(root, "forecast", "fetch", "--past", "2", "--json")
    told = json.loads(result.stdout)
    (one,) = told["measured"]
    assert one["complete"]
    assert one["values"] == one["added"] == 60
    assert "measured" not in json.loads(ran(root, "forecast", "fetch", "--json").stdout)


def test_forecasters_are_scored_by_what_was_collected(root: Path) -> None:
    ran(root, "forecast", "fetch", "--past", "60d")
    history = "outputs/forecasts/measured/electricity_maps.carbon.parquet"
    result = ran(root, "forecast", "score", "--history", history, "--json")
    assert result.exit_code == ExitCode.DONE, result.output
    scores = json.loads(result.stdout)["scores"]
    assert {score["forecaster"] for score in scores} >= {"learned", "yesterday"}
    assert all(score["days"] > 20 for score in scores)


def test_past_that_fails_is_told_by_exit_code_5_and_without_the_key(
    root: Path, server: ReplayServer
) -> None:
    good = remembering(SERVICE, NOON)
    past = replying(401, {"error": f"Request unauthorized for {CANARY}"})
    server.misbehave(
        forever=lambda handler: (
            past(handler)
            if "past-range" in handler.path
            else handler.send(good(handler.server.seen[-1]))
        )
    )
    result = ran(root, "forecast", "fetch", "--past", "30d")
    assert result.exit_code == ExitCode.DEGRADED
    assert "measured values missing" in result.stdout
    assert "Request unauthorized for ***" in result.stdout


@pytest.mark.parametrize("text", ["0", "x", "-3", "401d", "30h", ""])
def test_days_that_are_none_are_wrong_usage(root: Path, text: str) -> None:
    result = ran(root, "forecast", "fetch", "--past", text)
    assert result.exit_code == ExitCode.USAGE
    assert "days from 1d to 400d, such as 30d" in " ".join(result.stderr.split())


def test_workspace_without_a_service_says_so(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text(
        '[regions.here]\nzone = "DE"\n[forecasts.carbon]\nprovider = "typical"\n'
    )
    result = ran(tmp_path, "forecast", "fetch", "--past", "3d")
    assert result.exit_code == ExitCode.DONE
    assert "no provider of [forecasts] asks a service" in result.stderr
