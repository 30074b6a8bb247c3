import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outputs.plan_file import read_plan
from outputs.storage import exclusive_lock
from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import (
    DAY,
    SETTINGS,
    a_workspace,
    carbon_csv,
    jobs_yaml,
)

SOLVE_KEYS = {
    "plan", "plan_id", "date", "status", "solver", "jobs", "placed", "unplaced",
    "objective", "bound", "gap", "emissions_kg", "policies", "savings_percent",
    "degraded", "warnings", "seconds",
}  # fmt: skip


def test_a_day_is_planned_into_its_cleanest_hours(tmp_path):
    workspace = a_workspace(tmp_path)
    result = workspace.run("solve", "--date", DAY, "--solver", "exact", "--json")
    assert result.exit_code == ExitCode.DONE, result.stderr
    found = json.loads(result.stdout)
    assert found.keys() >= SOLVE_KEYS
    assert found["status"] == "optimal"
    # 2 h × 1 kW × 1.2 at 100 g/kWh, from 06:00 in the north
    assert found["emissions_kg"] == pytest.approx(0.24)
    assert found["bound"] == pytest.approx(0.24)
    # at once: 00:00 in the north at 300 g/kWh
    assert found["policies"]["asap"]["emissions_kg"] == pytest.approx(0.72)
    assert found["savings_percent"]["vs_asap"] == pytest.approx(200 / 3)
    plan = read_plan(Path(found["plan"]))
    assert plan.rows["start"][0].as_py() == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert plan.rows["end"][0].as_py() == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert plan.rows["baseline_start"][0].as_py() == datetime(2026, 11, 22, tzinfo=UTC)
    assert plan.meta.plan_id == found["plan_id"]


def test_every_stage_is_timed(tmp_path):
    workspace = a_workspace(tmp_path)
    run = workspace.run("solve", "--date", DAY, "--solver", "greedy", "--json")
    found = json.loads(run.stdout)
    stages = ("load", "forecast", "formulate", "solve", "check", "write")
    assert tuple(found["seconds"]) == stages
    assert all(found["seconds"][stage] > 0 for stage in stages)
    written = read_plan(Path(found["plan"])).meta.seconds
    assert written == {**found["seconds"], "write": 0.0}


def test_tomorrow_is_counted_in_the_zone_of_the_workspace(tmp_path):
    east = SETTINGS.replace('"UTC"', '"Asia/Tokyo"')
    both = carbon_csv(DAY, "2026-11-23")
    workspace = a_workspace(tmp_path, settings=east, carbon=both)
    found = json.loads(workspace.run("solve", "--solver", "greedy", "--json").stdout)
    # 22:30 UTC on the 21st is the 22nd in Tokyo already
    assert found["date"] == "2026-11-23"


def test_a_job_that_does_not_fit_is_reported_and_the_others_are_planned(tmp_path):
    workspace = a_workspace(
        tmp_path, {"id": "fits"}, {"id": "wide", "resources": "{ cpu: 99 }"}
    )
    result = workspace.run("solve", "--date", DAY, "--solver", "exact", "--json")
    assert result.exit_code == ExitCode.UNPLACED
    found = json.loads(result.stdout)
    assert (found["placed"], found["unplaced"], found["status"]) == (1, 1, "partial")
    rows = read_plan(Path(found["plan"])).rows.to_pylist()
    assert [row["status"] for row in rows] == ["planned", "unplaced"]
    assert found["unplaced_jobs"] == [{"job_id": "wide", "reason": rows[1]["reason"]}]
    assert "cpu 99 of at most 4 in north" in rows[1]["reason"]
    assert "cpu 99 of at most 2 in south" in rows[1]["reason"]


def test_nothing_placed_at_all_has_an_exit_code_of_its_own(tmp_path):
    workspace = a_workspace(tmp_path, {"deadline": '"01:00"'})
    result = workspace.run("solve", "--date", DAY, "--json")
    assert result.exit_code == ExitCode.NOTHING_PLANNED
    assert json.loads(result.stdout)["status"] == "infeasible"


def test_in_12_a_broken_manifest_leaves_the_others_planned(tmp_path):
    workspace = a_workspace(tmp_path)
    workspace.write("inputs/other.yaml", jobs_yaml({"id": "x", "dedline": '"06:00"'}))
    result = workspace.run("solve", "--date", DAY, "--solver", "exact", "--json")
    assert result.exit_code == ExitCode.DEGRADED
    found = json.loads(result.stdout)
    assert (found["jobs"], found["degraded"]) == (1, True)
    assert any("other.yaml" in warning for warning in found["warnings"])
    assert any("deadline" in warning for warning in found["warnings"])


