"""``planner cancel``, ``retry``, ``hold``, ``release`` and what ``status`` tells."""

from __future__ import annotations

import json
import os
import pwd
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from planner.cli.exit_codes import ExitCode
from planner.executor.ledger_file import leased, open_ledger
from tests.factories_executor import until
from tests.factories_workspace import DAY, Folder, a_workspace

START = datetime(2026, 11, 22, tzinfo=UTC)
ME = pwd.getpwuid(os.getuid()).pw_name
WAITS = json.dumps(["/bin/sh", "-c", "echo x >> began; exec sleep 60"])
FAILS = json.dumps(["/bin/sh", "-c", "test -e fixed"])


def planned(root: Path, *jobs: dict[str, Any]) -> Folder:
    workspace = a_workspace(root, *jobs)
    result = workspace.run("solve", "--date", DAY, "--solver", "asap")
    assert result.exit_code == ExitCode.DONE, result.stderr
    return workspace


def status(workspace: Folder, *words: str, now: datetime = START) -> dict[str, Any]:
    found = workspace.run("status", DAY, *words, "--json", now=now)
    assert found.exit_code == ExitCode.DONE, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def states(workspace: Folder) -> dict[str, str]:
    jobs = status(workspace)["jobs"]
    return {
        f"{job['job_id']}#{job['attempt']}".removesuffix("#1"): job["state"]
        for job in jobs
    }


def once(workspace: Folder, now: datetime = START) -> Result:
    return workspace.run("execute", "--once", now=now)


def until_state(workspace: Folder, job: str, state: str) -> None:
    def reached() -> bool:
        once(workspace)
        return states(workspace)[job] == state

    until(reached)


def test_a_job_cancelled_the_evening_before_never_starts(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a"}, {"id": "b"})
    why = "old\x1b\udcff\n data"  # \udcff: a byte that is no character
    result = workspace.run("cancel", "a", "--date", "tomorrow", "--reason", why)
    assert result.exit_code == ExitCode.DONE
    assert result.stdout == "a: stored; a later run acts on it\n"
    assert "asked, not done yet: cancel a of 2026-11-22" in (
        workspace.run("status", DAY).stdout
    )
    once(workspace)
    assert states(workspace)["a"] == "cancelled"
    (job,) = status(workspace, "--job", "a")["jobs"]
    assert job["reason"] == f"cancelled by {ME}: old data"


def test_a_running_job_is_ended_at_once_when_nobody_is_at_work(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "command": WAITS, "retries": 3})
    once(workspace)
    until((tmp_path / "began").exists)
    result = workspace.run("cancel", "a", now=START + timedelta(minutes=1))
    assert result.stdout in ("a: told to end\n", "a: cancelled\n")
    until_state(workspace, "a", "cancelled")
    assert list(states(workspace)) == ["a"]
    again = workspace.run("cancel", "a", now=START + timedelta(minutes=2))
    assert (again.exit_code, again.stdout) == (ExitCode.DONE, "a: cancelled\n")


def test_a_verb_typed_while_the_executor_works_is_stored_for_its_next_run(
    tmp_path: Path,
) -> None:
    workspace = planned(tmp_path, {"id": "a", "earliest": '"03:00"'})
    once(workspace)
    with (
        open_ledger(tmp_path / "outputs/ledger", now=START) as ledger,
        leased(ledger, holder="daemon", now=START),
    ):
        result = workspace.run("cancel", "a", "--json", now=START)
    told = json.loads(result.stdout)
    assert told == {
        "schema": 1,
        "verb": "cancel",
        "at_work": "daemon",
        "results": [{"target": "a", "outcome": None}],
    }
    assert states(workspace) == {"a": "planned"}
    once(workspace)
    assert states(workspace) == {"a": "cancelled"}


def test_a_failed_job_is_tried_again_by_key_or_name(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "command": FAILS})
    until_state(workspace, "a", "failed")
    (job,) = status(workspace)["jobs"]
    (tmp_path / "fixed").touch()
    result = workspace.run("retry", job["key"], "--reason", "fixed", now=START)
    assert result.stdout == f"{job['key']}: planned for now\n"
    until_state(workspace, "a#2", "done")
    nothing = workspace.run("retry", "a", now=START)
    assert nothing.stdout == "a: nothing to try again, it is done\n"


