"""Late runs never take their region over what the plan foresaw, now or later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.executor.backends.backend import Phase, Report
from planner.executor.pacing import Load
from tests.executor_site import a_site
from tests.factories_executor import MIDNIGHT, plan_of, row

STEP_MIN = 15
HORIZON = 40
"""Steps of the made-up plan: ten hours."""

runs = st.tuples(
    st.integers(0, HORIZON), st.integers(1, 12), st.sampled_from([0.5, 1.0, 2.5])
)


def highest(spans: Iterable[tuple[int, int, float]]) -> float:
    """Most power at any step, added up step by step. [kW]"""
    spans = list(spans)
    steps = range(max((end for _, end, _ in spans), default=0))
    return max(
        (sum(kw for start, end, kw in spans if start <= t < end) for t in steps),
        default=0.0,
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(runs, min_size=1, max_size=14),
    st.integers(0, HORIZON),
    st.integers(1, 30),
    st.sets(st.integers(0, 13)),
)
def test_after_an_outage_no_slot_takes_more_power_than_the_plan_foresaw(
    jobs: list[tuple[int, int, float]], down_from: int, down_for: int, fail: set[int]
) -> None:
    rows = [
        row(
            f"j{n}",
            f"{start * STEP_MIN // 60:02}:{start * STEP_MIN % 60:02}",
            minutes=length * STEP_MIN,
            power_kw=kw,
            retries=1,
        )
        for n, (start, length, kw) in enumerate(jobs)
    ]
    plan = plan_of(*rows)
    cap = highest((start, start + length, kw) for start, length, kw in jobs)
    really: list[tuple[int, int, float]] = []
    with a_site() as site:
        ends: dict[str, int] = {}
        for step in range(96):
            if down_from <= step < down_from + down_for:
                continue
            for key in [key for key, end in ends.items() if end <= step]:
                del ends[key]
                number = int(site.backend.orders[key].job_id[1:])
                failed = number in fail and key.endswith("-1")
                phase = Phase.FAILED if failed else Phase.DONE
                site.backend.reports[key] = Report(phase=phase, exit_code=int(failed))
            before = len(site.backend.submitted)
            site.tick(plan, MIDNIGHT + timedelta(minutes=step * STEP_MIN))
            for key in site.backend.submitted[before:]:
                _, length, kw = jobs[int(site.backend.orders[key].job_id[1:])]
                ends[key] = step + length
                really.append((step, step + length, kw))
        assert highest(really) <= cap + 1e-9
        assert len(really) >= len(jobs) - site_missed(site.states())


def site_missed(states: dict[str, str]) -> int:
    """How many jobs never ran because their deadline did not allow it any more."""
    return sum(state == "missed" for state in states.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(runs, max_size=12), st.integers(0, 50), st.integers(1, 20))
def test_the_highest_load_of_a_span_is_what_adding_up_step_by_step_gives(
    spans: list[tuple[int, int, float]], start: int, length: int
) -> None:
    load = Load()
    for begin, steps, kw in spans:
        load.add(begin, begin + steps, kw)
    at_each = (
        sum(kw for begin, steps, kw in spans if begin <= t < begin + steps)
        for t in range(start, start + length)
    )
    assert abs(load.highest(start, start + length) - max(at_each)) < 1e-9


def test_a_late_run_waits_for_what_the_plan_still_wants() -> None:
    """At 03:00 there is power for it, but at 03:30 the plan wants all of it."""
    plan = plan_of(
        row("late", "01:00", minutes=60, power_kw=1.0),
        row("big", "03:30", minutes=60, power_kw=3.0),
    )
    with a_site() as site:
        assert site.tick(plan, "03:00").waiting == 1
        assert [e.job_id for e in site.tick(plan, "03:30").started] == ["big"]
        for key in site.backend.submitted:
            site.backend.reports[key] = Report(phase=Phase.DONE, exit_code=0)
        assert [e.job_id for e in site.tick(plan, "04:30").started] == ["late"]


def test_a_further_attempt_waits_for_runs_that_the_plan_wants_meanwhile() -> None:
    plan = plan_of(
        row("a", "02:00", minutes=60, power_kw=2.0, retries=1),
        row("b", "03:00", minutes=60, power_kw=3.0),
    )
    with a_site() as site:
        site.tick(plan, "02:00")
        site.ends("a", Phase.FAILED, exit_code=1)
        site.tick(plan, "02:10")
        # It would run until 03:11, when b already takes all that was foreseen.
        assert site.tick(plan, "02:11").waiting == 1
        site.tick(plan, "03:00")
        site.ends("b", Phase.DONE, exit_code=0)
        assert len(site.tick(plan, "03:40").started) == 1
