"""``planner export``: a plan for those who have an executor already."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from outputs.plan_file import write_plan
from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.factories_export import placed
from tests.factories_plan import small_plan, unplaced_row
from tests.factories_workspace import DAY, NOW, Folder, a_workspace


@pytest.fixture
def planned(tmp_path: Path) -> Folder:
    """A workspace whose day is planned."""
    workspace = a_workspace(tmp_path, {"id": "a"}, {"id": "b", "on_missed": "skip"})
    result = workspace.run("solve", "--date", DAY, "--solver", "asap")
    assert result.exit_code == ExitCode.DONE, result.stderr
    return workspace


def tasks(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["tasks"]
    return found


def alone(
    folder: Path,
    *words: str,
    now: datetime = NOW,
    environment: dict[str, str] | None = None,
) -> Result:
    """Run ``planner export`` in a folder that is no workspace."""
    app = App(clock=lambda: now, environment=environment or {}, directory=folder)
    return CliRunner().invoke(main, ["export", *words], obj=app)


def plan_file(folder: Path, *rows: dict[str, Any], **meta: Any) -> Path:
    path = folder / "plan.parquet"
    write_plan(small_plan(rows, slot_minutes=15, **meta), path)
    return path


def test_one_file_goes_to_stdout_and_notes_to_stderr(planned: Folder) -> None:
    result = planned.run("export", DAY, "--format", "crontab")
    assert result.exit_code == ExitCode.DONE, result.stderr
    lines = [line for line in result.stdout.splitlines() if not line.startswith("#")]
    assert len(lines) == 2
    assert f"cd {planned.root} || exit 72; " in lines[0]
    assert all(line.startswith("0 ") for line in lines)


def test_several_files_go_to_a_folder_that_must_be_named(planned: Folder) -> None:
    words = ("export", DAY, "--format", "systemd")
    refused = planned.run(*words)
    assert refused.exit_code == ExitCode.USAGE
    assert "name --out FOLDER" in refused.stderr
    result = planned.run(*words, "--out", "units/new")
    assert result.exit_code == ExitCode.DONE, result.stderr
    paths = [Path(line) for line in result.stdout.splitlines()]
    assert {path.parent for path in paths} == {planned.root / "units" / "new"}
    assert sorted(path.suffix for path in paths) == [".service"] * 2 + [".timer"] * 2


def test_what_an_earlier_export_left_behind_is_told(planned: Folder) -> None:
    words = ("export", DAY, "--format", "slurm", "--out", "batch")
    planned.run(*words)
    old = planned.write("batch/planner-20261122-gone-0-aaaaaaaa.sbatch", "")
    planned.write("batch/mine.sbatch", "")
    result = planned.run(*words)
    assert f"note: {old} is of an earlier export; remove it" in result.stderr
    assert "mine.sbatch" not in result.stderr
    assert old.exists()


def test_keys_are_those_of_the_executor(planned: Folder) -> None:
    words = ("export", DAY, "--format", "slurm", "--json")
    before = planned.run(*words)
    assert "there is no ledger here" in before.stderr
    early = datetime(2026, 11, 21, 23, tzinfo=UTC)
    plan = f"outputs/plans/plan-{DAY}.parquet"
    executed = planned.run("execute", "--once", "--plan", plan, now=early)
    assert executed.exit_code == ExitCode.DONE, executed.stderr
    result = planned.run(*words)
    assert result.stderr == ""
    status = json.loads(planned.run("status", DAY, "--json").stdout)
    by_executor = {row["job_id"]: row["key"] for row in status["jobs"]}
    assert {task["job_id"]: task["key"] for task in tasks(result)} == by_executor
    assert {task["key"] for task in tasks(before)}.isdisjoint(by_executor.values())
    files = json.loads(result.stdout)["files"]
    for key in by_executor.values():
        assert any(f"export PLANNER_KEY={key}\n" in file["text"] for file in files)


def test_a_plan_file_alone_is_enough(tmp_path: Path) -> None:
    path = plan_file(tmp_path, placed("a", 3, ["true"]))
    result = alone(tmp_path, path.name, "--format", "crontab")
    assert result.exit_code == ExitCode.DONE, result.stderr
    assert "\n0 3 22 11 * [" in result.stdout
    assert " || exit 72" not in result.stdout
    assert "PLANNER_KEY is not the executor's" in result.stdout
    placed_in = alone(tmp_path, path.name, "--format", "crontab", "--directory", "x y")
    assert f"cd '{tmp_path}/x y' || exit 72" in placed_in.stdout


def test_unplaced_rows_are_left_out_and_told(tmp_path: Path) -> None:
    rows = (placed("a", 3, ["true"]), unplaced_row("z"))
    path = plan_file(tmp_path, *rows, unplaced=1)
    result = alone(tmp_path, path.name, "--format", "crontab", "--json")
    assert result.exit_code == ExitCode.UNPLACED
    reason = "unplaced: window too short"
    assert f"note: left out z, segment 0: {reason}" in result.stderr
    left = {"job_id": "z", "segment": 0, "reason": reason}
    assert json.loads(result.stdout)["left_out"] == [left]
    assert [task["job_id"] for task in tasks(result)] == ["a"]


def test_rows_that_a_format_cannot_hold_are_left_out_and_told(tmp_path: Path) -> None:
    path = plan_file(
        tmp_path,
        placed("image", 3, [], image="etl:1"),
        placed("long", 3, ["echo", "x" * 1000]),
        placed("nul", 3, ["echo", "a\0b"]),
    )
    result = alone(tmp_path, path.name, "--format", "crontab", "--out", "c")
    assert result.exit_code == ExitCode.NOTHING_PLANNED
    assert "left out image, segment 0: it has no command, only an image" in (
        result.stderr
    )
    assert "left out long, segment 0: 1" in result.stderr
    assert "left out nul, segment 0: a command or variable holds NUL" in result.stderr
    assert "nothing of the plan can be exported" in result.stderr
    assert not (tmp_path / "c").exists()
    images = alone(tmp_path, path.name, "--format", "kubernetes", "--json")
    assert images.exit_code == ExitCode.UNPLACED
    assert [task["job_id"] for task in tasks(images)] == ["image"]


def test_one_region_alone_is_exported(tmp_path: Path) -> None:
    rows = (placed("a", 3, ["x"]), placed("b", 4, ["x"], region="south"))
    path = plan_file(tmp_path, *rows)
    words = (path.name, "--format", "airflow", "--json", "--region")
    result = alone(tmp_path, *words, "south")
    assert result.exit_code == ExitCode.DONE
    assert [task["job_id"] for task in tasks(result)] == ["b"]
    refused = alone(tmp_path, *words, "mars")
    assert refused.exit_code == ExitCode.REFUSED
    assert 'nothing in region "mars"; its regions: north, south' in refused.stderr


def test_damaged_unsigned_and_past_plans_are_refused(tmp_path: Path) -> None:
    path = plan_file(tmp_path, placed("a", 3, ["true"]))
    words = (path.name, "--format", "crontab", "--out", "c")
    unsigned = alone(tmp_path, *words, environment={"PLANNER_SIGNING_KEY": "k" * 32})
    assert unsigned.exit_code == ExitCode.REFUSED
    assert "is not signed" in unsigned.stderr
    past = alone(tmp_path, *words, now=datetime(2026, 11, 23, tzinfo=UTC))
    assert past.exit_code == ExitCode.REFUSED
    assert "ended at" in past.stderr
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    damaged = alone(tmp_path, *words)
    assert damaged.exit_code == ExitCode.REFUSED
    assert path.name in damaged.stderr
    assert not (tmp_path / "c").exists()


def test_tasks_that_are_too_late_already_are_told(tmp_path: Path) -> None:
    rows = (placed("a", 3, ["x"], on_missed="skip"), placed("b", 4, ["x"]))
    path = plan_file(tmp_path, *rows)
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    result = alone(tmp_path, path.name, "--format", "crontab", now=now)
    assert "note: 1 of 2 may not begin any more: too late" in result.stderr


def test_files_that_run_the_executor_need_no_plan(planned: Folder) -> None:
    words = ("export", "--format", "executor-systemd", "--out", "units")
    result = planned.run(*words)
    assert result.exit_code == ExitCode.DONE, result.stderr
    names = sorted(Path(line).name for line in result.stdout.splitlines())
    assert names == [
        *("planner-execute.service", "planner-execute.timer"),
        *("planner-solve.service", "planner-solve.timer"),
    ]
    lines = planned.run("export", "--format", "executor-crontab").stdout
    assert f"cd {planned.root} && " in lines


def test_outside_a_workspace_a_date_means_nothing(tmp_path: Path) -> None:
    result = alone(tmp_path, "tomorrow", "--format", "crontab")
    assert result.exit_code == ExitCode.REFUSED
    assert "expected a workspace" in result.stderr
