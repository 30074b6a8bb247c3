"""One run of the executor over a fake back end and a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from outputs.errors import PlanFormatError, StalePlanError
from planner.executor.backends.backend import Phase, Report
from planner.executor.dispatch import run_once
from planner.executor.errors import (
    BackendError,
    ClockError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from planner.executor.states import State
from planner.executor.status import status
from planner.executor.verification import verify
from tests.executor_site import Site
from tests.factories_executor import (
    MADE,
    at,
    plan_of,
    row,
    unplaced,
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    assert verify(site.ledger) == ()
    site.ledger.close()


def test_a_job_is_sent_when_due_and_not_before(site: Site) -> None:
    plan = plan_of(row("a", "02:00"))
    assert site.tick(plan, "01:59").started == ()
    assert [e.job_id for e in site.tick(plan, "02:00").started] == ["a"]
    assert site.tick(plan, "02:01").started == ()
    assert len(site.backend.submitted) == 1


def test_unplaced_rows_are_never_sent(site: Site) -> None:
    site.tick(plan_of(unplaced("u"), row("a")), "02:00")
    assert site.states() == {"a": "sent"}


def test_the_order_says_where_and_until_when_the_job_runs(site: Site) -> None:
    command = ("run", "--wrap=x", "$(touch x)")
    plan = plan_of(row("a", command=command, region="south", segment=3, env={"A": "b"}))
    site.tick(plan, "02:00")
    (order,) = site.backend.orders.values()
    assert order.command == command
    assert order.env == {
        "A": "b",
        "PLANNER_JOB_ID": "a",
        "PLANNER_SEGMENT": "3",
        "PLANNER_REGION": "south",
        "PLANNER_REPLICAS": "1",
        "PLANNER_END": "2026-11-22T03:00:00Z",
        "PLANNER_KEY": order.key,
    }


def test_a_finished_job_is_done_with_its_times_and_exit_status(site: Site) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.ends(
        "a", Phase.DONE, started_at=at("02:00"), ended_at=at("02:40"), exit_code=0
    )
    tick = site.tick(plan, "02:41")
    assert [e.state for e in tick.finished] == [State.DONE]
    (line,) = status(site.ledger, plan, now=at("02:41"))
    assert (line.started_at, line.ended_at, line.exit_code) == (
        at("02:00"),
        at("02:40"),
        0,
    )


def test_a_failed_job_makes_the_run_troubled_and_is_not_tried_again(site: Site) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=1, reason="exit status 1")
    assert site.tick(plan, "02:05").troubled
    site.tick(plan, "02:30")
    assert site.states() == {"a": "failed"}


def test_a_failed_job_is_tried_again_under_a_new_key_if_it_allows(site: Site) -> None:
    plan = plan_of(row("a", minutes=30, retries=1))
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=1)
    site.tick(plan, "02:10")
    assert site.states() == {"a": "failed", "a#2": "planned"}
    site.tick(plan, "02:11")
    assert len(set(site.backend.submitted)) == 2
    site.ends("a", Phase.FAILED, exit_code=1)
    site.tick(plan, "02:20")
    assert site.states() == {"a": "failed", "a#2": "failed"}


def test_a_retry_that_could_not_end_in_time_is_not_made(site: Site) -> None:
    plan = plan_of(row("a", retries=3, deadline="2026-11-22T03:30:00+00:00"))
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=1)
    site.tick(plan, "02:40")
    assert site.states() == {"a": "failed"}


def test_a_row_for_an_unknown_back_end_fails_alone(site: Site) -> None:
    tick = site.tick(plan_of(row("a", executor="slurm"), row("b")), "02:00")
    assert [e.detail for e in tick.failed] == [
        "no back end is called slurm; there is shell"
    ]
    assert site.states() == {"a": "failed", "b": "sent"}


def test_ex15_what_the_back_end_refuses_fails_and_what_passes_is_tried_again(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00"), row("b", "02:00"), row("c", "02:00"))
    site.backend.failures = [RejectedError("bad"), NotTakenError("slow down"), None]
    site.tick(plan, "02:00")
    assert sorted(site.states().values()) == ["failed", "planned", "sent"]
    site.tick(plan, "02:01")
    assert sorted(site.states().values()) == ["failed", "sent", "sent"]


@pytest.mark.parametrize("taken", [True, False])
def test_ex05_a_send_without_an_answer_is_looked_up_by_its_key(
    site: Site, taken: bool
) -> None:
    plan = plan_of(row("a"))
    site.backend.failures = [UncertainError("timed out")]
    site.backend.takes_before_failing = taken
    assert [e.job_id for e in site.tick(plan, "02:00").unknown] == ["a"]
    site.tick(plan, "02:01")
    assert site.states() == {"a": "sent"}
    assert len(site.backend.submitted) == 1


def test_ex06_while_the_look_up_is_down_the_job_stays_unknown(site: Site) -> None:
    plan = plan_of(row("a", minutes=10))
    site.backend.failures = [UncertainError("timed out")]
    site.backend.look_up_error = BackendError("down")
    for minute in range(30):
        site.tick(plan, f"02:{minute:02}")
        assert site.states() == {"a": "unknown"}
    assert site.backend.submitted == []
    site.backend.look_up_error = None
    site.tick(plan, "02:30")
    assert site.states() == {"a": "sent"}


def test_ex18_an_absent_key_is_sent_again_after_the_settle_time(
    site: Site,
) -> None:
    plan = plan_of(row("a"))
    site.backend.settle = timedelta(minutes=3)
    site.backend.failures = [UncertainError("timed out")]
    site.tick(plan, "02:00")
    site.tick(plan, "02:02")
    assert site.states() == {"a": "unknown"}
    site.tick(plan, "02:03")
    assert site.states() == {"a": "sent"}


def test_an_unknown_job_that_was_never_taken_is_missed_when_it_is_too_late(
    site: Site,
) -> None:
    plan = plan_of(row("a", deadline="2026-11-22T03:10:00+00:00"))
    site.backend.failures = [UncertainError("timed out")]
    site.tick(plan, "02:00")
    assert [e.job_id for e in site.tick(plan, "02:11").missed] == ["a"]
    # Its key is closed now, so that a newer plan cannot bring it back.
    site.tick(plan_of(row("a", "04:00"), serial=2), "04:00")
    assert site.states() == {"a": "missed"}
    assert site.backend.submitted == []


def test_a_job_once_in_doubt_stays_in_doubt_until_it_is_taken(site: Site) -> None:
    plan = plan_of(row("a"))
    site.backend.failures = [UncertainError("timed out"), NotTakenError("busy")]
    site.tick(plan, "02:00")
    site.tick(plan, "02:01")
    assert site.states() == {"a": "unknown"}
    site.tick(plan, "02:02")
    assert site.states() == {"a": "sent"}


def test_ex16_a_job_that_the_back_end_forgot_is_unknown_and_not_sent_again(
    site: Site,
) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.backend.reports.clear()
    for when in ("02:10", "02:20", "05:00"):
        site.tick(plan, when)
        assert site.states() == {"a": "unknown"}
    assert len(site.backend.submitted) == 1


def test_ex14_after_an_outage_each_job_follows_its_own_rule(site: Site) -> None:
    plan = plan_of(
        row("late", "02:00", region="r1"),
        row("skips", "02:00", region="r2", on_missed="skip"),
        row("hopeless", "02:00", region="r3", deadline="2026-11-22T05:30:00+00:00"),
        row("punctual", "04:59", region="r4", on_missed="skip"),
    )
    tick = site.tick(plan, "05:00")
    assert [e.job_id for e in tick.started] == ["punctual", "late"]
    assert {e.job_id for e in tick.missed} == {"skips", "hopeless"}


def test_ex14_late_runs_never_exceed_the_planned_peak_of_their_region(
    site: Site,
) -> None:
    rows = [row(f"j{n}", f"0{n}:00", power_kw=2.0) for n in range(6)]
    plan = plan_of(*rows, row("wide", "00:00", power_kw=3.0))
    tick = site.tick(plan, "07:00")
    assert (len(tick.started), tick.waiting) == (2, 5)
    for _ in range(7):
        for key in list(site.backend.reports):
            site.backend.reports[key] = Report(phase=Phase.DONE, exit_code=0)
        tick = site.tick(plan, "07:10")
        assert len(tick.started) <= 2
    assert set(site.states().values()) == {"done"}


def test_cl06_a_tick_that_comes_90_s_late_is_still_punctual(site: Site) -> None:
    plan = plan_of(
        row("a", "02:00", on_missed="skip", deadline="2026-11-22T03:00:00+00:00")
    )
    site.tick(plan, "02:01:30")
    (detail,) = site.ledger.query(
        "select detail from transitions where after_state = 'intent'"
    )
    assert detail == ("90 s after its time",)


def test_cl04_a_clock_that_jumps_back_sends_nothing_again(site: Site) -> None:
    plan = plan_of(row("a", "02:00"), row("b", "03:00", region="south"))
    site.tick(plan, "03:30")
    site.tick(plan, "01:00")
    site.tick(plan, "02:00")
    assert len(site.backend.submitted) == len(set(site.backend.submitted)) == 2


def test_cl05_a_clock_before_the_plan_sends_nothing(site: Site) -> None:
    plan = plan_of(row("a", "00:00"))
    with pytest.raises(ClockError, match="2026-11-21T17:50:00Z"):
        run_once(
            plan=plan,
            ledger=site.ledger,
            backends={},
            now=MADE - timedelta(minutes=10),
            actor="test",
        )
    assert site.states() == {}


def test_cl07_clocks_that_differ_by_less_than_five_minutes_work(site: Site) -> None:
    plan = plan_of(row("a", "00:00"), created_at=at("00:04"))
    assert len(site.tick(plan, "00:00").started) == 1


def test_pl09_a_new_plan_moves_what_was_not_sent_and_nothing_else(site: Site) -> None:
    first = plan_of(row("a", "01:00"), row("b", "02:00"), row("c", "02:00"))
    second = plan_of(row("a", "05:00"), row("b", "04:00"), row("d", "05:00"), serial=2)
    site.tick(first, "01:00")
    tick = site.tick(second, "01:30")
    assert (tick.adoption.moved, tick.adoption.added, tick.adoption.withdrawn) == (
        *(1, 1, 1),
    )
    site.tick(second, "02:00")
    assert site.states() == {
        "a": "sent",
        "b": "planned",
        "c": "withdrawn",
        "d": "planned",
    }
    site.tick(plan_of(row("c", "06:00"), serial=3), "05:30")
    assert site.states()["c"] == "planned"


def test_a_missed_job_comes_back_with_a_newer_plan(site: Site) -> None:
    site.tick(plan_of(row("a", "01:00", on_missed="skip")), "03:00")
    assert site.states() == {"a": "missed"}
    site.tick(plan_of(row("a", "04:00", on_missed="skip"), serial=2), "03:01")
    assert len(site.tick(None, "04:00").started) == 1


def test_pl06_an_older_plan_of_the_date_is_refused(site: Site) -> None:
    site.tick(plan_of(row("a"), serial=2), "01:00")
    with pytest.raises(StalePlanError, match="serial 1"):
        site.tick(plan_of(row("a"), serial=1), "01:01")


def test_the_same_plan_with_other_content_is_refused(site: Site) -> None:
    site.tick(plan_of(row("a")), "01:00")
    with pytest.raises(PlanFormatError, match="other content"):
        site.tick(plan_of(row("b"), digest="other"), "01:01")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((row("a"), row("a")), "twice"),
        ((row("a", minutes=-5),), "start"),
        ((row("a", deadline="yesterday"),), "deadline|isoformat"),
        ((row("a", retries=-1),), "retries"),
        ((row("a", on_missed="guess"),), "on_missed"),
        (({**row("a"), "spec": "["},), "JSON"),
        (({**row("a"), "region": None},), "region"),
    ],
)
def test_a_plan_with_an_impossible_row_is_refused_whole(
    site: Site, rows: tuple[dict[str, object], ...], words: str
) -> None:
    with pytest.raises(PlanFormatError, match=words):
        site.tick(plan_of(row("good"), *rows), "02:00")
    assert site.states() == {}
    assert site.ledger.query("select count(*) from plans") == [(0,)]


def test_a_plan_without_a_digest_is_not_followed(site: Site) -> None:
    with pytest.raises(PlanFormatError, match="digest"):
        site.tick(plan_of(row("a"), digest=None), "02:00")


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(site: Site) -> None:
    plan = plan_of(row("a"), row("b", "01:00", on_missed="skip"), row("c", "03:00"))
    tick = site.tick(plan, "02:00", dry_run=True)
    assert [e.job_id for e in tick.started] == ["a"]
    assert [e.job_id for e in tick.missed] == ["b"]
    assert (tick.planned, tick.next_due_at) == (1, at("03:00"))
    assert site.states() == {}
    assert site.backend.submitted == []
    assert site.ledger.lease_number() == 0


def test_status_shows_a_plan_that_was_never_followed_as_planned(site: Site) -> None:
    lines = status(site.ledger, plan_of(row("a"), unplaced("u")), now=at("01:00"))
    assert [(line.job_id, line.state) for line in lines] == [("a", State.PLANNED)]


def test_the_most_urgent_deadline_goes_first(site: Site) -> None:
    plan = plan_of(
        row("x", deadline="2026-11-22T09:00:00+00:00"),
        row("y", deadline="2026-11-22T05:00:00+00:00"),
        row("z"),
    )
    site.tick(plan, "02:00")
    sent = [order.job_id for order in site.backend.orders.values()]
    assert sent == ["y", "x", "z"]
