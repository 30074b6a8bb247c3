"""A ledger on a real PostgreSQL that stops, hangs up, is emptied or is not one."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PosixPath
from typing import Any, ClassVar

import pytest

from planner.executor import run_folder
from planner.executor.backends.host_bound import bind_to_host
from planner.executor.dispatch import Tick, run_once
from planner.executor.errors import (
    ExecutionError,
    LedgerDamagedError,
    LedgerError,
    LedgerLostError,
    LedgerMissingError,
    LedgerPlaceError,
)
from planner.executor.leases import leased
from planner.executor.ledger import Ledger
from planner.executor.ledger_place import ledger_url, open_ledger_at
from planner.executor.ledger_server import open_server_ledger, place_of
from planner.executor.marker import MARKER
from planner.executor.states import State
from planner.executor.verification import verify
from tests.factories_executor import MADE, FakeBackend, at, plan_of, row, until
from tests.postgres_server import PASSWORD, Server, running_server
from tests.processes import python
from tests.slurm_commands import FakeSlurm


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return server.new_database()


def opened(url: str, folder: Path, **facts: Any) -> Ledger:
    return open_server_ledger(url, folder, now=MADE, site="site", **facts)


def tick(ledger: Ledger, backend: Any, when: str = "02:00", actor: str = "a:1") -> Tick:
    return run_once(
        plan=plan_of(row("a"), row("b", "04:00")),
        ledger=ledger,
        backends=bind_to_host({"shell": backend}, ledger, actor=actor),
        now=at(when),
        actor=actor,
    )


def hang_up(connection: socket.socket) -> None:
    """Not only close it: another thread may still wait for what arrives."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class Cutter:
    """A relay to the server that hangs up at the nth message that holds a word."""

    def __init__(self, port: int) -> None:
        self.word, self.after, self.countdown = b"", False, 0
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self, word: bytes, *, after: bool, nth: int = 1) -> None:
        """Before or after the server has got the message."""
        self.word, self.after, self.countdown = word, after, nth

    def close(self) -> None:
        hang_up(self._listener)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            upstream = socket.create_connection(("127.0.0.1", self._port))
            pair = (client, upstream)
            threading.Thread(target=self._ask, args=pair, daemon=True).start()
            threading.Thread(target=self._answer, args=pair, daemon=True).start()

    def _ask(self, client: socket.socket, upstream: socket.socket) -> None:
        try:
            while data := client.recv(1 << 16):
                if self.word and self.word in data:
                    self.countdown -= 1
                    if self.countdown == 0:
                        self._hang_up(client, upstream, data)
                        return
                upstream.sendall(data)
        except OSError:
            pass
        finally:
            hang_up(upstream)

    def _hang_up(
        self, client: socket.socket, upstream: socket.socket, data: bytes
    ) -> None:
        self.word = b""
        client.shutdown(socket.SHUT_RDWR)
        if self.after:
            upstream.sendall(data)
            # The server has done it when it would take the next order.
            upstream.shutdown(socket.SHUT_WR)
            until(lambda: not upstream.recv(1 << 16))

    def _answer(self, client: socket.socket, upstream: socket.socket) -> None:
        try:
            while not self.after and (data := upstream.recv(1 << 16)):
                client.sendall(data)
            while data := upstream.recv(1 << 16):
                client.sendall(data)
        except OSError:
            pass
        finally:
            hang_up(client)


@contextmanager
def cutter(server: Server) -> Iterator[Cutter]:
    relay = Cutter(server.port)
    try:
        yield relay
    finally:
        relay.close()


