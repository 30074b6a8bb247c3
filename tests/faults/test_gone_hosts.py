"""Hosts of a shared ledger that are gone, or came back under another name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.cli.status import _silent
from planner.executing import Steps
from planner.executor.backends.host_bound import bind_to_host
from planner.executor.dispatch import run_once
from planner.executor.history import newest_step
from planner.executor.hosts import SilentHost, silent_hosts
from planner.executor.instants import to_us
from planner.executor.ledger import Ledger
from planner.executor.ledger_server import open_server_ledger
from planner.executor.states import State
from planner.executor.status import status
from planner.executor.wishes import Verb, make_wish, wishes_numbered
from planner.operations.untold import untold
from tests.factories_executor import DAY, MADE, FakeBackend, at, plan_of, row
from tests.postgres_server import Server

PLAN = plan_of(
    row("a", minutes=600), row("b", "04:00", on_missed="skip", depends_on=["a"])
)


@pytest.fixture
def ledger(ledger_server: Server, tmp_path: Path) -> Iterator[Ledger]:
    url = ledger_server.new_database()
    with open_server_ledger(url, tmp_path, now=MADE, site="site") as ledger:
        yield ledger


def tick(ledger: Ledger, host: str, when: str) -> None:
    backends = {"shell": FakeBackend()}
    run_once(
        plan=PLAN,
        ledger=ledger,
        backends=bind_to_host(backends, ledger, actor=f"{host}:1"),
        now=at(when),
        actor=f"{host}:1",
    )


def close(ledger: Ledger, state: State, when: str) -> str | None:
    wish: dict[str, Any] = {"date": DAY.isoformat(), "target": "a", "reason": "burnt"}
    number = make_wish(
        ledger,
        verb=Verb.CLOSE,
        state=state,
        at_us=to_us(at(when)),
        actor="anna",
        **wish,
    )
    tick(ledger, "node-c", when)
    return wishes_numbered(ledger, [number])[0].outcome


def states(ledger: Ledger) -> dict[str, str]:
    return dict(ledger.query("select job_id, state from dispatches"))


def test_a_host_that_was_not_at_work_for_ten_minutes_is_named_with_its_jobs(
    ledger: Ledger,
) -> None:
    tick(ledger, "node-b", "02:00")
    tick(ledger, "node-b", "02:05")
    tick(ledger, "node-c", "02:14")
    assert silent_hosts(ledger, now=at("02:15")) == ()
    (host,) = silent_hosts(ledger, now=at("02:16"))
    assert host == SilentHost(
        host="node-b", seen_at=at("02:05"), jobs=("a",), dates=("2026-11-22",)
    )
    hosts = {r.job_id: r.host for r in status(ledger, PLAN, now=at("02:16"))}
    assert hosts == {"a": "node-b", "b": None}


def test_a_run_of_a_host_that_is_gone_is_closed_by_a_persons_word(
    ledger: Ledger,
) -> None:
    tick(ledger, "node-b", "02:00")
    tick(ledger, "node-c", "03:00")
    assert states(ledger) == {"a": "sent", "b": "planned"}
    assert close(ledger, State.DONE, "03:10") == "closed as done"
    tick(ledger, "node-c", "04:00")
    assert states(ledger) == {"a": "done", "b": "sent"}
    assert silent_hosts(ledger, now=at("04:01")) == ()


def test_a_run_of_a_host_that_was_just_at_work_is_not_closed_yet(
    ledger: Ledger,
) -> None:
    tick(ledger, "node-b", "02:00")
    said = close(ledger, State.FAILED, "02:09")
    assert said is not None
    assert said.endswith("if it is gone, say so after 2026-11-22T02:10:00Z")
    assert states(ledger)["a"] == "sent"
    assert close(ledger, State.FAILED, "02:10") == "closed as failed"


def test_a_host_that_closes_its_own_run_need_not_be_silent(ledger: Ledger) -> None:
    tick(ledger, "node-c", "02:00")
    assert close(ledger, State.FAILED, "02:01") == "closed as failed"


def test_each_host_tells_of_its_own_troubles(ledger: Ledger) -> None:
    tick(ledger, "node-b", "05:00")
    missed = {"b"}  # a still fits before the end of the day

    def told(host: str) -> set[object]:
        last = newest_step(ledger)
        steps = Steps(site="site", before=last, after=last, actor=f"{host}:2")
        found = untold(ledger, steps, told=0, now=at("05:01"))
        return {incident.facts["job_id"] for incident in found}

    assert (told("node-b"), told("node-c")) == (missed, set())


def test_status_says_since_when_a_host_is_silent_and_what_to_do() -> None:
    from zoneinfo import ZoneInfo

    jobs = tuple(f"job-{n}" for n in range(7))
    host = SilentHost(host="b", seen_at=at("02:00"), jobs=jobs, dates=("2026-11-22",))
    assert _silent(host, ZoneInfo("Europe/Berlin")) == (
        "host b: last at work 2026-11-22T03:00+01:00; it alone can tell what became of "
        "job-0, job-1, job-2, job-3, job-4 and 2 more (2026-11-22). If it is gone for "
        "good, say so: planner close"
    )
