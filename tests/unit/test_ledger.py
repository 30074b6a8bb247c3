"""What a ledger in a file keeps, refuses and survives; real files throughout.

What ledgers of every kind promise stands in tests/contract/test_ledger_contract.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.executor.dispatch import run_once
from planner.executor.errors import (
    LeaseLostError,
    LedgerDamagedError,
    LedgerError,
    LedgerMissingError,
    LedgerPlaceError,
)
from planner.executor.file_systems import file_system, mount_table
from planner.executor.instants import from_us
from planner.executor.keys import KEY_PATTERN, dispatch_key
from planner.executor.ledger import Ledger
from planner.executor.ledger_file import open_ledger, upgrade
from planner.executor.reading import read_ledger
from planner.executor.schema import MIGRATIONS, VERSION
from planner.executor.states import State
from planner.executor.store_sqlite import SqliteStore
from planner.executor.verification import verify
from tests.factories_executor import (
    DAY,
    MADE,
    FakeBackend,
    at,
    ledger_in,
    plan_of,
    row,
)
from tests.processes import with_this_program


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


def used(folder: Path) -> None:
    """A ledger that has sent one job, closed."""
    with ledger_in(folder) as ledger:
        tick(ledger)


def tick(ledger: Ledger, backend: FakeBackend | None = None) -> None:
    run_once(
        plan=plan_of(row("a"), row("b", "04:00")),
        ledger=ledger,
        backends={"shell": backend or FakeBackend()},
        now=at("02:00"),
        actor="test",
    )


def test_keys_depend_on_everything_that_makes_a_dispatch_another() -> None:
    facts: dict[str, Any] = {
        "site": "s",
        "day": DAY,
        "job_id": "j",
        "segment": 0,
        "attempt": 1,
    }
    changes: tuple[dict[str, Any], ...] = (
        {"site": "t"},
        {"job_id": "k"},
        {"segment": 1},
        {"attempt": 2},
    )
    keys = [dispatch_key(**{**facts, **change}) for change in ({}, *changes)]
    assert len(set(keys)) == 5
    assert dispatch_key(**facts) == keys[0] == "p20261122-uhhbnwtue53iutwtaqt67wi3bx-1"
    for key in keys:
        assert KEY_PATTERN.fullmatch(key)
        assert len(key) <= 63


def test_a_used_ledger_is_opened_again_with_all_that_it_held(tmp_path: Path) -> None:
    used(tmp_path)
    with ledger_in(tmp_path) as ledger:
        states = ledger.query("select job_id, state from dispatches order by job_id")
        assert states == [("a", "sent"), ("b", "planned")]
        assert ledger.query("pragma journal_mode") == [("wal",)]
        assert ledger.query("pragma synchronous") == [(2,)]
        assert verify(ledger) == ()


def test_ex12_a_ledger_that_is_gone_is_not_replaced_by_an_empty_one(
    tmp_path: Path,
) -> None:
    used(tmp_path)
    for path in tmp_path.glob("ledger.sqlite*"):
        path.unlink()
    with pytest.raises(LedgerMissingError, match="existed and is gone"):
        ledger_in(tmp_path)
    assert not (tmp_path / "ledger.sqlite").exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_ex12_a_file_that_is_no_ledger_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    used(tmp_path)
    (tmp_path / "ledger.sqlite").write_bytes(content)
    with pytest.raises(LedgerDamagedError, match=r"ledger\.sqlite"):
        ledger_in(tmp_path)


def test_ex12_a_ledger_of_another_site_is_refused(tmp_path: Path) -> None:
    used(tmp_path / "here")
    open_ledger(tmp_path / "there", now=MADE, site="other").close()
    (tmp_path / "there/ledger.sqlite").replace(tmp_path / "here/ledger.sqlite")
    with pytest.raises(LedgerDamagedError, match="site other"):
        ledger_in(tmp_path / "here")


def test_ex12_an_older_copy_of_the_ledger_is_refused(tmp_path: Path) -> None:
    used(tmp_path)
    copy = (tmp_path / "ledger.sqlite").read_bytes()
    used(tmp_path)
    (tmp_path / "ledger.sqlite").write_bytes(copy)
    with pytest.raises(LedgerDamagedError, match="older than"):
        ledger_in(tmp_path)


def problems_of(folder: Path) -> tuple[str, ...]:
    """Why a ledger is refused, or what its own check finds."""
    try:
        with ledger_in(folder) as ledger:
            return verify(ledger)
    except LedgerError as error:
        return (str(error),)


def test_ex12_damage_in_any_page_is_found(tmp_path: Path) -> None:
    used(tmp_path)
    path = tmp_path / "ledger.sqlite"
    whole = path.read_bytes()
    assert problems_of(tmp_path) == ()
    for begin in range(0, len(whole), 4096):
        path.write_bytes(whole[:begin] + b"\xff" * 64 + whole[begin + 64 :])
        assert problems_of(tmp_path)


def test_ex12_a_file_that_nobody_wrote_is_checked_once_an_hour(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"

    def checked_after(minutes: int) -> timedelta:
        now = MADE + timedelta(minutes=minutes)
        with open_ledger(tmp_path, now=now, site="site") as ledger:
            assert isinstance(ledger.store, SqliteStore)
            assert ledger.store.checked_us is not None
            return from_us(ledger.store.checked_us) - MADE

    found = [checked_after(n) // timedelta(minutes=1) for n in (0, 1, 59, 60, 61, 5)]
    assert found == [0, 0, 0, 60, 60, 5]
    path.touch()
    assert checked_after(6) == timedelta(minutes=6)


def test_ex12_damage_within_the_hour_of_a_check_is_found_at_the_opening(
    tmp_path: Path,
) -> None:
    used(tmp_path)
    ledger_in(tmp_path).close()
    path = tmp_path / "ledger.sqlite"
    times, whole = path.stat(), path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    for _ in range(2):
        with pytest.raises(LedgerDamagedError, match="damaged"):
            ledger_in(tmp_path)


def test_a_spec_that_was_changed_in_the_ledger_is_never_run(ledger: Ledger) -> None:
    plan = plan_of(row("a", "03:00"))
    facts: dict[str, Any] = {
        "ledger": ledger,
        "backends": {"shell": FakeBackend()},
        "actor": "test",
    }
    run_once(plan=plan, now=at("02:00"), **facts)
    ledger.execute("update specs set spec = replace(spec, 'true', 'rm')")
    with pytest.raises(LedgerDamagedError, match="not the one that its plan held"):
        run_once(plan=plan, now=at("03:00"), **facts)
    assert any("was changed" in problem for problem in verify(ledger))


def test_ex12_a_network_file_system_is_refused(tmp_path: Path) -> None:
    mounts = f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n"
    with pytest.raises(LedgerPlaceError, match="nfs4"):
        ledger_in(tmp_path / "outputs", mounts=mounts)
    assert list(tmp_path.iterdir()) == [tmp_path / "outputs"]
    assert file_system(Path("/"), mounts) == "ext4"
    assert file_system(tmp_path, "") is None
    assert file_system(tmp_path, mount_table()) not in (None, "nfs4")


def test_ex13_a_failing_upgrade_changes_nothing(tmp_path: Path) -> None:
    used(tmp_path)
    newer = (*MIGRATIONS, "create table more (x text); create table plans (other text)")
    with ledger_in(tmp_path) as ledger:
        with pytest.raises(LedgerError, match="already exists"):
            upgrade(ledger.store, newer)
        assert ledger.store.version() == VERSION
        assert not ledger.query("select 1 from sqlite_master where name = 'more'")
        assert verify(ledger) == ()


def test_a_crash_while_the_ledger_is_made_leaves_none_or_a_whole_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "ledger.new.sqlite").write_bytes(b"half of it")
    (tmp_path / "ledger.new.sqlite-journal").write_bytes(b"half of it")
    used(tmp_path)
    (tmp_path / "ledger.marker.json").unlink()
    ledger_in(tmp_path).close()
    assert (tmp_path / "ledger.marker.json").exists()


def test_a_dispatch_that_someone_else_moved_is_not_moved_again(
    ledger: Ledger,
) -> None:
    tick(ledger)
    (row_b,) = ledger.dispatches("job_id = 'b'")
    ledger.move(row_b, State.CANCELLED, at_us=3, actor="user")
    with pytest.raises(LeaseLostError, match="someone else"):
        ledger.move(row_b, State.INTENT, at_us=3, actor="test")


def test_a_step_that_the_table_does_not_allow_is_a_defect(ledger: Ledger) -> None:
    tick(ledger)
    (row_b,) = ledger.dispatches("job_id = 'b'")
    with pytest.raises(AssertionError, match="planned to done"):
        ledger.move(row_b, State.DONE, at_us=3, actor="test")


def test_ex09_the_lease_of_a_killed_executor_is_free_at_once(tmp_path: Path) -> None:
    ledger_in(tmp_path).close()
    code = (
        "import os, sys; from tests.factories_executor import *\n"
        "from pathlib import Path; from planner.executor.leases import leased\n"
        "with leased(ledger_in(Path(sys.argv[1])), holder='x', now=MADE) as mine:\n"
        "    assert mine; os.kill(os.getpid(), 9)\n"
    )
    environ = with_this_program()
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environ, check=False
    )
    assert killed.returncode == -9
    with ledger_in(tmp_path) as ledger:
        backend = FakeBackend()
        tick(ledger, backend)
        assert len(backend.submitted) == 1


def test_ex10_a_write_of_another_process_only_delays_the_run(tmp_path: Path) -> None:
    used(tmp_path)
    code = (
        "import sqlite3, sys, time\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('begin immediate'); print('held', flush=True)\n"
        "time.sleep(0.5); c.execute('rollback')\n"
    )
    path = str(tmp_path / "ledger.sqlite")
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with ledger_in(tmp_path) as ledger:
            tick(ledger)
            assert verify(ledger) == ()


def test_ex11_what_cannot_be_recorded_is_not_sent(tmp_path: Path) -> None:
    backend = FakeBackend()
    with ledger_in(tmp_path) as ledger:
        tick(ledger)
        pages = ledger.query("pragma page_count")[0][0]
        ledger.execute(f"pragma max_page_count = {pages}")
        many = plan_of(*(row(f"j{n}") for n in range(300)), serial=2)
        facts: dict[str, Any] = {
            "ledger": ledger,
            "backends": {"shell": backend},
            "actor": "test",
        }
        with pytest.raises(LedgerError, match="full"):
            run_once(plan=many, now=at("02:00"), **facts)
        assert backend.submitted == []
        ledger.execute("pragma max_page_count = 1000000")
        run_once(plan=many, now=at("02:00"), **facts)
        assert len(backend.submitted) == 300


def test_a_rehearsal_without_a_ledger_leaves_the_disk_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    with read_ledger(folder, url=None, now=MADE) as ledger:
        done = run_once(
            plan=plan_of(row("a")),
            ledger=ledger,
            backends={"shell": FakeBackend()},
            now=at("02:00"),
            actor="test",
            dry_run=True,
        )
    assert [event.job_id for event in done.started] == ["a"]
    assert not folder.exists()