@pytest.mark.parametrize("after", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_ex02_ex05_a_connection_lost_at_any_commit_sends_each_job_once(
    server: Server, url: str, tmp_path: Path, after: bool, nth: int
) -> None:
    backend = FakeBackend()
    opened(url, tmp_path).close()
    with cutter(server) as relay:
        through = url.replace(f":{server.port}/", f":{relay.port}/")
        with opened(through, tmp_path) as ledger:
            relay.cut(b"commit", after=after, nth=nth)
            lost: list[str] = []
            try:
                tick(ledger, backend)
            except LedgerLostError as error:
                lost.append(str(error))
        assert lost
        assert all("by what the server has stored" in text for text in lost)
        assert all(PASSWORD not in text for text in lost)
    with opened(url, tmp_path) as ledger:
        until(lambda: tick(ledger, backend).at_work is None)
        tick(ledger, backend, "04:00")
        assert verify(ledger) == ()
    sent = [backend.orders[key].job_id for key in backend.submitted]
    assert sent == ["a", "b"]


def test_a_server_that_restarts_in_mid_transaction_keeps_what_was_committed(
    server: Server, url: str, tmp_path: Path
) -> None:
    backend = FakeBackend()
    with opened(url, tmp_path) as ledger:
        tick(ledger, backend)
        (row_b,) = ledger.dispatches("job_id = 'b'")

        def interrupted() -> None:
            with ledger.transaction():
                ledger.move(row_b, State.CANCELLED, at_us=3, actor="test")
                server.stop("immediate")

        with pytest.raises(LedgerLostError):
            interrupted()
        with pytest.raises(LedgerLostError):
            tick(ledger, backend)
        with pytest.raises(LedgerError, match="cannot be reached") as refused:
            opened(url, tmp_path)
        assert PASSWORD not in str(refused.value)
        server.start()
    with opened(url, tmp_path) as ledger:
        assert ledger.dispatches("job_id = 'b'") == [row_b]
        tick(ledger, backend, "04:00")
        assert verify(ledger) == ()
    assert len(backend.submitted) == len(set(backend.submitted)) == 2


def test_ex08_who_lost_the_session_cannot_act_after_another_took_over(
    url: str, tmp_path: Path
) -> None:
    with opened(url, tmp_path / "a") as first, opened(url, tmp_path / "b") as second:
        tick(first, FakeBackend())
        (row_b,) = first.dispatches("job_id = 'b'")
        with leased(first, holder="a:1", now=at("04:00")) as mine:
            assert mine
            (session,) = first.query("select pg_backend_pid()")[0]
            assert tick(second, FakeBackend()).at_work == "a:1"
            second.query("select pg_terminate_backend(?)", session)
            until(lambda: tick(second, FakeBackend(), actor="b:1").at_work is None)
            with pytest.raises(LedgerLostError):
                first.move(row_b, State.INTENT, at_us=3, actor="a:1")
        assert second.dispatches("job_id = 'b'") == [row_b]


HOLDS = """
import os, sys
from pathlib import Path
from planner.executor.leases import leased
from planner.executor.ledger_server import open_server_ledger
from tests.factories_executor import MADE

folder = Path(sys.argv[1])
with open_server_ledger(os.environ["LEDGER_OF_TEST"], folder, now=MADE) as ledger:
    with leased(ledger, holder="frozen:1", now=MADE) as mine:
        print(mine, flush=True)
        sys.stdin.readline()
"""


def test_ex08_ex09_a_frozen_executor_is_waited_for_and_a_killed_one_is_not(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_OF_TEST", url)
    with python("-c", HOLDS, str(tmp_path / "a"), stdin=-1, stdout=-1) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        holder.send_signal(signal.SIGSTOP)
        with opened(url, tmp_path / "b") as ledger:
            backend = FakeBackend()
            assert tick(ledger, backend).at_work == "frozen:1"
            assert backend.submitted == []
            holder.kill()
            until(lambda: tick(ledger, backend).at_work is None)
            assert len(backend.submitted) == 1


def test_another_hosts_shell_job_is_neither_doubled_nor_declared_lost(
    url: str, tmp_path: Path
) -> None:
    here, there = FakeBackend(refuses_repeats=True), FakeBackend(refuses_repeats=True)
    with opened(url, tmp_path / "a") as ledger:
        tick(ledger, here, actor="a:1")
    with opened(url, tmp_path / "b") as ledger:
        tick(ledger, there, "02:30", actor="b:7")
        assert [d.state for d in ledger.dispatches("job_id = 'a'")] == [State.SENT]
        tick(ledger, there, "04:00", actor="b:7")
    assert [here.orders[key].job_id for key in here.submitted] == ["a"]
    assert [there.orders[key].job_id for key in there.submitted] == ["b"]


def test_ex12_an_emptied_database_is_not_filled_anew(url: str, tmp_path: Path) -> None:
    import psycopg

    with opened(url, tmp_path) as ledger:
        tick(ledger, FakeBackend())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    with pytest.raises(LedgerMissingError, match="existed and is gone"):
        opened(url, tmp_path)
    with pytest.raises(LedgerMissingError, match="existed and is gone"):
        open_ledger_at(tmp_path, url=url, now=MADE, rehearsal=True)


def test_ex12_a_database_that_lost_its_version_is_refused(
    url: str, tmp_path: Path
) -> None:
    with opened(url, tmp_path) as ledger:
        ledger.execute("drop table ledger_version")
    with pytest.raises(LedgerDamagedError, match="but not its version"):
        opened(url, tmp_path / "another host")


def test_a_rehearsal_makes_no_tables(url: str, tmp_path: Path) -> None:
    with open_ledger_at(tmp_path, url=url, now=MADE, rehearsal=True) as ledger:
        assert ledger.name == "ledger in memory"
    assert list(tmp_path.iterdir()) == []


class MadeMeanwhile(PosixPath):
    """A folder whose marker another executor makes just before it is looked for."""

    url: ClassVar[str]

    def exists(self) -> bool:
        if self.name == MARKER:
            opened(self.url, Path(self.parent)).close()
        return super().exists()


def test_a_rehearsal_beside_the_first_opening_does_not_call_the_ledger_gone(
    url: str, tmp_path: Path
) -> None:
    MadeMeanwhile.url = url
    folder = MadeMeanwhile(tmp_path)
    with open_ledger_at(folder, url=url, now=MADE, rehearsal=True) as ledger:
        assert ledger.site == "site"


def test_a_server_that_may_only_be_read_is_refused(url: str, tmp_path: Path) -> None:
    opened(url, tmp_path).close()
    read_only = f"{url}?options=-cdefault_transaction_read_only%3Don"
    with (
        opened(read_only, tmp_path) as ledger,
        pytest.raises(LedgerPlaceError, match="may only be read"),
    ):
        tick(ledger, FakeBackend())


def test_a_database_that_cannot_hold_every_text_is_refused(
    server: Server, url: str, tmp_path: Path
) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "create database narrow encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' "
            "template template0"
        )
    with pytest.raises(LedgerPlaceError, match="LATIN1"):
        opened(server.url("narrow"), tmp_path)


def test_se09_the_password_is_in_no_message(server: Server, tmp_path: Path) -> None:
    secret = "canary-wrong-password"
    for url in (
        server.url("postgres", password=secret),
        server.url("postgres", password=secret, port=1),
        f"postgresql://planner:{secret}@127.0.0.1:none/x",
        f"postgresql://planner:{secret}@[::1/x",
        f"mysql://planner:{secret}@127.0.0.1/x",
        f"postgresql://127.0.0.1/x?nonsense={secret}",
    ):
        with pytest.raises(LedgerError) as refused:
            opened(url, tmp_path)
        shown = [refused.value, refused.value.__cause__]
        assert secret not in " ".join(map(str, shown))
    assert place_of(f"postgres://u:{secret}@db.example/x") == (
        "postgresql://db.example:5432/x"
    )


def test_without_its_driver_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ExecutionError, match=r"carbon-batch-planner\[postgres\]"):
        open_ledger_at(tmp_path, url="postgresql://h/d", now=MADE)


