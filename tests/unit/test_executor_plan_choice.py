"""Which of several plan files is followed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from inputs.timegrid import MAX_HORIZON_HOURS
from outputs.errors import PlanFormatError
from outputs.plan import Plan
from outputs.plan_file import write_plan
from outputs.plan_name import plan_path
from outputs.plan_store import save_plan
from planner.executor.adoption import adopt
from planner.executor.ledger import Ledger
from planner.executor.plan_choice import PlanChoice, choose_plan
from tests import factories_plan
from tests.factories_executor import DAY, at, ledger_in, plan_of, row


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with ledger_in(tmp_path / "ledger") as ledger:
        yield ledger


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    folder = tmp_path / "plans"
    folder.mkdir()
    return folder


def saved(folder: Path, serial: int) -> Plan:
    plan = factories_plan.small_plan(serial=serial, plan_id=f"plan-{serial}")
    return save_plan(plan, folder)[1]


def choice(folder: Path, ledger: Ledger, when: datetime | None = None) -> PlanChoice:
    return choose_plan(folder, now=when or at("12:00"), ledger=ledger)


def serial_of(chosen: PlanChoice) -> int | None:
    plan = chosen.plan
    meta = plan.meta if isinstance(plan, Plan) else plan
    return None if meta is None else meta.serial


def test_the_newest_plan_whose_horizon_contains_now_is_followed(
    plans: Path, ledger: Ledger
) -> None:
    saved(plans, 1)
    saved(plans, 2)
    assert serial_of(choice(plans, ledger)) == 2
    assert serial_of(choice(plans, ledger, datetime(2026, 11, 24, tzinfo=UTC))) is None


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_longest_plan_is_found_from_its_first_minute_to_its_last(
    plans: Path, ledger: Ledger, zone: str
) -> None:
    begins = datetime.combine(DAY, time(), ZoneInfo(zone)).astimezone(UTC)
    ends = begins + timedelta(hours=MAX_HORIZON_HOURS)
    facts = {"timezone": zone, "horizon_start": begins, "horizon_end": ends}
    save_plan(plan_of(**facts), plans)
    for now in (begins, ends - timedelta(minutes=1)):
        assert serial_of(choice(plans, ledger, now)) == 1
    assert serial_of(choice(plans, ledger, ends)) is None


def test_pl10_without_any_plan_there_is_nothing_to_follow(
    plans: Path, ledger: Ledger
) -> None:
    assert choice(plans, ledger) == PlanChoice(plan=None, path=None)
    assert serial_of(choice(plans / "none", ledger)) is None


def test_pl10_a_damaged_plan_is_passed_over_for_the_last_good_one(
    plans: Path, ledger: Ledger
) -> None:
    saved(plans, 1)
    saved(plans, 2)
    path = plan_path(plans, DAY)
    path.write_bytes(path.read_bytes()[:-100])
    chosen = choice(plans, ledger)
    assert serial_of(chosen) == 1
    assert [passed.path for passed in chosen.passed_over] == [path]


def test_a_plan_older_than_one_already_followed_is_never_chosen(
    plans: Path, ledger: Ledger
) -> None:
    saved(plans, 1)
    adopt(ledger, saved(plans, 2), at_us=0, actor="test")
    plan_path(plans, DAY).unlink()
    (plans / f"plan-{DAY}.2.parquet").unlink(missing_ok=True)
    assert serial_of(choice(plans, ledger)) is None


def test_a_followed_plan_that_was_read_back_is_known_again(
    plans: Path, ledger: Ledger
) -> None:
    write_plan(factories_plan.small_plan(), plan_path(plans, DAY))
    first, second = choice(plans, ledger), choice(plans, ledger)
    assert first.plan is not None
    assert second.plan is not None
    assert adopt(ledger, first.plan, at_us=0, actor="test").added == 2
    assert adopt(ledger, second.plan, at_us=0, actor="test").added == 0


def test_the_rows_of_a_plan_are_read_until_the_ledger_holds_them(
    plans: Path, ledger: Ledger
) -> None:
    write_plan(factories_plan.small_plan(), plan_path(plans, DAY))
    first = choice(plans, ledger)
    assert isinstance(first.plan, Plan)
    adopt(ledger, first.plan, at_us=0, actor="test")
    path = plan_path(plans, DAY)
    damaged = bytearray(path.read_bytes())
    damaged[60] ^= 1
    path.write_bytes(damaged)
    assert choice(plans, ledger).plan == first.plan.meta
    with ledger_in(plans / "new") as fresh:
        assert choice(plans, fresh).plan is None


def test_metadata_alone_are_no_plan_that_can_be_followed_first(
    ledger: Ledger,
) -> None:
    plan = plan_of(row("a"))
    with pytest.raises(PlanFormatError, match="has no rows"):
        adopt(ledger, plan.meta, at_us=0, actor="test")
    adopt(ledger, plan, at_us=0, actor="test")
    assert adopt(ledger, plan.meta, at_us=1, actor="test").added == 0
