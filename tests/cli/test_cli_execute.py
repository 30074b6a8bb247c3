"""``planner execute`` and ``planner status``: real jobs, each started once."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import DAY, SETTINGS, Folder, a_workspace
from tests.slurm_commands import FakeSlurm

START = datetime(2026, 11, 22, tzinfo=UTC)
"""When the jobs below are planned: at once on their day."""

PATIENCE_S = 30.0
ENDED = ("done", "failed", "missed", "cancelled")


def shell(script: str) -> str:
    """Command of a manifest that runs a line of shell."""
    return json.dumps(["/bin/sh", "-c", script])


def planned(root: Path, *jobs: dict[str, Any]) -> Folder:
    """A workspace whose jobs are planned at the start of their day."""
    workspace = a_workspace(root, *jobs)
    result = workspace.run("solve", "--date", DAY, "--solver", "asap")
    assert result.exit_code == ExitCode.DONE, result.stderr
    return workspace


def execute(workspace: Folder, *words: str, at: datetime = START) -> Result:
    """What cron would call at an instant."""
    return workspace.run("execute", "--once", "--json", *words, now=at)


def events(result: Result) -> dict[str, str]:
    """State of each job that one call touched."""
    found = json.loads(result.stdout)["events"]
    return {event["job_id"]: event["state"] for event in found}


def until_ended(workspace: Folder, *jobs: str, at: datetime = START) -> Result:
    """Call again until the jobs have ended; the call that saw the last one end."""
    gives_up, left = time.monotonic() + PATIENCE_S, set(jobs)
    while time.monotonic() < gives_up:
        result = execute(workspace, at=at)
        left -= {job for job, state in events(result).items() if state in ENDED}
        if not left:
            return result
    raise AssertionError(f"still at work after {PATIENCE_S} s: {left}")


def states(workspace: Folder) -> dict[str, str]:
    """State of every job of the day, as ``planner status`` tells."""
    found = json.loads(workspace.run("status", DAY, "--json").stdout)
    return {job["job_id"]: job["state"] for job in found["jobs"]}


def test_job_runs_at_its_time_and_its_output_is_kept(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "command": shell("echo hello; pwd")})
    sent = execute(workspace)
    assert sent.exit_code == ExitCode.DONE
    assert events(sent) == {"a": "sent"}
    assert until_ended(workspace, "a").exit_code == ExitCode.DONE
    (job,) = json.loads(workspace.run("status", DAY, "--json").stdout)["jobs"]
    assert (job["state"], job["exit_code"]) == ("done", 0)
    assert Path(job["stdout"]).read_text() == f"hello\n{tmp_path.resolve()}\n"


def test_nothing_is_sent_before_its_time(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"earliest": '"03:00"'})
    found = json.loads(execute(workspace).stdout)
    assert (found["events"], found["planned"]) == ([], 1)
    assert found["next_due_at"] == "2026-11-22T03:00:00+00:00"


def test_calling_again_never_starts_a_job_twice(tmp_path: Path) -> None:
    count = shell("echo ran >> count")
    workspace = planned(tmp_path, *({"id": f"j{n}", "command": count} for n in "123"))
    assert len(events(execute(workspace))) == 3
    until_ended(workspace, "j1", "j2", "j3")
    again = execute(workspace, at=START + timedelta(minutes=1))
    assert events(again) == {}
    assert (tmp_path / "count").read_text() == "ran\n" * 3


def test_failing_job_is_told_once_by_exit_code_6(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "bad", "command": shell("exit 3")})
    assert execute(workspace).exit_code == ExitCode.DONE
    ended = until_ended(workspace, "bad")
    assert ended.exit_code == ExitCode.JOBS_FAILED
    (event,) = json.loads(ended.stdout)["events"]
    assert (event["state"], event["detail"]) == ("failed", "exit status 3")
    assert execute(workspace).exit_code == ExitCode.DONE
    table = workspace.run("status", DAY).stdout
    assert "failed    bad" in table
    assert "exit 3" in table
    assert table.splitlines()[0].endswith("/stderr")  # where its complaint is
    assert table.splitlines()[-1].endswith(": 1 failed")


def test_job_that_somebody_else_ended_is_told_by_exit_code_6(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "long", "command": shell("sleep 60")})
    execute(workspace)
    (folder,) = (tmp_path / "outputs/runs/p20261122").iterdir()
    gives_up = time.monotonic() + PATIENCE_S
    while not (folder / "job.json").exists():
        assert time.monotonic() < gives_up
    os.kill(json.loads((folder / "claim.json").read_text())["pid"], signal.SIGTERM)
    ended = until_ended(workspace, "long")
    assert ended.exit_code == ExitCode.JOBS_FAILED
    (event,) = json.loads(ended.stdout)["events"]
    assert event["state"] == "cancelled"
    assert event["detail"].startswith("cancelled at the back end, not by planner")


def test_program_that_does_not_exist_is_a_failed_job(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "typo", "command": '["no-such-program"]'})
    execute(workspace)
    ended = until_ended(workspace, "typo")
    assert ended.exit_code == ExitCode.JOBS_FAILED
    assert "command not found: no-such-program" in ended.stdout


def test_failed_job_is_tried_again_if_it_may_be(tmp_path: Path) -> None:
    flaky = shell("test -e second || { touch second; exit 1; }")
    workspace = planned(tmp_path, {"id": "flaky", "command": flaky, "retries": 1})
    execute(workspace)
    first = until_ended(workspace, "flaky")
    assert first.exit_code == ExitCode.JOBS_FAILED
    assert json.loads(first.stdout)["planned"] == 1
    later = START + timedelta(minutes=2)
    execute(workspace, at=later)
    assert until_ended(workspace, "flaky", at=later).exit_code == ExitCode.DONE


def test_job_that_would_end_too_late_is_missed(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "deadline": '"03:00"'})
    result = execute(workspace, at=START + timedelta(hours=2))
    assert result.exit_code == ExitCode.JOBS_FAILED
    assert events(result) == {"a": "missed"}
    assert states(workspace) == {"a": "missed"}


def test_dry_run_says_what_would_start_and_changes_nothing(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "command": shell("touch ran")})
    for _ in range(2):
        result = workspace.run("execute", "--dry-run", now=START)
        assert result.exit_code == ExitCode.DONE
        assert "would start  a in north" in result.stdout
    assert states(workspace) == {"a": "planned"}
    assert not (tmp_path / "ran").exists()


def test_dry_run_names_what_would_be_missed(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "deadline": '"03:00"'})
    late = START + timedelta(hours=2)
    assert "would miss   a in north" in (
        workspace.run("execute", "--dry-run", now=late).stdout
    )
    assert states(workspace) == {"a": "planned"}


def test_instant_that_is_not_now_is_acted_on_and_pointed_out(tmp_path: Path) -> None:
    """A look ahead without ``--dry-run`` starts real jobs, so it must not be silent."""
    workspace = planned(tmp_path, {"id": "a"})
    words = ("execute", "--now", "2026-11-22T01:00+01:00")
    result = workspace.run(*words)
    assert "a in north" in result.stdout
    assert "acting as if it were 2026-11-22T00:00:00Z" in result.stderr
    assert "the clock says 2026-11-21T22:30:00Z" in result.stderr
    assert "--dry-run" in result.stderr
    until_ended(workspace, "a")


def test_instant_that_is_now_needs_no_note(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"earliest": '"03:00"'})
    words = ("execute", "--now", "2026-11-22T00:00:30Z")
    assert workspace.run(*words, now=START).stderr == ""


def test_looking_ahead_needs_no_note(tmp_path: Path) -> None:
    words = ("execute", "--dry-run", "--now", "2026-11-22T00:00Z")
    assert planned(tmp_path).run(*words).stderr == ""


@pytest.mark.parametrize(
    "instant", ["2026-11-22", "2026-11-22T03:00", "03:00", "tomorrow", "", "1e3"]
)
def test_instant_without_a_zone_is_a_usage_error(tmp_path: Path, instant: str) -> None:
    result = a_workspace(tmp_path).run("execute", "--now", instant)
    assert result.exit_code == ExitCode.USAGE
    assert "is not like 2026-11-22T03:00+01:00" in result.stderr


def test_instant_before_the_plan_was_made_sends_nothing(tmp_path: Path) -> None:
    workspace = planned(tmp_path)
    plan = f"outputs/plans/plan-{DAY}.parquet"
    result = workspace.run("execute", "--plan", plan, "--now", "2026-11-20T00:00Z")
    assert result.exit_code == ExitCode.REFUSED
    assert "the plan was made at 2026-11-21T22:30:00Z; nothing is sent" in result.stderr
    assert states(workspace) == {"job-0": "planned"}


def test_without_a_plan_for_now_nothing_is_done_and_that_is_said(
    tmp_path: Path,
) -> None:
    result = a_workspace(tmp_path).run("execute")
    assert result.exit_code == ExitCode.DONE
    assert "there is no valid plan for now" in result.stderr


def test_damaged_plan_is_passed_over_and_told(tmp_path: Path) -> None:
    workspace = planned(tmp_path)
    plan = tmp_path / f"outputs/plans/plan-{DAY}.parquet"
    plan.write_bytes(plan.read_bytes()[:-20])
    result = workspace.run("execute", now=START)
    assert f"passed over {plan}" in result.stderr
    followed = workspace.run("execute", "--plan", str(plan), now=START)
    assert followed.exit_code == ExitCode.REFUSED


def test_status_of_a_plan_never_followed_shows_it_as_planned(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a"}, {"id": "b", "earliest": '"03:00"'})
    result = workspace.run("status", DAY)
    assert result.exit_code == ExitCode.DONE
    first, second, totals = result.stdout.splitlines()
    assert first.split() == ["00:00:00", "planned", "a", "north"]
    assert second.split() == ["03:00:00", "planned", "b", "north"]
    assert totals.endswith(": 2 planned; the next at 2026-11-22T00:00Z")


def test_status_shows_a_job_that_nobody_started_as_late(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a"})
    shown = workspace.run("status", DAY, now=START + timedelta(hours=1)).stdout
    assert "late      a" in shown


def test_status_without_a_plan_says_how_to_get_one(tmp_path: Path) -> None:
    result = a_workspace(tmp_path).run("status")
    assert result.exit_code == ExitCode.REFUSED
    assert f"plan-{NOW_DATE}.parquet: no such file; run planner solve" in result.stderr


NOW_DATE = "2026-11-21"
"""Today on the clock of these workspaces."""


def test_a_back_end_gets_its_table_and_its_regions_table(tmp_path: Path) -> None:
    fake = FakeSlurm(tmp_path)
    tables = f"""
