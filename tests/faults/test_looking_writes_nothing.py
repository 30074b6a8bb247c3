"""Rehearsals and looks at a ledger leave every file and table as it was."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from planner.cli.exit_codes import ExitCode
from planner.executor.dispatch import run_once
from planner.executor.errors import LedgerBusyError, LedgerError
from planner.executor.ledger import Ledger
from planner.executor.ledger_file import open_ledger
from planner.executor.ledger_place import open_ledger_at
from planner.executor.marker import MARKER
from planner.executor.reading import read_ledger
from planner.executor.schema import VERSION
from planner.executor.verification import verify
from tests.factories_executor import MADE, FakeBackend, at, plan_of, row
from tests.factories_workspace import DAY, Folder, a_workspace
from tests.older_ledgers import make_older

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLAN = plan_of(row("a"), row("b", "04:00"))
LOOKS = [
    ("execute", "--dry-run"),
    ("status", DAY),
    ("status", DAY, "--json"),
    ("ledger", "verify"),
    ("ledger", "history"),
]


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content of every file and when it was written."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".sqlite-shm"  # readers' own locks
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Folder:
    """One whose executor has worked once."""
    folder = a_workspace(tmp_path, {"id": "a", "earliest": '"03:00"'})
    folder.run("solve", "--date", DAY, "--solver", "asap")
    assert folder.run("execute", "--once", now=NOW).exit_code == ExitCode.DONE
    return folder


def look(folder: Folder, words: tuple[str, ...], root: Path) -> str:
    before = files(root)
    told = folder.run(*words, now=NOW)
    assert told.exit_code == ExitCode.DONE, told.stderr
    assert files(root) == before
    return str(told.stdout)


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_looking_writes_nothing(
    workspace: Folder, tmp_path: Path, words: tuple[str, ...]
) -> None:
    look(workspace, words, tmp_path)


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_looking_at_an_older_ledger_does_not_upgrade_it(
    workspace: Folder, tmp_path: Path, words: tuple[str, ...]
) -> None:
    with open_ledger(tmp_path / "outputs/ledger", now=NOW) as ledger:
        make_older(ledger, 1)
        ledger.execute("update lease set number = 1")
    look(workspace, words, tmp_path)


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_looking_makes_no_marker(
    workspace: Folder, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "outputs/ledger" / MARKER).unlink()
    look(workspace, words, tmp_path)


def test_what_a_killed_executor_left_in_its_log_is_seen_and_left_there(
    workspace: Folder, tmp_path: Path
) -> None:
    path = tmp_path / "outputs/ledger/ledger.sqlite"
    if (child := os.fork()) == 0:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("update dispatches set reason = 'seen'")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert "seen" in look(workspace, ("status", DAY), tmp_path)
    assert path.with_name("ledger.sqlite-wal").stat().st_size > 0


def test_a_user_who_may_only_read_sees_an_idle_ledger(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp())  # tmp_path is closed to other users
    with open_ledger(folder, now=MADE) as ledger:
        tick(ledger)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        before = files(folder)
        if (child := os.fork()) == 0:
            found = 1
            try:
                if os.geteuid() == 0:
                    os.setuid(65534)
                with read_ledger(folder, url=None, now=MADE) as ledger:
                    found = ledger.query("select count(*) from plans") != [(1,)]
            finally:
                os._exit(found)
        assert os.waitpid(child, 0)[1] == 0
        assert files(folder) == before
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Where the ledger of a test is, in the words of ``open_ledger_at``."""
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("ledger_server").new_database()
    return {"folder": tmp_path, "url": url, "now": MADE}


def tick(ledger: Ledger, **facts: Any) -> list[str]:
    """What a run of the executor starts."""
    done = run_once(
        plan=PLAN,
        ledger=ledger,
        backends={"shell": FakeBackend()},
        now=at("02:00"),
        actor="test",
        **facts,
    )
    return [event.job_id for event in done.started]


def older(ledger: Ledger) -> None:
    make_older(ledger, 2)


def emptied(ledger: Ledger) -> None:
    """As it is, without anything in it."""


@pytest.mark.parametrize("before", [older, emptied])
def test_a_rehearsal_needs_no_right_to_write_and_shows_the_same(
    place: dict[str, Any], before: Callable[[Ledger], None]
) -> None:
    with open_ledger_at(**place) as ledger:
        before(ledger)
        version = ledger.store.version()
    with open_ledger_at(**place, rehearsal=True) as ledger:
        assert tick(ledger, dry_run=True) == ["a"]
        assert ledger.store.version() == VERSION
        assert verify(ledger) == ()
    with open_ledger_at(**place, rehearsal=True) as ledger:
        assert ledger.query("select count(*) from plans") == [(0,)]
    assert version in (2, VERSION)


def test_a_ledger_that_is_looked_at_cannot_be_written(place: dict[str, Any]) -> None:
    open_ledger_at(**place).close()
    with (
        open_ledger_at(**place, rehearsal=True) as ledger,
        pytest.raises(LedgerError, match=r"may only be read|readonly"),
    ):
        tick(ledger)


def test_a_rehearsal_shows_what_runs_and_waits_for_nobody(
    place: dict[str, Any],
) -> None:
    with open_ledger_at(**place) as at_work:
        tick(at_work)
        with at_work.transaction(), open_ledger_at(**place, rehearsal=True) as ledger:
            at_work.execute("update dispatches set reason = 'not stored yet'")
            assert tick(ledger, dry_run=True) == []
            rows = ledger.query("select job_id, state, reason from dispatches")
            assert sorted(rows) == [("a", "sent", None), ("b", "planned", None)]


def test_a_rehearsal_does_not_keep_the_executor_waiting(place: dict[str, Any]) -> None:
    def meanwhile(key: str) -> Any:
        with open_ledger_at(**place) as at_work:
            at_work.execute("update lease set holder = 'wrote'")
        return backend.reports[key]

    backend = FakeBackend()
    with open_ledger_at(**place) as ledger:
        facts: dict[str, Any] = {"ledger": ledger, "backends": {"shell": backend}}
        run_once(plan=PLAN, now=at("02:00"), actor="test", **facts)
        backend.status = lambda key, handle: meanwhile(key)  # type: ignore[method-assign]
        try:
            run_once(plan=PLAN, now=at("02:01"), actor="test", dry_run=True, **facts)
        except LedgerBusyError:
            pytest.fail("the rehearsal held the ledger")
        assert ledger.lease_holder() == "wrote"
