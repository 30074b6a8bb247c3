"""EX-14: a machine that is down for three hours of a day with 5,000 jobs."""

from __future__ import annotations

from datetime import datetime, timedelta

from planner.executor.backends.backend import Phase, Report
from planner.executor.states import FINAL, State
from tests.executor_site import Site, a_site
from tests.factories_executor import MIDNIGHT, plan_of, row

JOBS, SLOT = 5_000, timedelta(minutes=15)
DOWN = range(16, 28)
"""Slots of a quarter of an hour in which no executor runs: 04:00 to 07:00."""


def day() -> list[dict[str, object]]:
    """Jobs of half an hour in the first 20 hours, each with one of three rules."""
    rules = (
        {"on_missed": "run"},
        {"on_missed": "skip"},
        {"on_missed": "run", "deadline": "2026-11-22T06:00:00+00:00"},
    )
    rows = []
    for n in range(JOBS):
        slot = n % 80
        rule = rules[n % 3] if slot < 22 else rules[n % 2]
        start = f"{slot // 4:02}:{slot % 4 * 15:02}"
        rows.append(row(f"j{n:04}", start, minutes=30, power_kw=1 + n % 4, **rule))
    return rows


def end_what_is_over(site: Site, ends: dict[str, datetime], now: datetime) -> None:
    for key in [key for key, end in ends.items() if end <= now]:
        del ends[key]
        site.backend.reports[key] = Report(phase=Phase.DONE, exit_code=0)


def note_what_began(site: Site, ends: dict[str, datetime], now: datetime) -> None:
    ends |= dict.fromkeys(site.backend.submitted, now + timedelta(minutes=30))
    site.backend.submitted.clear()


def test_ex14_after_three_hours_down_each_job_follows_its_rule_without_a_burst() -> (
    None
):
    plan, ends = plan_of(*day()), dict[str, datetime]()
    with a_site() as site:
        for slot in range(4 * 24 + 1):
            if slot in DOWN:
                continue
            now = MIDNIGHT + slot * SLOT
            end_what_is_over(site, ends, now)
            site.tick(plan, now)
            note_what_began(site, ends, now)
            ((draws_kw, peak_kw),) = site.ledger.query(
                "select coalesce(sum(power_kw), 0), "
                "(select peak_kw from region_power) from dispatches "
                "where state in ('sent', 'running')"
            )
            assert draws_kw <= peak_kw * (1 + 1e-9), now
        end_what_is_over(site, ends, now + SLOT * 4)
        site.tick(plan, now + SLOT * 4)
        rows = site.ledger.dispatches("1 = 1")
    assert len(rows) == JOBS
    assert {d.state for d in rows} == {State.DONE, State.MISSED}
    assert all(d.state in FINAL for d in rows)
    down = [d for d in rows if slot_of(d.start_us) in DOWN]
    skipped = {d.key for d in down if d.on_missed == "skip"}
    missed = {d.key for d in rows if d.state is State.MISSED}
    assert skipped <= missed <= {d.key for d in down}
    assert any(d.state is State.DONE for d in down)
    assert all(d.reason for d in rows if d.key in missed)


def slot_of(start_us: int) -> int:
    return int((start_us / 1e6 - MIDNIGHT.timestamp()) // SLOT.total_seconds())