[executor.slurm]
partition = "batch"
account = "ml"
commands = "{tmp_path}"
[executor.slurm.regions.north]
partition = "eu"
"""
    jobs = [
        {"id": name, "regions": f"[{name}]", "executor": "slurm"}
        for name in ("north", "south")
    ]
    workspace = a_workspace(tmp_path, *jobs, settings=SETTINGS + tables)
    workspace.run("solve", "--date", DAY, "--solver", "asap")
    assert events(execute(workspace)) == {"north": "sent", "south": "sent"}
    asked = [
        [word for word in argv if word.startswith(("--partition", "--account"))]
        for argv in fake.calls("sbatch")
    ]
    assert sorted(asked) == [
        ["--partition=batch", "--account=ml"],
        ["--partition=eu", "--account=ml"],
    ]


def test_a_mistyped_key_of_a_back_end_stops_the_executor_at_once(
    tmp_path: Path,
) -> None:
    wrong = SETTINGS + "[executor.slurm]\npartitoin = 'eu'\n"
    workspace = a_workspace(tmp_path, settings=wrong)
    workspace.run("solve", "--date", DAY, "--solver", "asap")
    result = execute(workspace)
    assert result.exit_code == ExitCode.REFUSED
    assert "executor.slurm.partitoin" in result.stderr
    assert "did you mean partition?" in result.stderr


def test_times_are_those_of_the_workspace_with_their_offset_in_every_command(
    tmp_path: Path,
) -> None:
    berlin = SETTINGS.replace('"UTC"', '"Europe/Berlin"')
    job = {"id": "a", "earliest": '"03:00"'}
    workspace = a_workspace(tmp_path, job, settings=berlin)
    workspace.run("solve", "--date", DAY, "--solver", "asap")
    now = datetime(2026, 11, 22, 1, tzinfo=UTC)
    for words in (("execute", "--once"), ("execute", "--dry-run"), ("status", DAY)):
        told = workspace.run(*words, now=now).stdout
        assert "1 planned" in told
        assert "the next at 2026-11-22T03:00+01:00" in told
    (entered,) = workspace.run("ledger", "history").stdout.splitlines()
    assert entered.startswith("2026-11-22T02:00:00+01:00")
    as_if = workspace.run("execute", "--now", "2026-11-22T01:30Z", now=now).stderr
    assert "acting as if it were 2026-11-22T02:30:00+01:00" in as_if
    assert "the clock says 2026-11-22T02:00:00+01:00" in as_if