def test_no_readable_manifest_at_all_is_refused(tmp_path):
    workspace = a_workspace(tmp_path)
    workspace.write("inputs/jobs.yaml", "jobs: [")
    result = workspace.run("solve", "--date", DAY)
    assert result.exit_code == ExitCode.REFUSED
    assert "jobs.yaml" in result.stderr
    assert not list(tmp_path.glob("outputs/plans/*.parquet"))


def test_in_14_a_day_without_jobs_has_an_empty_plan_and_says_so(tmp_path):
    workspace = a_workspace(tmp_path)
    workspace.write("inputs/jobs.yaml", "jobs: []\n")
    result = workspace.run("solve", "--date", DAY, "--json")
    found = json.loads(result.stdout)
    assert found["jobs"] == 0
    assert any("no jobs" in warning for warning in found["warnings"])
    assert read_plan(Path(found["plan"])).rows.num_rows == 0


def test_in_14_far_fewer_jobs_than_before_are_pointed_out(tmp_path):
    before = a_workspace(tmp_path, *({"id": f"j{n}"} for n in range(5)))
    assert before.run("solve", "--date", DAY, "--solver", "greedy").exit_code == 0
    next_day = carbon_csv("2026-11-23")
    after = a_workspace(tmp_path, {"id": "j0"}, carbon=next_day)
    result = after.run("solve", "--date", "2026-11-23", "--solver", "greedy")
    assert "only 1 job; the newest earlier plan had 5" in result.stderr


def test_another_planner_at_work_is_left_alone(tmp_path):
    workspace = a_workspace(tmp_path)
    (tmp_path / "outputs").mkdir()
    with exclusive_lock(tmp_path / "outputs"):
        result = workspace.run("solve", "--date", DAY)
    assert result.exit_code == ExitCode.LOCKED


def test_an_earlier_version_of_a_plan_is_kept_beside_the_new_one(tmp_path):
    workspace = a_workspace(tmp_path)
    for _ in range(2):
        assert workspace.run("solve", "--date", DAY, "--solver", "asap").exit_code == 0
    plans = tmp_path / "outputs" / "plans"
    newest = read_plan(plans / f"plan-{DAY}.parquet")
    first = read_plan(plans / f"plan-{DAY}.1.parquet")
    assert (first.meta.serial, newest.meta.serial) == (1, 2)


def test_a_plan_can_be_written_to_a_file_of_ones_own(tmp_path):
    workspace = a_workspace(tmp_path)
    result = workspace.run("solve", "--date", DAY, "--out", "mine.parquet")
    assert result.exit_code == 0, result.stderr
    assert read_plan(tmp_path / "mine.parquet").rows.num_rows == 1


def test_so_07_the_same_inputs_give_the_same_rows_in_any_order_of_jobs(tmp_path):
    jobs = [{"id": f"j{n}", "duration": f"{n + 1}h"} for n in range(6)]
    rows = []
    for number, order in enumerate([jobs, jobs[::-1], jobs[3:] + jobs[:3]]):
        workspace = a_workspace(tmp_path / str(number), *order)
        result = workspace.run("solve", "--date", DAY, "--solver", "exact", "--json")
        rows.append(read_plan(Path(json.loads(result.stdout)["plan"])).rows)
    assert rows[0].equals(rows[1])
    assert rows[0].equals(rows[2])


def test_work_of_an_earlier_plan_goes_first(tmp_path):
    long = {"id": "long", "duration": "8h", "resources": "{ cpu: 4 }"}
    late = {**long, "earliest": '"20:00"', "deadline": '"2026-11-23T06:00+00:00"'}
    settings = SETTINGS.replace(
        "slot_minutes = 60", "slot_minutes = 60\nhorizon_hours = 48"
    )
    two_days = carbon_csv(DAY, "2026-11-23")
    workspace = a_workspace(tmp_path, late, settings=settings, carbon=two_days)
    first = workspace.run("solve", "--date", DAY, "--solver", "asap", "--json")
    assert first.exit_code == 0, first.stderr
    next_two = carbon_csv("2026-11-23", "2026-11-24")
    workspace = a_workspace(tmp_path, long, settings=settings, carbon=next_two)
    second = workspace.run(
        "solve", "--date", "2026-11-23", "--solver", "asap", "--json"
    )
    found = json.loads(second.stdout)
    plan = read_plan(Path(found["plan"]))
    # the earlier run holds all of the north until 04:00
    assert plan.rows["start"][0].as_py() == datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert plan.meta.carry_over == json.loads(first.stdout)["plan_id"]
    assert workspace.run("check", "2026-11-23").exit_code == 0


