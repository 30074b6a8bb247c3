"""What back ends tell is bounded before the ledger holds it."""

from __future__ import annotations

import pytest

from planner.executor.backends.backend import Phase
from planner.executor.errors import RejectedError
from tests.executor_site import Site
from tests.factories_executor import at, plan_of, row


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


def test_a_run_is_not_ended_early_because_its_back_ends_clock_is_behind(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00", minutes=60, timeout_s=1800))
    site.tick(plan, "02:00")
    site.ends("a", Phase.RUNNING, started_at=at("00:30"))
    site.tick(plan, "02:01")
    site.tick(plan, "02:30")
    assert site.backend.cancelled == []
    site.tick(plan, "02:32")
    assert len(site.backend.cancelled) == 1


@pytest.mark.parametrize(
    ("told", "stored"),
    [
        (255, 255),
        (0xC0000005, 0xC0000005 - 2**32),
        (-1073741819, -1073741819),
        (2**70, None),
    ],
)
def test_an_exit_status_of_any_size_ends_one_run_and_no_executor(
    site: Site, told: int, stored: int | None
) -> None:
    plan = plan_of(row("a"))
    site.tick(plan, "02:00")
    site.ends("a", Phase.FAILED, exit_code=told)
    site.tick(plan, "02:30")
    assert site.states() == {"a": "failed"}
    assert site.ledger.query("select exit_code from dispatches") == [(stored,)]


def test_words_of_a_back_end_are_stored_as_one_line_that_any_terminal_may_show(
    site: Site,
) -> None:
    site.backend.failures = [RejectedError("no\n\x1b[2J\ud800 such queue"), None]
    plan = plan_of(row("a"), row("b"))
    site.tick(plan, "02:00")
    site.ends("b", Phase.FAILED, exit_code=1, reason="\x1b]0;\x07gone\0\udcff")
    site.tick(plan, "02:30")
    reasons = [site.reason("a"), site.reason("b")]
    assert sorted(map(str, reasons)) == ["]0; gone", "no [2J such queue"]
