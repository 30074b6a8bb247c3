"""What every ledger promises, wherever it is kept: one suite for all stores."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outputs.errors import PlanFormatError
from planner.executor.dispatch import Tick, run_once
from planner.executor.errors import (
    LeaseLostError,
    LedgerBusyError,
    LedgerConstraintError,
    LedgerDamagedError,
    LedgerMissingError,
    LedgerVersionError,
    UncertainError,
)
from planner.executor.instants import to_us
from planner.executor.leases import leased
from planner.executor.ledger import Ledger
from planner.executor.ledger_file import open_ledger
from planner.executor.ledger_server import open_server_ledger
from planner.executor.marker import MARKER
from planner.executor.schema import MIGRATIONS, VERSION, migrate
from planner.executor.states import State
from planner.executor.verification import verify
from planner.executor.wishes import Verb, make_wish, pending
from tests.factories_executor import MADE, FakeBackend, at, plan_of, row
from tests.older_ledgers import make_older
from tests.postgres_server import Server, running_server

Opener = Callable[..., Ledger]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the one ledger of a test, as often as it is called, from some host."""
    if request.param == "sqlite":
        return lambda host="", **facts: open_ledger(tmp_path, now=MADE, **facts)
    url = request.getfixturevalue("server").new_database()
    return lambda host="", **facts: open_server_ledger(
        url, tmp_path / host, now=MADE, **facts
    )


@pytest.fixture
def ledger(opened: Opener) -> Iterator[Ledger]:
    with opened() as ledger:
        yield ledger


def tick(
    ledger: Ledger, backend: FakeBackend, *rows: dict[str, Any], **facts: Any
) -> Tick:
    plan = plan_of(*(rows or (row("a"), row("b", "04:00"))), **facts)
    return follow(ledger, backend, plan)


def follow(
    ledger: Ledger, backend: FakeBackend, plan: Any, when: str = "02:00"
) -> Tick:
    return run_once(
        plan=plan,
        ledger=ledger,
        backends={"shell": backend},
        now=at(when),
        actor="test",
    )


def states(ledger: Ledger) -> dict[str, str]:
    return dict(ledger.query("select job_id, state from dispatches"))


def test_what_was_stored_is_there_when_it_is_opened_again(opened: Opener) -> None:
    with opened() as ledger:
        site = ledger.site
        tick(ledger, FakeBackend())
    with opened() as ledger:
        assert ledger.site == site
        assert states(ledger) == {"a": "sent", "b": "planned"}
        assert verify(ledger) == ()


def test_every_step_is_in_the_history_with_time_plan_and_digest(ledger: Ledger) -> None:
    tick(ledger, FakeBackend())
    steps = ledger.query(
        "select at_us, actor, lease, plan_id, plan_digest, before_state, after_state "
        "from history where job_id = 'a' order by sequence"
    )
    facts = (to_us(at("02:00")), "test", 1, "plan-1", "digest-1")
    assert steps == [
        (*facts, None, "planned"),
        (*facts, "planned", "intent"),
        (*facts, "intent", "sent"),
    ]


def test_what_users_asked_an_older_ledger_is_there_after_its_upgrade(
    opened: Opener,
) -> None:
    facts = "'2026-11-22', 'a', 5, 'anna', 'old data'"
    with opened() as ledger:
        make_older(ledger, 3)
        for verb in ("retry", "cancel"):
            ledger.execute(
                "insert into wishes (verb, date, target, at_us, actor, reason) "
                f"values ('{verb}', {facts})"
            )
    with opened() as ledger:
        assert ledger.store.version() == VERSION
        told = [(wish.verb, wish.words) for wish in pending(ledger)]
        words = "tried again for anna: old data", "cancelled by anna: old data"
        assert told == [(Verb.RETRY, words[0]), (Verb.CANCEL, words[1])]
        new: dict[str, Any] = {
            "date": "2026-11-22",
            "target": "a",
            "actor": "ben",
            "reason": None,
        }
        assert make_wish(
            ledger, verb=Verb.CLOSE, state=State.DONE, at_us=6, **new
        ) not in [wish.sequence for wish in pending(ledger)[:2]]
        assert verify(ledger) == ()


