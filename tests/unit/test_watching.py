"""The daemon on a virtual clock that jumps, sleeps and starts wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from outputs.plan import Plan
from planner.executor.backends.backend import Order
from planner.executor.errors import ClockError, RootError
from planner.executor.ledger_file import leased
from planner.executor.watching import seconds_to_wait, watch
from tests.executor_site import Site
from tests.factories_executor import MIDNIGHT, at, plan_of, row


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


class World:
    """A clock that can be set, a steady one, and a daemon that lives in both.

    Parameters
    ----------
    jumps
        By how much the clock is set during the n-th wait.
    """

    def __init__(self, start: datetime, *, waits: int, **jumps: timedelta) -> None:
        self.now = start
        self.steady_s = 0.0
        self.ticks: list[datetime] = []
        self.waits: list[float] = []
        self.jumped: list[timedelta] = []
        self.refused: list[str] = []
        self._left = waits
        self._jumps = {int(name.removeprefix("at_")): by for name, by in jumps.items()}

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)
        self.now += self._jumps.get(len(self.waits), timedelta(0))
        self.steady_s += seconds
        return len(self.waits) > self._left

    def live(self, site: Site, plan: Plan | None) -> None:
        def run(now: datetime) -> None:
            self.ticks.append(now)
            try:
                site.tick(plan, now)
            except ClockError as error:
                self.refused.append(str(error))

        watch(
            run,
            clock=lambda: self.now,
            steady=lambda: self.steady_s,
            wait=self.wait,
            jumped=self.jumped.append,
        )


def test_it_works_at_once_and_then_at_every_full_minute(site: Site) -> None:
    world = World(at("01:58:40"), waits=3)
    world.live(site, plan_of(row("a", "02:00")))
    assert world.ticks == [at("01:58:40"), at("01:59"), at("02:00"), at("02:01")]
    assert site.history("a")[1][3] == "0 s after its time"
    assert world.jumped == []


@pytest.mark.parametrize("second", [0.0, 0.001, 29.5, 59.999])
def test_a_wait_is_never_longer_than_a_minute_nor_none_at_all(second: float) -> None:
    now = MIDNIGHT + timedelta(seconds=second)
    for last in (now, now - timedelta(seconds=second), now + timedelta(hours=12)):
        assert 0 < seconds_to_wait(last, now) <= 60


def test_a_run_that_lasts_beyond_a_full_minute_is_followed_at_once() -> None:
    assert seconds_to_wait(at("01:59:58"), at("02:00:01")) == 0
    assert seconds_to_wait(at("01:59:58"), at("02:05:00")) == 0


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(hours=12)])
def test_cl04_a_clock_set_back_sends_nothing_again_and_is_not_slept_through(
    site: Site, by: timedelta
) -> None:
    plan = plan_of(row("a", "13:00", region="r1"), row("b", "13:05", region="r2"))
    world = World(at("13:00"), waits=120, at_2=-by)
    world.live(site, plan)
    assert max(world.waits) <= 60
    assert world.jumped == [-by]
    sent = site.sent()
    assert sorted(sent) == sorted(set(sent))
    assert sent == (["a", "b"] if by == timedelta(hours=1) else ["a"])


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(days=3)])
def test_cl04_a_clock_set_forward_follows_each_jobs_rule_without_a_burst(
    site: Site, by: timedelta
) -> None:
    plan = plan_of(
        row("now", "02:00", minutes=20, region="r0"),
        row("skips", "02:30", region="r1", on_missed="skip"),
        row("runs", "02:30", region="r2", minutes=20),
        row("first", "02:10", region="r3", minutes=10),
        row("second", "02:20", region="r3", minutes=10),
        row("later", "05:00", region="r4"),
    )
    world = World(at("02:00"), waits=2, at_1=by)
    world.live(site, plan)
    assert world.jumped == [by]
    states = site.states()
    assert (states["now"], states["skips"]) == ("sent", "missed")
    if by == timedelta(hours=1):
        one_by_one = [states["first"], states["second"]]
        assert states["runs"] == "sent"
        assert sorted(one_by_one) == ["planned", "sent"]
        assert states["later"] == "planned"
    else:
        assert {states[job] for job in states if job != "now"} == {"missed"}


def test_cl05_a_clock_in_1970_sends_nothing_until_it_is_right(site: Site) -> None:
    early = datetime.fromisoformat("1970-01-01T00:00:10+00:00")
    world = World(early, waits=4, at_2=at("02:00") - early - timedelta(seconds=110))
    world.live(site, plan_of(row("a", "02:00")))
    assert len(world.refused) == 2
    assert "1970-01-01" in world.refused[0]
    assert site.sent() == ["a"]


def test_cl06_a_start_slept_over_is_late_and_its_lateness_is_stored(
    site: Site,
) -> None:
    world = World(at("01:59"), waits=2, at_1=timedelta(minutes=40, seconds=30))
    world.live(site, plan_of(row("a", "02:00"), row("b", "02:39", region="r2")))
    assert site.sent() == ["b", "a"]
    late = site.ledger.query(
        "select job_id, (intent_us - due_us) / 1000000 from dispatches order by job_id"
    )
    assert late == [("a", 2430), ("b", 90)]


def test_ex07_while_another_executor_is_at_work_it_waits_and_then_takes_over(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00"))
    with site.opened() as other:
        with leased(other, holder="cron", now=at("02:00")) as mine:
            assert mine
            assert site.tick(plan, "02:00").at_work == "cron"
            assert site.sent() == []
        site.tick(plan, "02:01")
    assert site.sent() == ["a"]


def test_ex21_told_to_leave_it_finishes_the_sending_at_hand_and_no_more(
    site: Site,
) -> None:
    plan = plan_of(*(row(f"j{n}", region=f"r{n}") for n in range(5)))
    told: list[str] = []

    def tell(order: Order) -> None:
        told.append(order.job_id)

    site.backend.on_submit = tell
    site.tick(plan, "02:00", stop=lambda: bool(told))
    assert len(site.sent()) == 1
    assert sorted(site.states().values()) == ["planned"] * 4 + ["sent"]
    site.tick(plan, "02:01")
    assert len(site.sent()) == 5


def test_se11_what_would_run_as_root_is_refused_before_anything_is_sent(
    site: Site,
) -> None:
    plan = plan_of(row("a", "02:00"))
    with pytest.raises(RootError, match=r"job a would run as root.*--allow-root"):
        site.tick(plan, "02:00", forbidden={"shell"})
    assert site.states() == {"a": "planned"}
    site.tick(plan, "02:01")
    assert site.sent() == ["a"]


def test_se11_back_ends_that_choose_the_user_themselves_need_no_allowance(
    site: Site,
) -> None:
    site.tick(plan_of(row("a", "02:00")), "02:00", forbidden={"other"})
    assert site.sent() == ["a"]


def test_se11_a_spec_cannot_ask_for_another_user_or_stand_in_for_the_place(
    site: Site,
) -> None:
    asks = {"user": "root", "uid": 0, "run_as": "root", "cwd": "/", "queue": "-o x"}
    plan = plan_of(row("a", env={"PLANNER_KEY": "other", "USER": "root"}, **asks))
    site.tick(plan, "02:00")
    (order,) = site.backend.orders.values()
    assert order.env["PLANNER_KEY"] == order.key
    assert not {"user", "uid", "run_as", "cwd", "queue"} & set(type(order).__slots__)
    assert not {"-o x", "root"} & {*order.labels.values(), *order.command}
