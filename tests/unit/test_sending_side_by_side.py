"""Orders to a back end that takes several at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.errors import BackendError, NotTakenError, UncertainError
from planner.executor.verification import verify
from tests.executor_site import Site
from tests.factories_executor import FakeBackend, plan_of, row

AT_ONCE = 4


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.backend = FakeBackend(at_once=AT_ONCE)
    yield site
    assert verify(site.ledger) == ()
    site.ledger.close()


def jobs(n: int, **facts: Any) -> Any:
    return plan_of(*(row(f"j{i:02}", **facts) for i in range(n)))


def most_intents(site: Site) -> int:
    """How many intents stood without an answer at the same time, at most."""
    steps = site.ledger.query(
        "select before_state, after_state from transitions order by sequence"
    )
    now = most = 0
    for before, after in steps:
        now += (after == "intent") - (before == "intent")
        most = max(most, now)
    assert now == 0
    return most


def test_all_are_sent_once_and_each_after_its_intent_was_stored(site: Site) -> None:
    together = threading.Barrier(AT_ONCE)
    first: list[str] = []

    def meet(order: Order) -> None:
        if first:
            together.wait(20)
        first.append(order.key)

    site.backend.on_submit = meet
    site.tick(jobs(1 + 2 * AT_ONCE), "02:00")
    assert set(site.states().values()) == {"sent"}
    assert len(set(site.backend.submitted)) == len(site.backend.submitted) == 9
    assert most_intents(site) == AT_ONCE


def test_a_back_end_that_is_down_is_called_one_at_a_time_and_then_left_alone(
    site: Site,
) -> None:
    site.backend.failures = [NotTakenError("down") for _ in range(20)]
    tick = site.tick(jobs(20), "02:00")
    assert len(site.backend.failures) == 17
    assert (tick.resting, most_intents(site)) == (17, 1)
    assert set(site.states().values()) == {"planned"}


def test_answers_that_are_lost_among_others_are_in_doubt_and_looked_up(
    site: Site,
) -> None:
    lost = UncertainError("no answer")
    site.backend.failures = [None, lost, None, lost, None, None]
    site.backend.takes_before_failing = True
    site.tick(jobs(6), "02:00")
    assert sorted(site.states().values()) == ["sent"] * 4 + ["unknown"] * 2
    site.tick(None, "02:01")
    assert set(site.states().values()) == {"sent"}
    assert len(site.backend.submitted) == 6


def test_told_to_leave_it_sends_no_more_and_keeps_the_answers_under_way(
    site: Site,
) -> None:
    sent = threading.Semaphore(0)
    site.backend.on_submit = lambda order: sent.release()
    asked: list[None] = []

    def told() -> bool:
        asked.append(None)
        return len(asked) > 3

    site.tick(jobs(9), "02:00", stop=told)
    states = list(site.states().values())
    assert (states.count("sent"), states.count("planned")) == (3, 6)


def test_a_run_that_breaks_off_leaves_intents_that_the_next_one_looks_up(
    site: Site,
) -> None:
    def broken(order: Order) -> None:
        if order.job_id == "j02":
            raise ZeroDivisionError

    site.backend.on_submit = broken
    with pytest.raises(ZeroDivisionError):
        site.tick(jobs(6), "02:00")
    assert "intent" in site.states().values()
    site.backend.on_submit = lambda order: None
    for minute in (1, 2):
        site.tick(jobs(6), f"02:0{minute}")
    assert set(site.states().values()) == {"sent"}
    assert sorted(site.sent()) == [f"j{i:02}" for i in range(6)]


class Meeting(FakeBackend):
    """Answers no question but the first before as many were put as it takes."""

    def __init__(self) -> None:
        super().__init__(at_once=AT_ONCE)
        self.together = threading.Barrier(AT_ONCE)
        self.asked: list[str] = []

    def status(self, key: str, handle: str | None) -> Report:
        if self.asked:
            self.together.wait(20)
        self.asked.append(key)
        return self.look_up(key)


def test_how_sent_ones_stand_is_asked_side_by_side(site: Site) -> None:
    site.backend = Meeting()
    site.tick(jobs(1 + AT_ONCE), "02:00")
    for n in range(1 + AT_ONCE):
        site.ends(f"j{n:02}", Phase.DONE, exit_code=0)
    site.tick(None, "02:30")
    assert set(site.states().values()) == {"done"}
    assert len(set(site.backend.asked)) == 1 + AT_ONCE


class Silent(FakeBackend):
    """Answers no question, and counts how many are put at the same time."""

    def __init__(self) -> None:
        super().__init__(at_once=AT_ONCE)
        self.lock = threading.Lock()
        self.under_way = self.most = 0

    def status(self, key: str, handle: str | None) -> Report:
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        threading.Event().wait(0.005)
        with self.lock:
            self.under_way -= 1
        raise BackendError("silence")


def test_questions_that_come_to_nothing_are_put_one_at_a_time(site: Site) -> None:
    site.backend = Silent()
    site.tick(jobs(3 * AT_ONCE), "02:00")
    tick = site.tick(None, "02:30")
    assert [silence.dispatches for silence in tick.silences] == [3 * AT_ONCE]
    assert site.backend.most == 1
