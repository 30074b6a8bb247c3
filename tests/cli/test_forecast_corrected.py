"""A provider within another: what ``blend`` corrects is asked as if it stood alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.drivers_live import BY_NAME
from tests.replay_generation import measured_at
from tests.replay_measured import remembering
from tests.replay_servers import ReplayServer, serving
from tests.replay_services import GRID, NOW, steps

SERVICE = BY_NAME["electricity_maps"]


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with serving(remembering(SERVICE, NOW)) as one:
        yield one


@pytest.fixture
def root(tmp_path: Path, server: ReplayServer) -> Path:
    first = NOW - timedelta(days=20)
    rows = [f"here,{t.isoformat()},{measured_at(t)}" for t in steps(first, NOW, 60)]
    text = "\n".join(["region,start,g_per_kwh", *rows])
    (tmp_path / "history.csv").write_text(text)
    (tmp_path / "planner.toml").write_text(f"""
[regions.here]
zone = "aws:eu-central-1"

[forecasts.carbon]
provider = "blend"
history = "history.csv"
source = {{ provider = "electricity_maps", base_url = "{server.url}" }}
fallback = ["electricity_maps", "typical"]
base_url = "{server.url}"
""")
    return tmp_path


def ran(root: Path, *words: str, hours: int = 0) -> Result:
    now = NOW + timedelta(hours=hours)
    app = App(clock=lambda: now, environment=SERVICE.environment)
    return CliRunner().invoke(main, ["-C", str(root), *words], obj=app)


def plain(result: Result) -> Any:
    return json.loads(result.stdout)


def test_source_of_a_blend_is_asked_about_a_cloud_region_in_its_own_words(
    root: Path, server: ReplayServer
) -> None:
    result = ran(root, "forecast", "show", "--date", str(GRID.date))
    assert result.exit_code == ExitCode.DONE, result.output
    assert [seen.query["zone"] for seen in server.seen] == ["DE"]


def test_fetch_asks_the_source_of_a_blend_once(root: Path) -> None:
    result = ran(root, "forecast", "fetch", "--past", "3d", "--json")
    assert result.exit_code == ExitCode.DONE, result.output
    assert [one["provider"] for one in plain(result)["fetched"]] == ["electricity_maps"]
    assert [one["provider"] for one in plain(result)["measured"]] == [
        "electricity_maps"
    ]


def test_source_is_not_asked_for_the_past_that_the_blend_has_itself(
    root: Path, server: ReplayServer
) -> None:
    server.answer_with(remembering(SERVICE, NOW + timedelta(hours=8)))
    ran(root, "forecast", "show", "--date", str(GRID.date), hours=8)
    assert server.seen
    assert all(seen.path.endswith("/forecast") for seen in server.seen)


def test_unknown_provider_of_a_history_is_wrong_usage(root: Path) -> None:
    result = ran(root, "forecast", "history", "--provider", "electricty_maps")
    assert result.exit_code == ExitCode.USAGE
    assert "did you mean electricity_maps?" in result.stderr


def test_region_of_which_nothing_is_kept_is_named(root: Path) -> None:
    ran(root, "forecast", "fetch")
    result = ran(root, "forecast", "history", "--region", "heer")
    assert "nothing is kept of heer" in result.stderr


def test_folder_of_tables_that_is_taken_for_one_of_issues_says_so(root: Path) -> None:
    (root / "tables").mkdir()
    result = ran(root, "forecast", "score", "--history", "tables")
    assert result.exit_code == ExitCode.REFUSED
    assert "of measured values name the file itself" in result.stderr
