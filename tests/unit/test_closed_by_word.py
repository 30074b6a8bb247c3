"""Runs that nobody can look up any more, closed by the word of a person."""

from __future__ import annotations

import pytest

from planner.executor.backends.backend import Phase, Report
from planner.executor.errors import BackendError
from planner.executor.states import State
from planner.executor.wishes import Verb, pending, wishes_numbered
from tests.executor_site import Site
from tests.factories_executor import plan_of, row

PLAN = plan_of(row("a", retries=3), row("b", "04:00", depends_on=["a"]))
WORDS = "says anna: its host is gone"


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


def in_doubt(site: Site, phase: Phase = Phase.LOST) -> None:
    """Job ``a`` was sent, and its back end knows nothing of it any more."""
    site.tick(PLAN, "02:00")
    site.ends("a", phase)
    site.tick(PLAN, "02:10")
    assert site.states() == {"a": "unknown", "b": "planned"}


def closed(site: Site, state: State, when: str = "02:20", job: str = "a") -> str | None:
    number = site.wish(Verb.CLOSE, job, when, "its host is gone", state=state)
    site.tick(PLAN, when)
    return wishes_numbered(site.ledger, [number])[0].outcome


def test_what_a_person_calls_done_is_done_and_others_go_on(site: Site) -> None:
    in_doubt(site)
    assert closed(site, State.DONE) == "closed as done"
    assert site.reason("a") == f"done, {WORDS}"
    assert site.history("a")[-1] == ("anna", "unknown", "done", f"done, {WORDS}")
    site.tick(PLAN, "04:00")
    assert site.states() == {"a": "done", "b": "sent"}


def test_what_a_person_calls_failed_waits_for_a_retry_and_blocks_others(
    site: Site,
) -> None:
    in_doubt(site)
    assert closed(site, State.FAILED) == "closed as failed"
    site.tick(PLAN, "02:30")
    assert site.states() == {"a": "failed", "b": "blocked"}
    site.wish(Verb.RETRY, "a", "02:40")
    site.tick(PLAN, "02:40")
    assert site.states() == {"a": "failed", "a#2": "sent", "b": "planned"}


@pytest.mark.parametrize("state", ["sent", "running"])
def test_a_run_whose_back_end_is_silent_may_be_closed(site: Site, state: str) -> None:
    site.tick(PLAN, "02:00")
    if state == "running":
        site.ends("a", Phase.RUNNING)
        site.tick(PLAN, "02:01")
    assert site.states()["a"] == state
    site.backend.look_up_error = BackendError("gone for good")
    assert closed(site, State.FAILED) == "closed as failed"


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.DONE])
def test_what_the_back_end_can_tell_goes_before_what_people_say(
    site: Site, phase: Phase
) -> None:
    in_doubt(site)
    site.ends("a", phase)
    said = f"not closed, its back end says that it is {phase.value}"
    assert closed(site, State.FAILED) == said
    assert site.states()["a"] == phase.value


def test_a_run_that_its_back_end_lost_cannot_begin_after_it_was_closed(
    site: Site,
) -> None:
    in_doubt(site, Phase.ABSENT)
    assert closed(site, State.FAILED) == "closed as failed"
    assert site.backend.cancelled == site.backend.submitted


def test_a_rehearsal_tells_a_back_end_nothing_of_it(site: Site) -> None:
    in_doubt(site)
    site.wish(Verb.CLOSE, "a", "02:20", state=State.FAILED)
    tick = site.tick(PLAN, "02:20", dry_run=True)
    assert [event.state for event in tick.failed] == [State.FAILED]
    assert (site.backend.cancelled, len(pending(site.ledger))) == ([], 1)


def test_a_run_that_turns_up_while_it_is_closed_is_followed(site: Site) -> None:
    in_doubt(site)
    site.backend.cancel = lambda key, handle: Report(phase=Phase.RUNNING)  # type: ignore[method-assign]
    said = "not closed, its back end says that it is running"
    assert closed(site, State.DONE) == said


def test_only_what_may_run_can_be_closed(site: Site) -> None:
    in_doubt(site)
    never = "not closed, it was never sent; planner cancel keeps it from that"
    assert closed(site, State.DONE, job="b") == never
    assert closed(site, State.DONE) == "closed as done"
    assert closed(site, State.FAILED, "02:30") == "nothing to close, it is done"