def test_the_address_is_taken_from_a_variable_and_kept_from_jobs() -> None:
    assert ledger_url({"A": "1"}) == (None, {"A": "1"})
    direct = {"PLANNER_LEDGER": "postgresql://h/d", "A": "1"}
    assert ledger_url(direct) == ("postgresql://h/d", {"A": "1"})
    named = {"PLANNER_LEDGER": "env:DB", "DB": "postgresql://h/d", "A": "1"}
    assert ledger_url(named) == ("postgresql://h/d", {"A": "1"})
    assert ledger_url({"DB": "postgresql://h/d"}, "env:DB") == ("postgresql://h/d", {})
    with pytest.raises(LedgerError, match="DB, which is not set"):
        ledger_url({}, "env:DB")
    with pytest.raises(LedgerError, match="env:NAME") as refused:
        ledger_url({}, "postgresql://u:canary@h/d")
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("shared", [False, True])
def test_another_hosts_slurm_job_is_judged_only_where_its_folder_is_seen(
    url: str, tmp_path: Path, shared: bool
) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    here = FakeSlurm(tmp_path / "a")
    there = here if shared else FakeSlurm(tmp_path / "b")
    claim = {"slurm_job": "17", "claimed_at": "2026-11-22T02:00:00+00:00"}
    ended = {"started_at": "2026-11-22T02:00:00Z", "ended_at": "2026-11-22T02:01:00Z"}

    def follow(ledger: Ledger, slurm: FakeSlurm, actor: str) -> None:
        own = {"slurm": slurm.backend()}
        run_once(
            plan=plan_of(row("a", executor="slurm")),
            ledger=ledger,
            backends=bind_to_host(own, ledger, actor=actor),
            now=at("02:00" if actor == "a:1" else "02:10"),
            actor=actor,
        )

    with opened(url, tmp_path / "host-a") as ledger:
        follow(ledger, here, "a:1")
        (sent,) = ledger.dispatches("1 = 1")
    if shared:
        output = here.backend().logs(sent.key, None).stdout
        assert isinstance(output, Path)
        assert run_folder.claim(output.parent, claim)
        result = {"exit_code": 0, **ended}
        run_folder.write_json(output.parent / run_folder.RESULT, result)
    with opened(url, tmp_path / "host-b") as ledger:
        follow(ledger, there, "b:7")
        (found,) = ledger.dispatches("1 = 1")
    assert found.state is (State.DONE if shared else State.SENT)
    assert len(here.calls("sbatch")) == 1
    assert shared or not there.called