def test_held_jobs_are_shown_and_start_after_their_release(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a"}, {"id": "b", "regions": "[south]"})
    words = ("--reason", "maintenance", "--json")
    held = workspace.run("hold", "--region", "north", *words, now=START)
    assert json.loads(held.stdout)["results"] == [
        {"target": "north", "outcome": "held"}
    ]
    assert "1 held" in once(workspace).stdout
    told = status(workspace)
    hold = f"{ME} holds region north: maintenance"
    assert (told["held"], told["holds"]) == (1, [hold])
    shown = workspace.run("status", DAY, "--state", "held", now=START).stdout
    assert shown.splitlines()[0].split()[1:4] == ["held", "a", "north"]
    assert f"hold: {hold}" in shown
    again = workspace.run("hold", "--region", "north", now=START)
    assert again.stdout == "north: was held before\n"
    freed = workspace.run("release", "--all", now=START)
    assert freed.stdout == f"all: no longer: {hold}\n"
    assert workspace.run("release", "--all", now=START).stdout == "all: was not held\n"
    until_state(workspace, "a", "done")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("hold",), "name either jobs, or --region R, or --all"),
        (("hold", "a", "--all"), "name either jobs, or --region R, or --all"),
        (("hold", "--region", "nort"), "no region is called 'nort'"),
        (("cancel",), "Missing argument"),
        (("status", "--state", "lost"), "'lost' is none of planned, intent"),
        (("cancel", "a", "--date", "someday"), "someday"),
    ],
)
def test_wrong_words_are_a_usage_error(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    result = planned(tmp_path, {"id": "a"}).run(*words)
    assert result.exit_code == ExitCode.USAGE
    assert message in result.stderr


@pytest.mark.parametrize("verb", ["cancel", "retry", "hold"])
def test_a_name_that_nothing_has_is_refused_with_the_nearest(
    tmp_path: Path, verb: str
) -> None:
    workspace = planned(tmp_path, {"id": "nightly"})
    result = workspace.run(verb, "nighly", "--date", DAY)
    assert result.exit_code == ExitCode.REFUSED
    assert f"no job nighly is planned for {DAY}; did you mean nightly?" in result.stderr


def test_a_job_of_another_date_is_named_with_its_date(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a"})
    once(workspace)
    result = workspace.run("cancel", "a", now=START + timedelta(days=1))
    assert f"there is one for {DAY}: --date {DAY}" in result.stderr
    key = "p20261122-aaaaaaaaaaaaaaaaaaaaaaaaaa-1"
    assert f"no dispatch has the key {key}" in workspace.run("cancel", key).stderr


def test_status_filters_rows_and_keeps_the_totals(tmp_path: Path) -> None:
    workspace = planned(
        tmp_path, {"id": "a"}, {"id": "b", "regions": "[south]"}, {"id": "c"}
    )
    late = START + timedelta(hours=1)
    rows = status(workspace, "--region", "south", now=late)["jobs"]
    assert [row["job_id"] for row in rows] == ["b"]
    told = status(workspace, "--state", "late", "--job", "a", "--job", "c", now=late)
    assert [row["job_id"] for row in told["jobs"]] == ["a", "c"]
    assert (told["counts"], told["late"]) == ({"planned": 3}, 3)
    assert told["next_due_at"] == "2026-11-22T00:00:00+00:00"


def test_the_lateness_of_a_start_is_kept(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a"})
    once(workspace, START + timedelta(minutes=30))
    (job,) = status(workspace)["jobs"]
    assert job["late_s"] == 1800.0
    assert "1800 s late" in workspace.run("status", DAY, now=START).stdout


def test_a_rehearsal_that_sees_missed_jobs_ends_well(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "deadline": '"03:00"'})
    late = START + timedelta(hours=2)
    result = workspace.run("execute", "--dry-run", now=late)
    assert result.exit_code == ExitCode.DONE
    assert "1 job would be missed if the executor ran first at this instant" in (
        result.stdout
    )
    assert once(workspace, late).exit_code == ExitCode.JOBS_FAILED


def test_se11_root_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "command": '["touch", "ran"]'})
    refused = workspace.run("execute", "--once", now=START, root=True)
    assert refused.exit_code == ExitCode.REFUSED
    assert "job a would run as root" in refused.stderr
    assert not (tmp_path / "ran").exists()
    looked = workspace.run("execute", "--dry-run", now=START, root=True)
    assert looked.exit_code == ExitCode.DONE
    workspace.run("execute", "--once", "--allow-root", now=START, root=True)
    until((tmp_path / "ran").exists)


def test_se11_root_is_allowed_by_the_settings(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a", "command": '["touch", "ran"]'})
    settings = (tmp_path / "planner.toml").read_text()
    workspace.write("planner.toml", f"{settings}\n[executor]\nallow_root = true\n")
    workspace.run("execute", "--once", now=START, root=True)
    until((tmp_path / "ran").exists)


def test_old_runs_are_removed_by_the_executor(tmp_path: Path) -> None:
    workspace = planned(tmp_path, {"id": "a"})
    until_state(workspace, "a", "done")
    runs = tmp_path / "outputs/runs/p20261122"
    once(workspace, START + timedelta(days=90))
    assert runs.exists()
    result = workspace.run("execute", "--json", now=START + timedelta(days=91))
    assert json.loads(result.stdout)["removed_runs"] == 1
    assert not runs.exists()


def test_watching_goes_with_nothing_that_looks_at_one_instant(tmp_path: Path) -> None:
    result = planned(tmp_path).run("execute", "--watch", "--dry-run")
    assert result.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("line", ["keep_run_days = 3", "keep_runs_days = -1"])
def test_wrong_settings_of_the_executor_are_refused(tmp_path: Path, line: str) -> None:
    workspace = planned(tmp_path)
    settings = (tmp_path / "planner.toml").read_text()
    workspace.write("planner.toml", f"{settings}\n[executor]\n{line}\n")
    result = workspace.run("config")
    assert result.exit_code == ExitCode.REFUSED
    assert "executor.keep_run" in result.stderr
    if line.startswith("keep_run_"):
        assert "did you mean keep_runs_days?" in result.stderr


def test_a_run_that_nobody_can_look_up_is_closed_by_a_persons_word(
    tmp_path: Path,
) -> None:
    workspace = planned(tmp_path, {"id": "a", "command": WAITS})
    once(workspace)
    until((tmp_path / "began").exists)
    told = workspace.run("close", "a", "--as", "failed", "--reason", "gone", now=START)
    assert told.stdout == "a: not closed, its back end says that it is running\n"
    workspace.run("cancel", "a", now=START)
    until_state(workspace, "a", "cancelled")
    told = workspace.run("close", "a", "--as", "done", "--reason", "gone", now=START)
    assert told.stdout == "a: nothing to close, it is cancelled\n"


@pytest.mark.parametrize("words", [("--as", "done"), ("--reason", "gone")])
def test_closing_takes_what_became_of_the_job_and_how_one_knows(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    workspace = planned(tmp_path, {"id": "a"})
    refused = workspace.run("close", "a", *words)
    assert refused.exit_code == ExitCode.USAGE
    assert ("--reason" if words[0] == "--as" else "--as") in refused.stderr
