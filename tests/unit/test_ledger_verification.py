"""Every kind of fault that a ledger can hold is found and named."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.executor.dispatch import run_once
from planner.executor.history import steps
from planner.executor.ledger import Ledger
from planner.executor.schema import MIGRATIONS, VERSION
from planner.executor.verification import examine, verify
from tests.factories_executor import FakeBackend, at, ledger_in, plan_of, row, until
from tests.processes import python


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with ledger_in(tmp_path) as ledger:
        run_once(
            plan=plan_of(row("a"), row("b", "04:00", retries=1)),
            ledger=ledger,
            backends={"shell": FakeBackend()},
            now=at("02:00"),
            actor="test",
        )
        assert verify(ledger) == ()
        yield ledger


FAULTS = {
    "to done is not allowed": (
        "update transitions set after_state = 'done' where after_state = 'sent'"
    ),
    "does not follow": "delete from transitions where after_state = 'intent'",
    "its history ends": "update dispatches set state = 'failed' where job_id = 'a'",
    "no intent to send it was stored": "update dispatches set intent_us = null",
    "is not the key of c": "update dispatches set job_id = 'c' where job_id = 'a'",
    "is a further attempt, but the one before is planned": (
        "insert into dispatches select replace(key, '-1', '-2'), date, job_id, "
        "segment, 2, plan_id, region, executor, replicas, power_kw, start_us, end_us, "
        "due_us, deadline_us, on_missed, retries, spec_digest, state, changed_us, "
        "null, null, null, null, null, null from dispatches where job_id = 'b'"
    ),
    "was changed": "update specs set spec = '[]'",
    "which plans do not hold": "delete from plans",
    "which dispatches do not hold": "delete from dispatches where job_id = 'b'",
    "which specs do not hold": "delete from specs",
    "lease 9 wrote, but the newest lease is 1": "update transitions set lease = 9",
    "there are 2 leases": "insert into lease values (1, null, null)",
    "is older than what was last written": "update lease set number = 0",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_named(ledger: Ledger, fault: str) -> None:
    ledger.execute("pragma foreign_keys = off")
    ledger.execute(FAULTS[fault])
    named = "\n".join(verify(ledger))
    assert fault in named


def test_what_was_looked_at_is_counted(ledger: Ledger) -> None:
    found = examine(ledger)
    assert (found.plans, found.dispatches, found.transitions) == (1, 2, 4)
    assert found.states == {"planned": 1, "sent": 1}


def test_the_history_is_told_from_old_to_new_and_can_be_narrowed(
    ledger: Ledger,
) -> None:
    every = steps(ledger, day=None, job=None, last=100)
    assert [step.after for step in every] == ["planned", "planned", "intent", "sent"]
    assert {step.plan_digest for step in every} == {"digest-1"}
    assert [s.after for s in steps(ledger, day=None, job="b", last=9)] == ["planned"]
    assert steps(ledger, day="2020-01-01", job=None, last=9) == ()
    assert [s.after for s in steps(ledger, day=None, job="a", last=1)] == ["sent"]


UPGRADES = """
import os, signal, sys
from pathlib import Path
from planner.executor.ledger_file import upgrade
from planner.executor.schema import MIGRATIONS
from tests.factories_executor import ledger_in

left = int(sys.argv[2])

def called(_frame, event, function):
    global left
    name = type(getattr(function, "__self__", None)).__module__
    if event == "c_call" and name.endswith("sqlite3"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

with ledger_in(Path(sys.argv[1])) as ledger:
    sys.setprofile(called)
    upgrade(ledger.store, (*MIGRATIONS, "create table more (x text);"
            "alter table site add column y text; insert into more values ('y')"))
    sys.setprofile(None)
"""


@pytest.mark.parametrize("n", [1, 5, 9, 11, 13, 1000])
def test_ex13_an_upgrade_that_is_killed_leaves_the_old_or_the_new(
    tmp_path: Path, n: int
) -> None:
    ledger_in(tmp_path).close()
    with python("-c", UPGRADES, str(tmp_path), str(n)) as process:
        assert process.wait() == (0 if n == 1000 else -signal.SIGKILL)
    path = tmp_path / "ledger.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        version = connection.execute("pragma user_version").fetchone()[0]
        names = connection.execute("select name from sqlite_master").fetchall()
        assert (("more",) in names) == (version == VERSION + 1)
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert version == (VERSION + 1 if n == 1000 else VERSION)
    if n == 1000:
        copy = tmp_path / f"ledger.v{VERSION}.sqlite"
        with contextlib.closing(sqlite3.connect(copy)) as kept:
            assert kept.execute("pragma user_version").fetchone() == (VERSION,)
            assert len(MIGRATIONS) == VERSION


HOLDS = """
import sys
from pathlib import Path
from planner.executor.leases import leased
from tests.factories_executor import MADE, ledger_in

with ledger_in(Path(sys.argv[1])) as ledger:
    with leased(ledger, holder="frozen:1", now=MADE):
        print("held", flush=True)
        sys.stdin.readline()
"""


def test_ex08_ex09_a_frozen_holder_is_waited_for_whatever_its_lock_file_says(
    tmp_path: Path,
) -> None:
    with python("-c", HOLDS, str(tmp_path), stdin=-1, stdout=-1) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGSTOP)
        backend, lock = FakeBackend(), tmp_path / "ledger.lock"
        # What the file says is of no account: the kernel knows who holds it.
        lock.write_text(json.dumps({"pid": os.getpid()}))
        with ledger_in(tmp_path) as ledger:

            def tick() -> str | None:
                return run_once(
                    plan=plan_of(row("a")),
                    ledger=ledger,
                    backends={"shell": backend},
                    now=at("02:00"),
                    actor="second",
                ).at_work

            assert tick() == "frozen:1"
            assert backend.submitted == []
            holder.kill()
            until(lambda: tick() is None)
            assert len(backend.submitted) == 1
