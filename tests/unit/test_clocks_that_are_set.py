"""Time limits where the time of day is set while runs are at work."""

from __future__ import annotations

import pytest

from planner.executor.backends.backend import Phase
from planner.executor.steady import Steady
from tests.executor_site import Site
from tests.factories_executor import at, plan_of, row

PLAN = plan_of(row("a", "02:00", minutes=10, timeout_s=600))


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


def tick(site: Site, when: str, awake_min: float, boot: str = "boot-1") -> None:
    """A run at a time of day, so long after the machine was started."""
    site.tick(PLAN, when, steady=Steady(boot=boot, at_us=int(awake_min * 60e6)))


def begun(site: Site) -> None:
    """Job ``a``, which may take ten minutes, began at two o'clock."""
    tick(site, "02:00", 100)
    site.ends("a", Phase.RUNNING, started_at=at("02:00"))
    tick(site, "02:01", 101)


def test_a_clock_that_is_set_forward_ends_no_run_early(site: Site) -> None:
    begun(site)
    tick(site, "03:02", 102)  # an hour was skipped
    tick(site, "03:11", 111)
    assert site.backend.cancelled == []
    tick(site, "03:12", 112)
    assert len(site.backend.cancelled) == 1
    (jump,) = site.ledger.query("select host, at_us, by_us from clock_jumps")
    assert (jump[0], jump[2]) == ("test", 3600 * 10**6)


def test_a_clock_that_is_set_back_lets_no_run_go_on_for_longer(site: Site) -> None:
    begun(site)
    tick(site, "02:09", 109)
    tick(site, "02:05", 110)  # five minutes are repeated
    tick(site, "02:06", 111)
    assert site.backend.cancelled == []
    tick(site, "02:07", 112)
    assert len(site.backend.cancelled) == 1


def test_what_was_set_before_a_run_began_is_no_time_of_it(site: Site) -> None:
    tick(site, "00:30", 70)
    tick(site, "01:50", 90)
    begun(site)
    tick(site, "02:12", 112)
    assert len(site.backend.cancelled) == 1


def test_across_a_restart_the_time_of_day_is_believed(site: Site) -> None:
    begun(site)
    tick(site, "02:12", 1, boot="boot-2")
    assert len(site.backend.cancelled) == 1


def test_a_run_that_knows_no_steady_clock_spoils_nothing(site: Site) -> None:
    begun(site)
    site.tick(PLAN, "02:02")
    tick(site, "03:03", 103)
    tick(site, "03:11", 111)
    assert site.backend.cancelled == []
    tick(site, "03:12", 112)
    assert len(site.backend.cancelled) == 1
