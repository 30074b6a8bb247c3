"""``planner compare``: the policies of one day side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import DAY, SETTINGS, a_workspace


def test_each_policy_has_its_own_figures(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, {"team": "search"})
    result = workspace.run("compare", "--date", DAY, "--solver", "exact", "--json")
    assert result.exit_code == ExitCode.DONE, result.stderr
    found = json.loads(result.stdout)
    by_name = {policy["name"]: policy for policy in found["policies"]}
    assert list(by_name) == ["asap", "threshold", "greedy", "optimal"]
    # 2 kWh × 1.2 at 300 g/kWh at once, at 100 g/kWh from 06:00
    assert by_name["asap"]["emissions_kg"] == pytest.approx(0.72)
    assert by_name["optimal"]["emissions_kg"] == pytest.approx(0.24)
    assert found["plan_policy"] == "optimal"


def test_table_shows_policies_regions_and_teams(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, {"team": "search"})
    result = workspace.run("compare", "--date", DAY, "--solver", "exact")
    for word in ("asap", "threshold", "greedy", "optimal", "north", "south", "search"):
        assert word in result.stdout
    assert "note:" not in result.stdout


def test_policies_asked_for_are_shown_in_the_order_asked_for(tmp_path: Path) -> None:
    words = ("--date", DAY, "--policies", "greedy, asap", "--json")
    found = json.loads(a_workspace(tmp_path).run("compare", *words).stdout)
    assert [policy["name"] for policy in found["policies"]] == ["greedy", "asap"]


def test_one_policy_alone_has_nothing_beside_it(tmp_path: Path) -> None:
    words = ("--date", DAY, "--policies", "asap", "--json")
    found = json.loads(a_workspace(tmp_path).run("compare", *words).stdout)
    assert (found["by_region"], found["by_team"]) == (None, None)


def test_nothing_is_written(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    assert workspace.run("compare", "--date", DAY, "--solver", "greedy").exit_code == 0
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ("asap,fastest", "fastest is not of asap, threshold, greedy, optimal"),
        ("", "nothing is not of"),
        ("asap,greedy,asap", "asap is named twice"),
    ],
)
def test_wrong_policies_are_a_usage_error(
    tmp_path: Path, policies: str, said: str
) -> None:
    result = a_workspace(tmp_path).run("compare", "--date", DAY, "--policies", policies)
    assert result.exit_code == ExitCode.USAGE
    assert said in result.stderr


def test_unknown_solver_is_refused_before_anything_is_compared(tmp_path: Path) -> None:
    words = ("--date", DAY, "--solver", "gredy")
    result = a_workspace(tmp_path).run("compare", *words)
    assert result.exit_code == ExitCode.USAGE
    assert "greedy" in result.stderr
    assert result.stdout == ""


def test_threshold_of_the_settings_is_the_one_that_is_used(tmp_path: Path) -> None:
    found = {}
    for g_per_kwh in (250, 350):
        setting = f"\n[policies]\nthreshold_g_per_kwh = {g_per_kwh}\n"
        workspace = a_workspace(tmp_path / str(g_per_kwh), settings=SETTINGS + setting)
        words = ("--date", DAY, "--policies", "threshold", "--json")
        (policy,) = json.loads(workspace.run("compare", *words).stdout)["policies"]
        found[g_per_kwh] = policy["emissions_kg"]
    # waits for 100 g/kWh at 06:00, or finds the 300 g/kWh of midnight good enough
    assert found == pytest.approx({250: 0.24, 350: 0.72})