def test_a_newer_plan_moves_withdraws_and_adds_what_was_never_sent(
    ledger: Ledger,
) -> None:
    backend = FakeBackend()
    tick(ledger, backend)
    second = tick(ledger, backend, row("a"), row("c", "05:00"), serial=2)
    assert (second.adoption.added, second.adoption.withdrawn) == (1, 1)
    third = tick(ledger, backend, row("a"), row("b", "06:00"), serial=3)
    assert (third.adoption.moved, third.adoption.withdrawn) == (1, 1)
    assert states(ledger) == {"a": "sent", "b": "planned", "c": "withdrawn"}
    assert len(backend.submitted) == 1
    assert verify(ledger) == ()


def test_a_plan_with_a_segment_twice_is_refused_and_leaves_no_trace(
    ledger: Ledger,
) -> None:
    with pytest.raises(PlanFormatError, match="twice"):
        tick(ledger, FakeBackend(), row("a"), row("a"))
    assert ledger.query("select count(*) from plans") == [(0,)]
    tick(ledger, FakeBackend(), row("a"))
    assert states(ledger) == {"a": "sent"}


def test_rows_that_the_tables_forbid_are_a_constraint_error(ledger: Ledger) -> None:
    with pytest.raises(LedgerConstraintError):
        ledger.execute("insert into site values (?, ?)", ledger.site, 0)


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    with contextlib.suppress(Stopped), ledger.transaction():
        ledger.execute("insert into specs values ('x', 'y')")
        raise Stopped
    assert ledger.query("select count(*) from specs") == [(0,)]


def test_a_rehearsal_stores_nothing(ledger: Ledger) -> None:
    run_once(
        plan=plan_of(row("a")),
        ledger=ledger,
        backends={"shell": FakeBackend()},
        now=at("02:00"),
        actor="test",
        dry_run=True,
    )
    assert states(ledger) == {}
    assert ledger.lease_number() == 0


@pytest.mark.parametrize("text", ["ü – 日本 % ? '; --", "a\nb\tc", "100%s {} $1"])
def test_any_text_comes_back_as_it_was(ledger: Ledger, text: str) -> None:
    ledger.execute("insert into specs values ('x', ?)", text)
    assert ledger.query("select spec from specs where spec = ?", text) == [(text,)]


def test_a_reason_with_a_zero_byte_is_still_stored(ledger: Ledger) -> None:
    backend = FakeBackend(failures=[UncertainError("before\0after")])
    tick(ledger, backend)
    (found,) = ledger.dispatches("job_id = 'a'")
    assert found.state is State.UNKNOWN
    assert found.reason is not None
    assert found.reason.startswith("before")


def test_ex07_one_is_at_work_and_the_others_learn_who(opened: Opener) -> None:
    with opened() as first, opened() as second:
        backend = FakeBackend()
        with leased(first, holder="first on host", now=at("02:00")) as mine:
            assert mine
            assert tick(second, backend).at_work == "first on host"
        assert backend.submitted == []
        assert tick(second, backend).at_work is None
        assert len(backend.submitted) == 1


def test_ex08_who_lost_the_lease_cannot_write_any_more(opened: Opener) -> None:
    with opened() as frozen, opened() as later:
        tick(frozen, FakeBackend())
        frozen.take_lease(holder="frozen", at_us=1)
        (row_b,) = frozen.dispatches("job_id = 'b'")
        later.take_lease(holder="later", at_us=2)
        with pytest.raises(LeaseLostError, match="later"):
            frozen.move(row_b, State.INTENT, at_us=3, actor="frozen")
        assert later.dispatches("job_id = 'b'") == [row_b]


def test_ex10_a_writer_is_waited_for_up_to_a_limit(opened: Opener) -> None:
    with opened(busy_s=0.1) as ledger, opened() as other:
        backend = FakeBackend()
        with other.transaction():
            with pytest.raises(LedgerBusyError, match="next run goes on"):
                tick(ledger, backend)
            assert backend.submitted == []
        tick(ledger, backend)
        assert len(backend.submitted) == 1


def test_writers_follow_one_another_and_none_is_lost(opened: Opener) -> None:
    opened().close()

    def write(name: str) -> None:
        with opened(host=name) as ledger:
            for n in range(10):
                with ledger.transaction():
                    (count,) = ledger.query("select count(*) from specs")[0]
                    ledger.execute(
                        "insert into specs values (?, ?)", f"{name}{n}", str(count)
                    )

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened() as ledger:
        counts = ledger.query("select spec from specs")
        assert sorted(int(count) for (count,) in counts) == list(range(30))


