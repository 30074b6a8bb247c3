"""Jobs that depend on others, on a virtual clock."""

from __future__ import annotations

import pytest

from outputs.errors import PlanFormatError
from planner.executor.backends.backend import Phase
from planner.executor.wishes import Verb
from tests.executor_site import Site
from tests.factories_executor import plan_of, row, unplaced


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


def test_a_job_waits_until_the_one_before_it_is_done(site: Site) -> None:
    plan = plan_of(row("a", "02:00"), row("b", "03:00", depends_on=["a"], region="r2"))
    site.tick(plan, "02:00")
    tick = site.tick(plan, "03:00")
    assert (tick.dependent, tick.started) == (1, ())
    site.ends("a", Phase.DONE, exit_code=0)
    site.tick(plan, "03:05")
    assert site.states() == {"a": "done", "b": "sent"}


def test_ex20_jobs_that_depend_on_a_failed_one_are_blocked_at_once_and_in_turn(
    site: Site,
) -> None:
    plan = plan_of(
        row("a", "02:00"),
        row("b", "05:00", depends_on=["a"]),
        row("c", "06:00", depends_on=["free", "b"]),
        row("d", "07:00", depends_on=["c"]),
        row("free", "04:00"),
    )
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=1, reason="exit status 1")
    site.tick(plan, "02:10")
    assert site.states() == {
        "a": "failed",
        "b": "blocked",
        "c": "blocked",
        "d": "blocked",
        "free": "planned",
    }
    assert site.reason("b") == "depends on a, which failed"
    assert site.reason("c") == "depends on b, which is blocked"


def test_a_chain_of_a_thousand_jobs_is_blocked_in_one_run(site: Site) -> None:
    links = [row(f"j{n}", "05:00", depends_on=[f"j{n - 1}"]) for n in range(1, 1000)]
    plan = plan_of(row("j0", "02:00", on_missed="skip"), *links)
    site.tick(plan, "03:00")
    states = list(site.states().values())
    assert (states.count("missed"), states.count("blocked")) == (1, 999)


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (row("a", "01:00", on_missed="skip"), "which was missed"),
        (unplaced("a"), "which has no place in the plan"),
    ],
)
def test_what_never_ran_blocks_as_a_failure_does(
    site: Site, before: dict[str, object], why: str
) -> None:
    site.tick(plan_of(before, row("b", "05:00", depends_on=["a"])), "03:00")
    assert site.states()["b"] == "blocked"
    assert site.reason("b") == f"depends on a, {why}"


def test_a_job_is_not_blocked_while_the_one_before_it_is_tried_again(
    site: Site,
) -> None:
    plan = plan_of(
        row("a", "02:00", minutes=10, retries=1),
        row("b", "03:00", depends_on=["a"]),
    )
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=1)
    site.tick(plan, "02:05")
    assert site.states() == {"a": "failed", "a#2": "planned", "b": "planned"}
    site.tick(plan, "02:06")
    site.ends("a", Phase.DONE, exit_code=0)
    site.tick(plan, "03:00")
    assert site.states()["b"] == "sent"


def test_trying_a_failed_job_again_frees_what_it_blocked(site: Site) -> None:
    plan = plan_of(
        row("a", "02:00", minutes=10),
        row("b", "03:00", depends_on=["a"]),
        row("c", "04:00", depends_on=["b"]),
    )
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=1)
    site.tick(plan, "02:05")
    assert site.states() == {"a": "failed", "b": "blocked", "c": "blocked"}
    site.wish(Verb.RETRY, "a", "02:06")
    site.tick(plan, "02:06")
    states = {"a": "failed", "a#2": "sent", "b": "planned", "c": "planned"}
    assert site.states() == states


def test_the_name_of_an_array_means_all_its_jobs(site: Site) -> None:
    plan = plan_of(
        row("part[0]", "02:00"),
        row("part[1]", "02:00"),
        row("party", "06:00"),
        row("sum", "03:00", depends_on=["part"], region="r2"),
    )
    site.tick(plan, "02:00")
    site.ends("part[0]", Phase.DONE, exit_code=0)
    assert site.tick(plan, "03:00").dependent == 1
    site.ends("part[1]", Phase.DONE, exit_code=0)
    site.tick(plan, "03:01")
    assert site.states()["sum"] == "sent"


def test_every_segment_of_the_job_before_must_be_done(site: Site) -> None:
    plan = plan_of(
        row("a", "01:00", segment=0),
        row("a", "02:00", segment=1),
        row("b", "02:30", depends_on=["a"], region="r2"),
    )
    site.tick(plan, "01:00")
    site.ends("a", Phase.DONE, exit_code=0)
    site.tick(plan, "02:00")
    assert site.tick(plan, "02:30").dependent == 1


def test_waiting_too_long_for_another_job_is_a_missed_start(site: Site) -> None:
    plan = plan_of(
        row("a", "02:00"),
        row("b", "03:00", depends_on=["a"], deadline="2026-11-22T04:10:00+00:00"),
    )
    site.tick(plan, "02:00")
    site.tick(plan, "03:11")
    assert site.states() == {"a": "sent", "b": "missed"}
    assert str(site.reason("b")).endswith("; it waited for a")


def test_a_newer_plan_brings_blocked_jobs_back(site: Site) -> None:
    site.tick(
        plan_of(
            row("a", "01:00", on_missed="skip"), row("b", "05:00", depends_on=["a"])
        ),
        "02:00",
    )
    assert site.states() == {"a": "missed", "b": "blocked"}
    site.tick(
        plan_of(row("a", "04:00"), row("b", "05:00", depends_on=["a"]), serial=2),
        "02:30",
    )
    assert site.states() == {"a": "planned", "b": "planned"}


def test_depends_on_that_is_no_list_of_names_is_refused(site: Site) -> None:
    with pytest.raises(PlanFormatError, match="depends_on is not a list"):
        site.tick(plan_of(row("a", depends_on="b")), "02:00")
