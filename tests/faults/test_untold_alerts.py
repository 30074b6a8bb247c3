"""Troubles that an executor stored, and was killed before it told anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from planner.cli.app import App
from planner.executing import execute
from tests.factories_workspace import DAY, SETTINGS, Folder, a_workspace
from tests.replay_servers import ReplayServer, Reply, serving

TABLE = """
[executor]
allow_root = true
[[alerts]]
kind = "webhook"
url = "{url}"
allow = ["127.0.0.0/8"]
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{DAY}T{text}:00+00:00")


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with serving(lambda seen: Reply({})) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, server: ReplayServer) -> Folder:
    """Its jobs last two hours: there is no time for a late start."""
    folder = a_workspace(
        tmp_path,
        {"id": "early", "deadline": '"02:00"'},
        {"id": "later", "earliest": '"03:00"', "deadline": '"05:00"'},
        settings=SETTINGS + TABLE.format(url=server.url),
    )
    assert folder.run("solve", "--date", DAY, "--solver", "asap").exit_code == 0
    return folder


def killed_before_it_told(folder: Folder, root: Path, when: str) -> None:
    """A run of the executor up to the last that it stores."""
    app = App(directory=root)
    execute(app.place(), plan_path=None, now=at(when), actor="killed:1")


def told(server: ReplayServer) -> list[list[tuple[str, str]]]:
    """Code and job of each alert of each message."""
    return [
        [(a["code"], a["facts"]["job_id"]) for a in json.loads(seen.body)["alerts"]]
        for seen in server.seen
    ]


def run(folder: Folder, when: str, **facts: Any) -> None:
    folder.run("execute", "--once", now=at(when), **facts)


def test_what_a_killed_executor_did_not_tell_is_told_once_by_the_next(
    folder: Folder, server: ReplayServer, tmp_path: Path
) -> None:
    run(folder, "00:00")
    assert told(server) == []
    killed_before_it_told(folder, tmp_path, "03:30")
    run(folder, "03:31")
    run(folder, "03:32")
    (alerts,) = told(server)
    assert ("dispatch-missed", "later") in alerts
    assert len(alerts) == len(set(alerts))


def test_a_killed_run_is_told_of_even_if_none_was_before(
    folder: Folder, server: ReplayServer, tmp_path: Path
) -> None:
    killed_before_it_told(folder, tmp_path, "01:59")
    run(folder, "02:30")
    assert told(server) == [[("dispatch-missed", "early")]]


def test_who_asks_for_alerts_later_is_not_told_of_all_that_ever_was(
    folder: Folder, server: ReplayServer, tmp_path: Path
) -> None:
    killed_before_it_told(folder, tmp_path, "01:59")
    run(folder, "03:00")
    assert told(server) == []


def test_what_could_not_be_remembered_is_told_by_the_next_run(
    folder: Folder, server: ReplayServer, tmp_path: Path
) -> None:
    run(folder, "00:00")
    memory = tmp_path / "outputs/operations/alerts.sqlite"
    kept = memory.rename(tmp_path / "kept")
    memory.mkdir()
    run(folder, "03:59")
    assert told(server) == []
    memory.rmdir()
    kept.rename(memory)
    run(folder, "05:00")
    assert ("dispatch-missed", "later") in told(server)[0]
