"""Further attempts, time limits, busy back ends and full minutes."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.endings import ELSEWHERE
from planner.executor.errors import NotTakenError, UncertainError
from planner.executor.records import Dispatch
from planner.executor.rules import retry_due_us
from planner.executor.sending import FAILURES_IN_A_ROW
from planner.executor.states import State
from planner.executor.wishes import Verb
from tests.executor_site import Site
from tests.factories_executor import at, plan_of, row

MINUTE_US = 60_000_000


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


def failed(key: str, attempt: int, retries: int = 99) -> Dispatch:
    return Dispatch(
        key=key,
        date="2026-11-22",
        job_id="j",
        segment=0,
        attempt=attempt,
        plan_id="p",
        region="r",
        executor="shell",
        replicas=1,
        power_kw=1.0,
        start_us=0,
        end_us=1,
        due_us=0,
        deadline_us=10**18,
        on_missed="run",
        retries=retries,
        spec_digest="",
        state=State.FAILED,
        changed_us=0,
    )


@pytest.mark.parametrize(
    ("attempt", "longest_min"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (90, 60)]
)
def test_pauses_double_up_to_an_hour_and_are_spread_over_their_second_half(
    attempt: int, longest_min: int
) -> None:
    waits = [retry_due_us(failed(f"k{n}", attempt), 0) for n in range(300)]
    longest = longest_min * MINUTE_US
    assert all(wait is not None and longest / 2 <= wait <= longest for wait in waits)
    assert len(set(waits)) == 300
    spread = [wait for wait in waits if wait is not None and wait < 0.75 * longest]
    assert 100 < len(spread) < 200


def test_the_same_key_waits_the_same_time_wherever_it_is_worked_out() -> None:
    assert retry_due_us(failed("k", 1), 0) == retry_due_us(failed("k", 1), 0)
    assert retry_due_us(failed("k", 3, retries=2), 0) is None


def test_a_run_far_over_its_time_limit_is_told_to_end_and_has_failed(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00", minutes=10, timeout_s=600, retries=1))
    site.tick(plan, "02:00")
    site.ends("a", Phase.RUNNING, started_at=at("02:00"))
    site.tick(plan, "02:01")
    site.tick(plan, "02:10:30")
    assert site.backend.cancelled == []
    site.tick(plan, "02:12")
    assert len(site.backend.cancelled) == 1
    site.tick(plan, "02:13")
    assert site.states() == {"a": "failed", "a#2": "planned"}
    (reason,) = site.ledger.query("select reason from dispatches where attempt = 1")
    assert reason == ("over its time limit of 600 s",)


def test_a_run_that_goes_on_over_its_limit_is_told_again_but_noted_once(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00", minutes=10, timeout_s=60))
    site.backend.ends_when_cancelled = None
    site.tick(plan, "02:00")
    site.ends("a", Phase.RUNNING, started_at=at("02:00"))
    for minute in (1, 3, 4, 5):
        site.tick(plan, f"02:0{minute}")
    assert len(site.backend.cancelled) == 3
    assert sum(step[1] == step[2] for step in site.history("a")) == 1


def test_ex15_a_back_end_that_is_down_costs_a_few_calls_and_no_job(site: Site) -> None:
    plan = plan_of(
        *(
            row(f"j{n:02}", deadline=f"2026-11-22T{6 + n // 6:02}:00Z")
            for n in range(30)
        )
    )
    calls: list[str] = []
    site.backend.on_submit = lambda order: calls.append(order.job_id)
    site.backend.failures = [NotTakenError("down")] * 1000
    for minute in range(30):
        tick = site.tick(plan, f"02:{minute:02}")
        assert len(calls) == FAILURES_IN_A_ROW * (minute + 1)
        assert tick.resting == 30 - FAILURES_IN_A_ROW or minute > 2
    site.backend.failures = []
    site.tick(plan, "02:31")
    assert set(site.states().values()) == {"sent"}
    hours = [int(job[1:]) // 6 for job in site.sent()]
    assert hours == sorted(hours)


def test_a_back_end_that_times_out_does_not_put_every_job_in_doubt(site: Site) -> None:
    plan = plan_of(*(row(f"j{n}") for n in range(9)))
    site.backend.failures = [UncertainError("timed out")] * 9
    site.tick(plan, "02:00")
    states = list(site.states().values())
    assert (states.count("unknown"), states.count("planned")) == (3, 6)


def turning_down(site: Site, *ids: str) -> None:
    """Have the back end turn some jobs down, whenever they are sent."""

    def look_at(order: Order) -> None:
        if order.job_id in ids:
            raise NotTakenError("not now")

    site.backend.on_submit = look_at


def test_a_region_that_is_down_holds_up_no_other(site: Site) -> None:
    down = [f"j{n}" for n in range(9)]
    turning_down(site, *down)
    urgent = [row(name, region="a", deadline="2026-11-22T04:00Z") for name in down]
    site.tick(plan_of(*urgent, row("good", region="b")), "02:00")
    assert site.sent() == ["good"]


def test_jobs_that_are_turned_down_for_ever_hold_up_no_other(site: Site) -> None:
    stubborn = [f"j{n}" for n in range(4)]
    turning_down(site, *stubborn)
    urgent = [row(name, deadline="2026-11-22T04:00Z") for name in stubborn]
    plan = plan_of(*urgent, row("good"))
    site.tick(plan, "02:00")
    assert site.sent() == []
    site.tick(plan, "02:01")
    assert site.sent() == ["good"]


def test_lo03_a_thousand_jobs_of_one_minute_are_sent_in_deadline_order(
    site: Site,
) -> None:
    rows = [
        row(
            f"j{n:04}",
            "02:00",
            minutes=5,
            deadline=(at("04:00") + timedelta(seconds=n * 7919 % 1000)).isoformat(),
        )
        for n in range(1000)
    ]
    plan = plan_of(*rows)
    began = time.monotonic()
    tick = site.tick(plan, "02:00")
    assert time.monotonic() - began < 30
    assert len(tick.started) == 1000
    assert site.sent() == sorted(
        site.sent(), key=lambda job: int(job[1:]) * 7919 % 1000
    )


def test_cl04_a_jump_forward_of_three_days_follows_each_jobs_rule(site: Site) -> None:
    plan = plan_of(*(row(f"j{n}", f"{n:02}:00", minutes=30) for n in range(10)))
    site.tick(plan, "02:00")
    site.tick(plan, at("02:01") + timedelta(days=3))
    states = {f"j{n}": "sent" if n == 2 else "missed" for n in range(10)}
    assert site.states() == states
    site.tick(plan, "02:02")
    assert (site.states(), site.sent()) == (states, ["j2"])


def test_cl04_a_jump_forward_of_an_hour_makes_no_burst(site: Site) -> None:
    plan = plan_of(
        *(row(f"j{n}", f"02:{n * 5:02}", minutes=5, power_kw=1.0) for n in range(12))
    )
    site.tick(plan, "02:00")
    tick = site.tick(plan, "03:01")
    # One kilowatt was foreseen at any time, and the first run still takes it.
    assert (len(tick.started), tick.waiting) == (0, 11)


def test_cl04_an_attempt_planned_under_a_wrong_clock_is_not_waited_for(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00", minutes=10, retries=1))
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=1)
    site.tick(plan, "14:00")
    assert site.states() == {"a": "failed", "a#2": "planned"}
    site.tick(plan, "02:05")
    assert site.states() == {"a": "failed", "a#2": "sent"}


def test_cl07_a_skew_within_tolerance_is_told_and_both_instants_are_stored(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00"), created_at=at("00:04"))
    tick = site.tick(plan, "00:00")
    assert tick.skew == timedelta(minutes=4)
    assert site.ledger.query("select created_us - followed_us from plans") == [
        (4 * MINUTE_US,)
    ]


def test_a_run_that_takes_longer_than_planned_still_counts(site: Site) -> None:
    plan = plan_of(
        row("long", "02:00", minutes=15, power_kw=2.0),
        row("late", "01:00", minutes=15, power_kw=2.0, region="north"),
    )
    site.tick(plan, "02:00")
    assert site.sent() == ["long"]
    site.ends("long", Phase.RUNNING, started_at=at("02:00"))
    assert site.tick(plan, "03:00").waiting == 1
    site.backend.reports = {k: Report(phase=Phase.DONE) for k in site.backend.reports}
    site.tick(plan, "03:01")
    assert site.sent() == ["long", "late"]


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.RUNNING])
def test_a_run_that_others_cancelled_says_so_and_is_trouble(
    site: Site, phase: Phase
) -> None:
    plan = plan_of(row("a", retries=2))
    site.tick(plan, "02:00")
    site.ends("a", phase)
    site.tick(plan, "02:01")
    site.ends("a", Phase.CANCELLED, reason="by scancel")
    tick = site.tick(plan, "02:02")
    assert [event.job_id for event in tick.cancelled_elsewhere] == ["a"]
    assert tick.troubled
    assert site.states() == {"a": "cancelled"}
    assert site.reason("a") == f"{ELSEWHERE}; by scancel"
    assert not site.tick(plan, "02:03").troubled


def test_a_run_in_doubt_that_is_found_cancelled_is_trouble_too(site: Site) -> None:
    plan = plan_of(row("a"))
    site.backend.failures = [UncertainError("timed out")]
    site.backend.takes_before_failing = True
    site.tick(plan, "02:00")
    site.ends("a", Phase.CANCELLED)
    assert site.tick(plan, "02:01").troubled
    assert site.reason("a") == ELSEWHERE


def test_a_run_that_the_user_cancelled_is_no_trouble(site: Site) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.wish(Verb.CANCEL, "a", "02:01")
    site.backend.ends_when_cancelled = None
    site.tick(plan, "02:01")
    site.ends("a", Phase.CANCELLED, reason="cancelled")
    tick = site.tick(plan, "02:02")
    assert [event.state for event in tick.events] == ["cancelled"]
    assert not tick.troubled