def test_eight_who_open_it_for_the_first_time_make_one_ledger(opened: Opener) -> None:
    sites = set()

    def open_one(host: str) -> None:
        with opened(host=host) as ledger:
            sites.add(ledger.site)

    threads = [threading.Thread(target=open_one, args=(host,)) for host in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sites) == 1


def test_ex12_an_older_ledger_than_this_host_has_seen_is_refused(
    opened: Opener, tmp_path: Path
) -> None:
    with opened() as ledger:
        tick(ledger, FakeBackend())
        ledger.execute("update lease set number = 0")
    with pytest.raises(LedgerDamagedError, match="older than"):
        opened()


def test_ex12_the_ledger_of_another_site_is_refused(
    opened: Opener, tmp_path: Path
) -> None:
    opened(site="here").close()
    marker = {"site": "there", "lease": 0}
    (tmp_path / MARKER).write_text(json.dumps(marker))
    with pytest.raises(LedgerDamagedError, match="site here, but site there"):
        opened()


def test_ex12_a_ledger_without_its_site_is_refused(opened: Opener) -> None:
    with opened() as ledger:
        ledger.execute("delete from site")
    with pytest.raises(LedgerDamagedError, match="which site"):
        opened()


def test_ex12_where_a_ledger_was_no_empty_one_is_made(
    opened: Opener, tmp_path: Path
) -> None:
    (tmp_path / MARKER).write_text(json.dumps({"site": "s", "lease": 3}))
    with pytest.raises(LedgerMissingError, match="existed and is gone"):
        opened()
    (tmp_path / MARKER).unlink()
    opened().close()


def test_ex13_a_newer_ledger_is_refused_naming_both_versions(opened: Opener) -> None:
    with opened() as ledger, ledger.transaction():
        ledger.store.set_version(VERSION + 1)
    message = f"version {VERSION + 1}, this program knows up to {VERSION}"
    with pytest.raises(LedgerVersionError, match=message):
        opened()


def test_ex13_an_upgrade_is_whole_or_not_at_all(ledger: Ledger) -> None:
    tick(ledger, FakeBackend())
    script = "create table more (x text); insert into more values ('y')"
    with contextlib.suppress(Stopped), ledger.transaction():
        migrate(ledger.store, (*MIGRATIONS, script))
        raise Stopped
    assert ledger.store.version() == VERSION
    with ledger.transaction():
        migrate(ledger.store, (*MIGRATIONS, script))
    assert ledger.store.version() == VERSION + 1
    assert ledger.query("select x from more") == [("y",)]
    assert states(ledger) == {"a": "sent", "b": "planned"}


def test_ex04_who_is_stopped_between_any_two_statements_loses_nothing(
    opened: Opener,
) -> None:
    """The executor's run ends at its n-th statement, for every seventh n."""
    opened().close()
    backend, n = FakeBackend(settle=timedelta(0)), 0
    finished = False
    while not finished:
        n += 7
        with opened() as ledger:
            left = [n]
            ledger.store = Stopping(ledger.store, left)  # type: ignore[assignment]
            with contextlib.suppress(Stopped):
                follow(ledger, backend, day_of(n))
                finished = True
        with opened() as ledger:
            follow(ledger, backend, None)
    with opened() as ledger:
        assert verify(ledger) == ()
        ever = {key for (key,) in ledger.query("select key from dispatches")}
        assert len(backend.submitted) == len(set(backend.submitted))
        assert set(backend.submitted) <= ever
    assert n > 20


def day_of(n: int) -> Any:
    return plan_of(*(row(f"j{k}") for k in range(n % 3 + 2)), serial=n)


class Stopped(BaseException):
    """The process ended here."""


class Stopping:
    """A store whose n-th statement is never made, nor anything after it."""

    def __init__(self, store: Any, left: list[int]) -> None:
        self._store, self._left = store, left

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in ("execute", "execute_many", "query", "begin", "commit"):
            return found

        def counted(*args: Any) -> Any:
            self._left[0] -= 1
            if self._left[0] <= 0:
                raise Stopped
            return found(*args)

        return counted
