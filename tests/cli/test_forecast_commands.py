"""``planner forecast fetch``, ``history`` and ``regions``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inputs.cloud_regions import cloud_regions
from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.drivers_live import BY_NAME
from tests.replay_servers import ReplayServer, replying, serving
from tests.replay_services import CANARY, NOW

HOUR = timedelta(hours=1)
FIRST, SECOND = "electricity_maps", "energy_charts"
ENVIRONMENT = BY_NAME[FIRST].environment


@pytest.fixture
def servers() -> Iterator[dict[str, ReplayServer]]:
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(serving(BY_NAME[name].answer()))
            for name in (FIRST, SECOND)
        }


@pytest.fixture
def root(tmp_path: Path, servers: dict[str, ReplayServer]) -> Path:
    (tmp_path / "planner.toml").write_text(f"""
[regions.frankfurt]
zone = "aws:eu-central-1"

[regions.stockholm]
zone = "SE-SE3"

[forecasts.carbon]
provider = "{FIRST}"
fallback = ["{SECOND}", "typical"]
total_limit = "1s"

[forecasts.carbon.{FIRST}]
base_url = "{servers[FIRST].url}"

[forecasts.carbon.{SECOND}]
base_url = "{servers[SECOND].url}"
zones = {{ stockholm = "SE" }}
""")
    return tmp_path


def run(root: Path, *words: str, now: datetime = NOW) -> Result:
    app = App(clock=lambda: now, environment=ENVIRONMENT, directory=root)
    return CliRunner().invoke(main, ["forecast", *words], obj=app)


def told(root: Path, *words: str, now: datetime = NOW, code: int = 0) -> Any:
    result = run(root, *words, "--json", now=now)
    assert result.exit_code == code, result.stderr
    return json.loads(result.stdout)


def test_fetch_asks_every_live_provider_about_every_region(
    root: Path, servers: dict[str, ReplayServer]
) -> None:
    fetched = told(root, "fetch")["fetched"]
    assert [(f["provider"], f["region"], f["fetched"]) for f in fetched] == [
        (FIRST, "frankfurt", True),
        (FIRST, "stockholm", True),
        (SECOND, "frankfurt", True),
        (SECOND, "stockholm", True),
    ]
    assert {f["series"] for f in fetched} == {"carbon"}
    assert [seen.query["zone"] for seen in servers[FIRST].seen] == ["DE", "SE-SE3"]
    assert [seen.query["country"] for seen in servers[SECOND].seen] == ["de", "se"]
    one = fetched[0]
    assert one["values"] == 49
    assert one["start"] == NOW.isoformat()
    assert datetime.fromisoformat(one["end"]) - NOW == 49 * HOUR


def test_fetched_issues_are_in_the_history_and_each_once(
    root: Path, servers: dict[str, ReplayServer]
) -> None:
    told(root, "fetch")
    told(root, "fetch", now=NOW + timedelta(minutes=5))
    assert len(servers[FIRST].seen) == 2  # what is minutes old is not asked again
    later = NOW + 3 * HOUR
    for name, server in servers.items():
        server.answer_with(BY_NAME[name].answer(issued=later, scale=1.1))
    told(root, "fetch", now=later)
    held = told(root, "history")["history"]
    assert [(h["provider"], h["zone"], h["regions"], h["issues"]) for h in held] == [
        (FIRST, "DE", ["frankfurt"], 2),
        (FIRST, "SE-SE3", ["stockholm"], 2),
        (SECOND, "DE", ["frankfurt"], 2),
        (SECOND, "SE", ["stockholm"], 2),
    ]
    one = held[0]
    assert one["first_issued_at"] == NOW.isoformat()
    assert one["last_issued_at"] == one["last_fetched_at"] == later.isoformat()
    assert one["start"] == NOW.isoformat()
    assert one["size_bytes"] == sum(
        path.stat().st_size
        for path in (root / "outputs").rglob(f"{FIRST}/DE/*.parquet")
    )


@pytest.mark.parametrize(
    ("words", "issues"),
    [
        (("--series", "carbon"), 4),
        (("--series", "price"), 0),
        (("--provider", SECOND), 2),
        (("--region", "stockholm"), 2),
        (("--region", "DE"), 2),
        (("--region", "SE-SE3"), 1),
        (("--provider", SECOND, "--region", "SE"), 1),
        (("--region", "nowhere"), 0),
    ],
)
def test_history_is_filtered(root: Path, words: tuple[str, ...], issues: int) -> None:
    told(root, "fetch")
    held = told(root, "history", *words)["history"]
    assert sum(h["issues"] for h in held) == issues


def test_service_that_fails_is_missing_and_the_others_are_kept(
    root: Path, servers: dict[str, ReplayServer]
) -> None:
    servers[FIRST].misbehave(forever=replying(401, {"error": f"bad {CANARY}"}))
    found = told(root, "fetch", code=ExitCode.DEGRADED)["fetched"]
    missing = [f for f in found if not f["fetched"]]
    assert [f["provider"] for f in missing] == [FIRST, FIRST]
    assert "HTTP 401" in missing[0]["failure"]
    assert CANARY not in json.dumps(found)
    assert {h["provider"] for h in told(root, "history")["history"]} == {SECOND}


def test_last_good_answer_that_stands_in_counts_as_missing(
    root: Path, servers: dict[str, ReplayServer]
) -> None:
    told(root, "fetch")
    servers[SECOND].misbehave(forever=replying(404))
    found = told(root, "fetch", now=NOW + 2 * HOUR, code=ExitCode.DEGRADED)["fetched"]
    assert [f["fetched"] for f in found] == [True, True, False, False]
    assert "stands in" in found[2]["failure"]
    assert told(root, "history", "--provider", SECOND)["history"][0]["issues"] == 1


def test_lines_for_people_name_who_was_asked_and_what_is_kept(
    root: Path, servers: dict[str, ReplayServer]
) -> None:
    servers[SECOND].misbehave(forever=replying(404))
    lines = run(root, "fetch").stdout.splitlines()
    assert lines[0].split()[:5] == ["carbon", "frankfurt", FIRST, "49", "values,"]
    assert "missing:" in lines[2]
    (line, _) = run(root, "history").stdout.splitlines()
    assert "1 issues, 2026-11-21 18:00Z to 2026-11-21 18:00Z, about" in line


def test_workspace_without_live_providers_and_history_says_so(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text("[regions.here]\nzone = 'DE'\n")
    assert "no provider of [forecasts] asks a service" in run(tmp_path, "fetch").stderr
    assert "forecast fetch` begins" in run(tmp_path, "history").stderr


def test_damaged_issue_is_named_and_left_out(root: Path) -> None:
    told(root, "fetch")
    (path, *_) = sorted((root / "outputs" / "forecasts").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-20])
    found = told(root, "history", code=ExitCode.DEGRADED)
    assert found["unreadable"] == [str(path)]
    assert len(found["history"]) == 3


def test_regions_are_found_by_words_without_a_workspace(tmp_path: Path) -> None:
    found = told(tmp_path, "regions", "stockholm", "aws")["regions"]
    assert [row["cloud_region"] for row in found] == ["aws:eu-north-1"]
    assert found[0]["zones"]["electricity_maps"] == "SE-SE3"
    assert (found[0]["pue"], found[0]["pue_from"]) == (1.1, "AWS 2024")
    assert len(told(tmp_path, "regions")["regions"]) == len(cloud_regions())
    assert "no such region" in run(tmp_path, "regions", "atlantis").stderr


@pytest.mark.parametrize(
    ("provider", "every"),
    [
        ("gcp", lambda row: row["cloud_region"].startswith("gcp:")),
        ("watttime", lambda row: "watttime" in row["zones"]),
        ("uk_carbon_intensity", lambda row: row["zones"]["electricity_maps"] == "GB"),
    ],
)
def test_regions_of_a_cloud_or_of_a_forecast_provider(
    tmp_path: Path, provider: str, every: Any
) -> None:
    found = told(tmp_path, "regions", "--provider", provider)["regions"]
    assert found
    assert all(every(row) for row in found)


def test_unknown_provider_of_regions_is_wrong_usage(tmp_path: Path) -> None:
    result = run(tmp_path, "regions", "--provider", "gpc")
    assert result.exit_code == ExitCode.USAGE
    assert "did you mean gcp" in result.stderr


def test_regions_show_what_the_workspace_changes(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text(
        '[regions.a]\n[cloud_regions."aws:eu-north-1"]\npue = 1.3\n'
    )
    (row,) = told(tmp_path, "regions", "aws:eu-north-1")["regions"]
    assert (row["pue"], row["pue_from"]) == (1.3, "planner.toml")
    assert "PUE 1.3 (planner.toml)" in run(tmp_path, "regions", "stockholm").stdout
