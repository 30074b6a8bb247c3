"""When exported tasks may begin, what they are called, and what is only a comment."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from outputs.export import FORMATS, Sheet, load
from outputs.export.services import Service, crontab, owner_of, systemd
from outputs.export.yaml_text import dump
from outputs.plan_file import write_plan
from planner.exporting import export_plan
from tests.factories_executor import MADE
from tests.factories_export import (
    LONG_AGO,
    PRINTF,
    READERS,
    cron_commands,
    kubernetes_expands,
    placed,
    sheet_of,
    task_of,
    text_of,
    uncommented,
)
from tests.factories_plan import at, small_plan
from tests.systemd_words import SystemdWords

HOUR = timedelta(hours=1)


def exit_status(script: str | list[str]) -> int:
    words = ["/bin/sh", "-c", script] if isinstance(script, str) else script
    return subprocess.run(words, capture_output=True, check=False).returncode


def guards(sheet: Sheet) -> dict[str, int]:
    """Exit status of what each format does before or instead of the command."""
    (line,) = uncommented(text_of("crontab", sheet))
    (workflow,) = yaml.safe_load(text_of("github-actions", sheet))["jobs"].values()
    job = yaml.safe_load(text_of("kubernetes", sheet))["spec"]["jobTemplate"]
    (first,) = job["spec"]["template"]["spec"]["initContainers"]
    unit = text_of("systemd", sheet, ".service")
    (condition,) = SystemdWords().commands(unit, "ExecCondition")
    return {
        "crontab": exit_status(cron_commands(line).pop()),
        "github-actions": exit_status(workflow["steps"][1]["run"]),
        "kubernetes": exit_status([kubernetes_expands(w) for w in first["command"]]),
        "slurm": exit_status(text_of("slurm", sheet, ".sbatch")),
        "systemd": exit_status(condition),
    }


def test_in_its_time_a_task_runs() -> None:
    assert set(guards(sheet_of(task_of("true"))).values()) == {0}


@pytest.mark.parametrize(
    ("start", "latest_start"),
    [(LONG_AGO, LONG_AGO + HOUR), (at(24 * 365 * 80), at(24 * 365 * 81))],
)
def test_in_another_year_nothing_runs(
    tmp_path: Path, start: object, latest_start: object
) -> None:
    mark = tmp_path / "mark"
    task = task_of("touch", str(mark), start=start, latest_start=latest_start)
    assert guards(sheet_of(task)) == {
        "crontab": 75,
        "github-actions": 75,
        "kubernetes": 75,
        "slurm": 75,
        "systemd": 1,
    }
    assert not mark.exists()


def test_a_task_may_begin_as_late_as_the_executor_would_begin_it(
    tmp_path: Path,
) -> None:
    rows = [
        placed(
            "skip", 3, ["x"], hours=2, on_missed="skip", deadline="2026-11-22T09:00Z"
        ),
        placed("run", 3, ["x"], hours=2, deadline="2026-11-22T09:00+00:00"),
        placed("free", 3, ["x"], hours=2),
        placed("tight", 3, ["x"], hours=2, deadline="2026-11-22T05:00+00:00"),
    ]
    path = tmp_path / "plan.parquet"
    write_plan(small_plan(rows), path)
    sheet = export_plan(path, "airflow", now=MADE, environment={}).sheet
    assert sheet is not None
    assert {task.job_id: task.latest_start for task in sheet.tasks} == {
        "skip": at(3) + timedelta(minutes=2),
        "run": at(7),
        "free": at(22),
        "tight": at(3) + timedelta(minutes=2),
    }


def test_names_are_safe_and_tell_jobs_apart() -> None:
    ids = ["part[0]", "part-0", "part.0-", "../../etc/x", "é" * 9, "x" * 400, "-", ""]
    names = [task_of("x", job_id=job_id).name for job_id in ids]
    assert len(set(names)) == len(ids)
    assert names[0].startswith("planner-20261122-part-0-0-")
    for name in names:
        assert set(name) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
        )
        assert len(name) < 200


@pytest.mark.parametrize("format_name", FORMATS)
def test_se_04_names_of_a_plan_stay_comments(format_name: str) -> None:
    evil = "x\nINJECTED\r\n[Service]\n$(INJECTED) `INJECTED` %h ${{ INJECTED }}"
    task = task_of(PRINTF, "%s\\0", "word", job_id=evil, region=evil, env={})
    sheet = sheet_of(task, plan_id=evil, digest=evil)
    for file in load(format_name).files(sheet):
        lines = file.text.splitlines()
        assert not any(line.strip().startswith("INJECTED") for line in lines)
        assert "[Service]" not in lines[:8]
        assert "/" not in file.name
    assert READERS[format_name](sheet) == [b"word"]


def test_se_04_options_of_sbatch_stay_on_their_line() -> None:
    task = task_of("true", sbatch_options=("--comment=key x\nINJECTED",))
    reason = load("slurm").refusal(sheet_of(task), task)
    assert reason == "an option of sbatch would hold control characters"


def test_every_export_says_what_it_is_of() -> None:
    for format_name in FORMATS:
        for file in load(format_name).files(sheet_of(task_of("true"))):
            head = [line for line in file.text.splitlines() if line.startswith("#")]
            said = "\n".join(head)
            assert f"# Plan 2026-11-22-1 of 2026-11-22, digest {'0' * 64}" in said
            assert "# Exported by planner 0.1.0; times are UTC." in said
            assert "Do not let `planner execute` dispatch this plan" in said


def test_time_limits_are_exported() -> None:
    sheet = sheet_of(task_of("sleep", "60", timeout_s=0.5))
    (line,) = uncommented(text_of("crontab", sheet))
    assert exit_status(cron_commands(line).pop()) == 124
    assert "RuntimeMaxSec=1" in text_of("systemd", sheet, ".service")
    assert "timeout-minutes: 6" in text_of("github-actions", sheet)
    assert "'timeout_s': 1}" in text_of("airflow", sheet)


def test_no_unit_of_the_executor_runs_as_root_unasked(tmp_path: Path) -> None:
    assert owner_of(Path("/")) is None
    assert owner_of(tmp_path / "gone") is None
    service = Service(program=Path("/p"), workspace=Path("/"), timezone="UTC")
    for file in systemd(service):
        assert "\nUser=" not in file.text
        assert file.name.endswith(".timer") or "# Name a User= here." in file.text


def test_lines_of_cron_run_planner_in_a_workspace_without_outputs(
    tmp_path: Path,
) -> None:
    program = tmp_path / "planner"
    program.write_text("#!/bin/sh\necho called with $1\n")
    program.chmod(0o755)
    workspace = tmp_path / "night"
    workspace.mkdir()
    service = Service(program=program, workspace=workspace, timezone="UTC")
    (file,) = crontab(service)
    for line in uncommented(file.text):
        assert exit_status(cron_commands(line).pop()) == 0
    assert (workspace / "solve.log").read_text() == "called with solve\n"
    assert (workspace / "execute.log").read_text() == "called with execute\n"


def test_yaml_text_is_text_for_every_reader() -> None:
    text = dump(
        [{"a": "y", "b": "on", "c": "1_000", "d": "0o14", "e": "plain", "f": 1}]
    )
    assert text == 'a: "y"\nb: "on"\nc: "1_000"\nd: "0o14"\ne: plain\nf: 1\n'
