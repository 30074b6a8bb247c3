"""Hold, release, cancel and retry, on a virtual clock and a fake back end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.dispatch import act_on_wishes
from planner.executor.errors import BackendError, UncertainError
from planner.executor.holds import Scope, holds_in_force, place_hold
from planner.executor.instants import to_us
from planner.executor.leases import leased
from planner.executor.wishes import Verb, pending, wishes_numbered
from tests.executor_site import Site
from tests.factories_executor import at, plan_of, row


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


def outcome(site: Site, number: int) -> str | None:
    return wishes_numbered(site.ledger, [number])[0].outcome


def test_a_held_job_is_sent_after_its_release_and_every_step_is_recorded(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00"), row("b", "02:00", region="r2"))
    site.tick(plan, "01:00")
    assert site.hold("01:10", Scope.JOB, "a", reason="disk is full")
    tick = site.tick(plan, "02:00")
    assert (tick.held, site.states()) == (1, {"a": "planned", "b": "sent"})
    assert site.release("02:20", Scope.JOB, "a", reason="cleaned up") == 1
    site.tick(plan, "02:21")
    assert site.states()["a"] == "sent"
    assert site.history("a")[1:3] == [
        ("anna", "planned", "planned", "anna holds job a: disk is full"),
        ("ben", "planned", "planned", "ben lifts the hold: cleaned up"),
    ]


def test_holding_twice_is_holding_once(site: Site) -> None:
    assert site.hold("01:00", Scope.JOB, "a")
    assert not site.hold("01:01", Scope.JOB, "a")
    assert site.release("01:02", Scope.JOB, "a") == 1
    assert site.release("01:03", Scope.JOB, "a") == 0


@pytest.mark.parametrize(
    ("scope", "target", "held"),
    [
        (Scope.JOB, "a", {"a"}),
        (Scope.JOB, "part", {"part[0]", "part[1]"}),
        (Scope.JOB, "part[1]", {"part[1]"}),
        (Scope.REGION, "south", {"c"}),
        (Scope.ALL, "", {"a", "c", "part[0]", "part[1]"}),
    ],
)
def test_a_hold_covers_a_job_an_array_a_region_or_all(
    site: Site, scope: Scope, target: str, held: set[str]
) -> None:
    plan = plan_of(row("a"), row("c", region="south"), row("part[0]"), row("part[1]"))
    site.hold("01:00", scope, target)
    site.tick(plan, "02:00")
    states = site.states()
    assert {job for job, state in states.items() if state == "planned"} == held


def test_a_hold_for_another_date_leaves_this_one_alone(site: Site) -> None:
    site.hold("01:00", Scope.ALL, date="2026-11-23")
    site.tick(plan_of(row("a")), "02:00")
    assert site.states() == {"a": "sent"}


def test_releasing_all_lifts_every_hold(site: Site) -> None:
    site.hold("01:00", Scope.JOB, "a", date="2026-11-22")
    site.hold("01:00", Scope.REGION, "north")
    assert site.release("01:01", Scope.ALL) == 2
    assert holds_in_force(site.ledger) == ()


def test_a_held_job_past_its_deadline_is_missed_and_says_who_held_it(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00", deadline="2026-11-22T04:00:00+00:00"))
    site.hold("01:00", Scope.ALL, reason="maintenance")
    site.tick(plan, "02:30")
    assert site.states() == {"a": "planned"}
    site.tick(plan, "03:01")
    assert site.states() == {"a": "missed"}
    assert str(site.reason("a")).endswith("; anna holds everything: maintenance")


def test_a_hold_stored_while_jobs_are_sent_stops_those_not_sent_yet(
    site: Site,
) -> None:
    plan = plan_of(*(row(f"j{n}", region=f"r{n}") for n in range(5)))

    def hold(_order: Order) -> None:
        with site.opened() as other:
            place_hold(
                other,
                scope=Scope.ALL,
                target="",
                date=None,
                at_us=to_us(at("02:00")),
                actor="anna",
                reason=None,
            )

    site.backend.on_submit = hold
    tick = site.tick(plan, "02:00")
    assert (len(site.backend.submitted), tick.held) == (1, 4)


def test_cancelling_a_planned_job_closes_it_for_good(site: Site) -> None:
    site.tick(plan_of(row("a", "02:00")), "01:00")
    number = site.wish(Verb.CANCEL, "a", "01:01", "not needed")
    site.tick(None, "01:02")
    assert outcome(site, number) == "cancelled"
    site.tick(plan_of(row("a", "03:00"), serial=2), "03:00")
    assert site.states() == {"a": "cancelled"}
    assert site.reason("a") == "cancelled by anna: not needed"


@pytest.mark.parametrize("ends", [Phase.CANCELLED, Phase.FAILED, Phase.ABSENT])
def test_a_running_job_that_was_cancelled_ends_so_and_is_not_tried_again(
    site: Site, ends: Phase
) -> None:
    plan = plan_of(row("a", "02:00", retries=3))
    site.tick(plan, "02:00")
    site.ends("a", Phase.RUNNING)
    site.tick(plan, "02:01")
    site.backend.ends_when_cancelled = None
    number = site.wish(Verb.CANCEL, "a", "02:02", "wrong data")
    site.tick(plan, "02:02")
    assert outcome(site, number) == "told to end"
    assert site.states() == {"a": "running"}
    assert ("anna", "running", "running", "cancelled by anna: wrong data") in (
        site.history("a")
    )
    site.ends("a", ends)
    site.tick(plan, "02:03")
    assert site.states() == {"a": "cancelled"}


def test_a_job_that_ends_well_before_it_is_told_is_done(site: Site) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.ends("a", Phase.DONE, exit_code=0)
    site.wish(Verb.CANCEL, "a", "02:30")
    site.tick(plan, "02:30")
    assert site.states() == {"a": "done"}


def test_a_wish_is_kept_while_the_back_end_is_down(site: Site) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    number = site.wish(Verb.CANCEL, "a", "02:01")
    site.backend.cancel_error = BackendError("down")
    for minute in (1, 2, 3):
        site.tick(plan, f"02:0{minute}")
        assert outcome(site, number) is None
    site.backend.cancel_error = None
    site.tick(plan, "02:04")
    assert site.states() == {"a": "cancelled"}
    told = [step for step in site.history("a") if step[1] == step[2]]
    assert len(told) == 1


@pytest.mark.parametrize("taken", [True, False])
def test_a_job_in_doubt_that_was_cancelled_is_never_sent_again(
    site: Site, taken: bool
) -> None:
    plan = plan_of(row("a"))
    site.backend.settle = timedelta(minutes=3)
    site.backend.failures = [UncertainError("timed out")]
    site.tick(plan, "02:00")
    site.wish(Verb.CANCEL, "a", "02:01")
    site.tick(plan, "02:01")
    assert site.states() == {"a": "unknown"}
    if taken:  # the back end lists it late
        (dispatch,) = site.ledger.dispatches("1 = 1")
        site.backend.reports[dispatch.key] = Report(phase=Phase.RUNNING, handle="h")
    for minute in (2, 3, 4, 5):
        site.tick(plan, f"02:0{minute}")
    assert site.backend.submitted == []
    assert site.states() == {"a": "cancelled"}
    assert pending(site.ledger) == ()


def test_cancelling_what_has_ended_says_so_and_does_nothing(site: Site) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.ends("a", Phase.DONE, exit_code=0)
    site.tick(plan, "02:30")
    number = site.wish(Verb.CANCEL, "a", "02:31")
    site.tick(plan, "02:31")
    assert outcome(site, number) == "nothing to cancel, it is done"
    assert site.backend.cancelled == []


def test_a_wish_for_a_plan_that_is_not_followed_yet_waits_for_it(site: Site) -> None:
    number = site.wish(Verb.CANCEL, "a", "00:10")
    site.tick(None, "00:11")
    assert [wish.sequence for wish in pending(site.ledger)] == [number]
    site.tick(plan_of(row("a", "02:00")), "02:00")
    assert site.states() == {"a": "cancelled"}


def test_a_wish_for_a_job_that_the_plan_lacks_ends_with_that(site: Site) -> None:
    site.tick(plan_of(row("a")), "01:00")
    number = site.wish(Verb.CANCEL, "b", "01:01")
    site.tick(None, "01:02")
    assert outcome(site, number) == "not in the plan"


def test_the_same_wish_twice_is_one(site: Site) -> None:
    numbers = {site.wish(Verb.RETRY, "a", "01:00") for _ in range(3)}
    assert len(numbers) == 1


def test_a_failed_job_is_tried_again_as_often_as_the_user_asks(site: Site) -> None:
    plan = plan_of(row("a", "02:00"))
    site.tick(plan, "02:00")
    for attempt in (2, 3):
        site.ends("a", Phase.FAILED, exit_code=1)
        site.tick(plan, f"02:{attempt}0")
        number = site.wish(Verb.RETRY, "a", f"02:{attempt}1", "fixed")
        site.tick(plan, f"02:{attempt}1")
        assert outcome(site, number) == "planned for now"
        assert site.states()[f"a#{attempt}"] == "sent"
    assert len(set(site.backend.submitted)) == 3


def test_a_missed_job_is_tried_again_under_its_own_key(site: Site) -> None:
    plan = plan_of(row("a", "01:00", on_missed="skip"))
    site.tick(plan, "02:00")
    assert site.states() == {"a": "missed"}
    site.wish(Verb.RETRY, "a", "02:01")
    site.tick(plan, "02:01")
    # A newer plan must not bring the first attempt back beside a second one.
    site.tick(plan_of(row("a", "02:01"), serial=2), "02:02")
    assert site.states() == {"a": "sent"}
    assert len(site.backend.submitted) == 1


def test_a_job_missed_after_doubt_is_tried_again_under_a_new_key(site: Site) -> None:
    plan = plan_of(row("a", deadline="2026-11-22T03:10:00+00:00"))
    site.backend.failures = [UncertainError("timed out")]
    site.tick(plan, "02:00")
    site.tick(plan, "02:11")
    assert site.states() == {"a": "missed"}
    site.wish(Verb.RETRY, "a", "02:12")
    site.tick(plan, "02:12")
    assert site.states() == {"a": "missed", "a#2": "sent"}


@pytest.mark.parametrize("state", ["planned", "sent", "done"])
def test_what_is_ahead_at_work_or_done_is_not_tried_again(
    site: Site, state: str
) -> None:
    plan = plan_of(row("a", "02:00"))
    site.tick(plan, "01:00" if state == "planned" else "02:00")
    if state == "done":
        site.ends("a", Phase.DONE, exit_code=0)
        site.tick(plan, "02:10")
    number = site.wish(Verb.RETRY, "a", "02:11")
    site.tick(plan, "01:00" if state == "planned" else "02:11")
    assert outcome(site, number) == f"nothing to try again, it is {state}"
    assert site.states() == {"a": state}


def test_a_blocked_job_names_what_has_to_be_tried_again(site: Site) -> None:
    plan = plan_of(
        row("a", "01:00", on_missed="skip"), row("b", "05:00", depends_on=["a"])
    )
    site.tick(plan, "02:00")
    number = site.wish(Verb.RETRY, "b", "02:01")
    site.tick(plan, "02:01")
    assert outcome(site, number) == (
        "not tried again, it depends on a, which was missed; try that one again"
    )


def test_a_key_means_its_segment_alone(site: Site) -> None:
    plan = plan_of(row("a", "02:00", segment=0), row("a", "04:00", segment=1))
    site.tick(plan, "01:00")
    first, _ = site.ledger.dispatches("1 = 1 order by segment")
    site.wish(Verb.CANCEL, first.key, "01:01")
    site.tick(plan, "01:02")
    ends = site.ledger.query("select segment, state from dispatches order by segment")
    assert ends == [(0, "cancelled"), (1, "planned")]


def test_a_wish_is_acted_on_directly_when_nobody_is_at_work(site: Site) -> None:
    site.tick(plan_of(row("a", "02:00")), "01:00")
    backends = {"shell": site.backend}
    number = site.wish(Verb.CANCEL, "a", "01:01")
    facts = {"backends": backends, "now": at("01:01"), "actor": "anna"}
    with (
        site.opened() as other,
        leased(other, holder="daemon", now=at("01:01")),
    ):
        assert act_on_wishes(ledger=site.ledger, **facts) == "daemon"  # type: ignore[arg-type]
        assert outcome(site, number) is None
    assert act_on_wishes(ledger=site.ledger, **facts) is None  # type: ignore[arg-type]
    assert outcome(site, number) == "cancelled"


def test_a_rehearsal_cancels_nothing(site: Site) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.wish(Verb.CANCEL, "a", "02:01")
    site.tick(plan, "02:01", dry_run=True)
    assert site.backend.cancelled == []
    assert len(pending(site.ledger)) == 1