@pytest.mark.parametrize(
    "words", [("--date", "yesterday"), ("--gap", "2"), ("--sover", "x")]
)
def test_wrong_words_are_a_usage_error(tmp_path, words):
    assert a_workspace(tmp_path).run("solve", *words).exit_code == ExitCode.USAGE


def test_an_unknown_solver_names_the_nearest_one(tmp_path):
    result = a_workspace(tmp_path).run("solve", "--date", DAY, "--solver", "gredy")
    assert result.exit_code == ExitCode.USAGE
    assert "greedy" in result.stderr


def test_a_folder_without_a_workspace_says_what_to_do(tmp_path):
    workspace = a_workspace(tmp_path)
    (tmp_path / "planner.toml").unlink()
    result = workspace.run("solve")
    assert result.exit_code == ExitCode.REFUSED
    assert "planner init" in result.stderr


def test_the_table_goes_to_stdout_and_messages_to_stderr(tmp_path):
    result = a_workspace(tmp_path).run("solve", "--date", DAY, "--solver", "exact")
    for word in ("asap", "threshold", "greedy", "optimal", "planned saving"):
        assert word in result.stdout
    assert "saved" not in result.stdout
    assert "note:" not in result.stdout


def test_every_problem_of_a_broken_manifest_is_told(tmp_path):
    workspace = a_workspace(tmp_path)
    broken = [{"id": f"j{i}", "durration": "1h"} for i in range(102)]
    workspace.write("inputs/other.yaml", jobs_yaml(*broken))
    result = workspace.run("solve", "--date", DAY, "--solver", "greedy")
    assert result.exit_code == ExitCode.DEGRADED
    assert "note: left out a manifest: inputs/other.yaml:" in result.stderr
    assert 'also inputs/other.yaml:25, job "j3", durration' in result.stderr
    assert 'job "j99", durration' in result.stderr
    assert "note: and 2 more problems in inputs/other.yaml" in result.stderr


def test_plain_path_to_no_manifest_says_so(tmp_path):
    settings = SETTINGS.replace('"inputs/*"', '"inputs/jobs.yaml", "own.yaml"')
    workspace = a_workspace(tmp_path, settings=settings)
    result = workspace.run("solve", "--date", DAY, "--solver", "greedy")
    assert result.exit_code == ExitCode.DEGRADED
    assert "own.yaml: found no such file, expected a file that" in result.stderr


@pytest.mark.parametrize("command", ["check", "report", "status"])
def test_date_without_a_plan_names_the_newest_that_has_one(tmp_path, command):
    workspace = a_workspace(tmp_path)
    workspace.run("solve", "--date", DAY, "--solver", "greedy")
    result = workspace.run(command, "2026-11-25")
    assert result.exit_code == ExitCode.REFUSED
    assert f"there is no plan of 2026-11-25; the newest is of {DAY}" in result.stderr


def test_a_date_out_of_range_is_wrong_usage_not_a_fault_of_ours(tmp_path):
    result = a_workspace(tmp_path).run("solve", "--date", "9999-12-31")
    assert result.exit_code == ExitCode.USAGE
    assert "'--date': date 9999-12-31 is not in 1970" in result.stderr


def test_a_plan_of_a_day_that_is_over_says_that_nothing_will_follow_it(tmp_path):
    workspace = a_workspace(tmp_path)
    late = datetime(2026, 11, 23, tzinfo=UTC)
    result = workspace.run("solve", "--date", DAY, "--solver", "greedy", now=late)
    assert result.exit_code == ExitCode.DONE
    assert f"note: {DAY} is over: " in result.stderr


def test_who_is_without_a_place_and_why_is_told_at_once(tmp_path):
    long = {"id": "long", "duration": "30h"}
    workspace = a_workspace(tmp_path, {}, long)
    result = workspace.run("solve", "--date", DAY, "--solver", "greedy")
    assert result.exit_code == ExitCode.UNPLACED
    assert "note: long is unplaced: it runs 1800 min" in result.stderr
    status = workspace.run("status", DAY)
    assert "1 planned; 1 unplaced; the next at" in status.stdout


@pytest.mark.parametrize("command", ["solve", "compare", "settle"])
def test_a_date_without_its_option_is_told_where_it_belongs(tmp_path, command):
    result = a_workspace(tmp_path).run(command, DAY)
    assert result.exit_code == ExitCode.USAGE
    assert f"argument ({DAY}); a date is given with --date" in result.stderr
