"""``planner report``: three files for each plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import DAY, SETTINGS, Folder, a_workspace, jobs_yaml


@pytest.fixture
def planned(tmp_path: Path) -> Folder:
    """A workspace whose day is planned by the greedy rule."""
    workspace = a_workspace(tmp_path, {"id": "a"}, {"id": "b", "duration": "3h"})
    result = workspace.run("solve", "--date", DAY, "--solver", "greedy")
    assert result.exit_code == ExitCode.DONE, result.stderr
    return workspace


def test_three_files_are_written_and_named(planned: Folder) -> None:
    result = planned.run("report", DAY)
    assert result.exit_code == ExitCode.DONE
    files = [Path(line) for line in result.stdout.split()]
    assert [file.suffix for file in files] == [".html", ".md", ".json"]
    assert {file.parent for file in files} == {planned.root / "outputs" / "reports"}
    assert all(file.stat().st_size for file in files)
    assert result.stderr == ""


def test_report_states_what_the_plan_states(planned: Folder) -> None:
    words = ("solve", "--date", DAY, "--solver", "greedy", "--json")
    plan = json.loads(planned.run(*words).stdout)
    page, _, document = planned.run("report", DAY).stdout.split()
    found = json.loads(Path(document).read_text())
    assert plan["plan_id"] in json.dumps(found)
    emissions = {policy["name"]: policy["emissions_kg"] for policy in found["policies"]}
    assert emissions["greedy"] == pytest.approx(plan["emissions_kg"])
    assert emissions["asap"] == pytest.approx(plan["policies"]["asap"]["emissions_kg"])
    assert plan["plan_id"] in Path(page).read_text()


def test_plans_are_meant_by_path_and_by_date(planned: Folder) -> None:
    path = f"outputs/plans/plan-{DAY}.parquet"
    result = planned.run("report", path, DAY, "--out", "mine", "--json")
    reports = json.loads(result.stdout)["reports"]
    assert reports[0] == reports[1]
    assert Path(reports[0]["html"]).parent == planned.root / "mine"
    assert not (planned.root / "outputs" / "reports").exists()


def test_inputs_that_changed_are_noted(planned: Folder) -> None:
    planned.write(
        "inputs/jobs.yaml", jobs_yaml({"id": "a"}, {"id": "b", "duration": "4h"})
    )
    result = planned.run("report", DAY)
    assert result.exit_code == ExitCode.DONE
    assert "inputs/jobs.yaml has changed since the plan was made" in result.stderr
    page = Path(result.stdout.split()[0]).read_text()
    assert "inputs/jobs.yaml has changed since the plan was made" in page


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("inputs/jobs.yaml", jobs_yaml({"id": "a"}), 'job "b"'),
        ("inputs/jobs.yaml", jobs_yaml({"id": "a"}, {"id": "b"}, {"id": "c"}), '"c"'),
        ("inputs/jobs.yaml", "jobs: [", 'job "a"'),
        ("planner.toml", SETTINGS.replace("north", "nord"), 'region "north"'),
    ],
)
def test_plan_of_other_jobs_or_regions_is_not_reported_as_if_it_were_theirs(
    planned: Folder, name: str, text: str, said: str
) -> None:
    planned.write(name, text)
    result = planned.run("report", DAY)
    assert result.exit_code == ExitCode.REFUSED
    assert said in result.stderr
    assert "planner check" in result.stderr
    assert not (planned.root / "outputs" / "reports").exists()


def test_report_without_a_plan_is_a_usage_error(planned: Folder) -> None:
    assert planned.run("report").exit_code == ExitCode.USAGE


def test_folder_that_cannot_be_made_is_told_without_a_call_for_help(
    planned: Folder,
) -> None:
    result = planned.run("report", DAY, "--out", "planner.toml/below")
    assert result.exit_code == ExitCode.REFUSED
    assert "the report cannot be written: Not a directory" in result.stderr
    assert "report it" not in result.stderr


def test_damaged_plan_is_not_reported(planned: Folder) -> None:
    plan = planned.root / f"outputs/plans/plan-{DAY}.parquet"
    plan.write_bytes(plan.read_bytes()[:-20])
    result = planned.run("report", DAY)
    assert result.exit_code == ExitCode.REFUSED
    assert "cut short" in result.stderr
