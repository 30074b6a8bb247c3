"""``planner ledger``, and how signed plans and a server's ledger show in commands."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import DAY, Folder, a_workspace
from tests.postgres_server import PASSWORD, running_server

START = datetime(2026, 11, 22, tzinfo=UTC)
KEY = {"PLANNER_SIGNING_KEY": "canary-0123456789abcdef"}


def planned(root: Path, **environment: str) -> Folder:
    plain = a_workspace(root, {"id": "a", "command": '["true"]'})
    workspace = replace(plain, environment=environment)
    result = workspace.run("solve", "--date", DAY, "--solver", "asap")
    assert result.exit_code == ExitCode.DONE, result.stderr
    return workspace


def test_a_good_ledger_is_told_to_be_one(tmp_path: Path) -> None:
    workspace = planned(tmp_path)
    workspace.run("execute", now=START)
    result = workspace.run("ledger", "verify", "--json")
    assert result.exit_code == ExitCode.DONE
    found = json.loads(result.stdout)
    assert (found["problems"], found["dispatches"], found["plans"]) == ([], 1, 1)
    assert (
        "0 faults in 1 plan, 1 dispatch (1 " in workspace.run("ledger", "verify").stdout
    )


def test_each_fault_is_a_line_and_the_status_is_1(tmp_path: Path) -> None:
    workspace = planned(tmp_path)
    workspace.run("execute", now=START)
    path = tmp_path / "outputs/ledger/ledger.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("delete from transitions where after_state = 'intent'")
        connection.commit()
    result = workspace.run("ledger", "verify")
    assert result.exit_code == ExitCode.REFUSED
    assert "does not follow" in result.stdout


def test_a_ledger_that_cannot_be_opened_is_refused_with_status_1(
    tmp_path: Path,
) -> None:
    workspace = planned(tmp_path)
    workspace.run("execute", now=START)
    (tmp_path / "outputs/ledger/ledger.sqlite").write_bytes(b"")
    result = workspace.run("ledger", "verify")
    assert result.exit_code == ExitCode.REFUSED
    assert "Restore it from a copy" in result.stderr


def test_the_history_shows_every_step(tmp_path: Path) -> None:
    workspace = planned(tmp_path)
    workspace.run("execute", now=START)
    lines = workspace.run("ledger", "history").stdout.splitlines()
    assert ["planned" in lines[0], "intent → sent" in lines[-1]] == [True, True]
    found = json.loads(workspace.run("ledger", "history", "--json").stdout)["steps"]
    assert [step["after"] for step in found] == ["planned", "intent", "sent"]


def test_a_signed_plan_is_checked_and_executed_under_its_key_alone(
    tmp_path: Path,
) -> None:
    workspace = planned(tmp_path, **KEY)
    key = {"PLANNER_SIGNING_KEY": "canary-another-0123456789"}
    other = replace(workspace, environment=key)
    assert workspace.run("check", DAY).exit_code == ExitCode.DONE
    refused = other.run("check", DAY)
    assert refused.exit_code == ExitCode.REFUSED
    result = other.run("execute", "--json", now=START)
    assert result.exit_code == ExitCode.DEGRADED
    (passed,) = json.loads(result.stdout)["passed_over"]
    assert passed["code"] == "plan-signature"
    assert "canary" not in result.output + refused.output
    result = workspace.run("execute", "--json", now=START)
    (event,) = json.loads(result.stdout)["events"]
    assert event["state"] == "sent"


def test_a_ledger_on_a_server_is_used_by_every_command(tmp_path: Path) -> None:
    with running_server() as server:
        address = {"PLANNER_LEDGER": "env:DB", "DB": server.new_database()}
        workspace = planned(tmp_path, **address)
        run = workspace.run("execute", "--json", now=START)
        assert run.exit_code == ExitCode.DONE, run.stderr
        assert [e["state"] for e in json.loads(run.stdout)["events"]] == ["sent"]
        told = workspace.run("ledger", "verify")
        assert told.exit_code == ExitCode.DONE
        assert "postgresql://127.0.0.1" in told.stdout
        shown = workspace.run("status", DAY)
        assert "sent" in shown.stdout
        assert PASSWORD not in run.output + told.output + shown.output
    assert not (tmp_path / "outputs/ledger/ledger.sqlite").exists()


def test_a_ledger_that_does_not_exist_yet_is_no_fault_and_is_told(
    tmp_path: Path,
) -> None:
    workspace = a_workspace(tmp_path)
    result = workspace.run("ledger", "verify")
    assert result.exit_code == ExitCode.DONE
    assert "note: nothing has been sent from here yet" in result.stderr
    history = workspace.run("ledger", "history")
    assert (history.exit_code, history.stdout) == (ExitCode.DONE, "")
    assert "note: the ledger holds no such step" in history.stderr
