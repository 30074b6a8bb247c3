"""Plans of many dates in one folder, earlier versions kept."""

from __future__ import annotations

import os
from collections.abc import Generator
from datetime import date
from pathlib import Path, PosixPath
from typing import ClassVar

import pytest

from outputs.errors import PlanStorageError
from outputs.plan_file import read_plan
from outputs.plan_store import (
    find_plan,
    newest_plan_before,
    next_serial,
    plan_path,
    save_plan,
    valid_plans,
)
from tests.factories_plan import small_plan

SUNDAY, MONDAY, TUESDAY = (date(2026, 11, day) for day in (22, 23, 24))


def save(folder: Path, day: date, serial: int | None = None) -> Path:
    serial = next_serial(folder, day) if serial is None else serial
    return save_plan(
        small_plan(date=day, serial=serial, plan_id=f"{day}-{serial}"), folder
    )[0]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_newest_plan_of_a_date_has_the_plain_name(tmp_path: Path) -> None:
    assert next_serial(tmp_path, SUNDAY) == 1
    for _ in range(3):
        save(tmp_path, SUNDAY)
    assert names(tmp_path) == [
        "plan-2026-11-22.1.parquet",
        "plan-2026-11-22.2.parquet",
        "plan-2026-11-22.parquet",
    ]
    assert read_plan(plan_path(tmp_path, SUNDAY)).meta.serial == 3
    assert read_plan(tmp_path / "plan-2026-11-22.1.parquet").meta.serial == 1
    assert next_serial(tmp_path, SUNDAY) == 4
    assert next_serial(tmp_path, MONDAY) == 1


def test_version_saved_twice_after_a_crash_counts_once(tmp_path: Path) -> None:
    save(tmp_path, SUNDAY)
    # killed after the second name was given, before the new plan was in place
    os.link(plan_path(tmp_path, SUNDAY), tmp_path / "plan-2026-11-22.1.parquet")
    assert [plan.meta.serial for plan in valid_plans(tmp_path)] == [1]
    save(tmp_path, SUNDAY)
    assert [plan.meta.serial for plan in valid_plans(tmp_path)] == [1, 2]


def test_valid_plans_come_by_date_and_serial(tmp_path: Path) -> None:
    for day in (MONDAY, SUNDAY, MONDAY):
        save(tmp_path, day)
    found = [(plan.meta.date, plan.meta.serial) for plan in valid_plans(tmp_path)]
    assert found == [(SUNDAY, 1), (MONDAY, 1), (MONDAY, 2)]


class Listed(PosixPath):
    """A folder that counts how often it is listed."""

    times = 0

    def iterdir(self) -> Generator[Path, None, None]:
        Listed.times += 1
        return super().iterdir()


def test_plans_of_other_dates_cost_no_more_than_one_look_at_the_folder(
    tmp_path: Path,
) -> None:
    for day in (SUNDAY, MONDAY, TUESDAY):
        save(tmp_path, day)
    found = valid_plans(Listed(tmp_path), first=MONDAY, last=MONDAY)
    assert [plan.meta.date for plan in found] == [MONDAY]
    assert Listed.times == 1


class Opened(PosixPath):
    """A folder that notes which of its files are opened."""

    names: ClassVar[list[str]] = []

    def __fspath__(self) -> str:
        if self.suffix == ".parquet":
            Opened.names.append(self.name)
        return super().__fspath__()


def test_a_plan_is_found_by_its_identity_without_opening_those_before_it(
    tmp_path: Path,
) -> None:
    for day in (SUNDAY, MONDAY, MONDAY, TUESDAY):
        save(tmp_path, day)
    (first, *_) = valid_plans(tmp_path, first=MONDAY, last=MONDAY)
    found = find_plan(Opened(tmp_path), first.meta.plan_id, last=MONDAY)
    assert found == first
    kept = {"plan-2026-11-23.parquet", "plan-2026-11-23.1.parquet"}
    assert set(Opened.names) == kept
    assert find_plan(tmp_path, first.meta.plan_id, last=SUNDAY) is None
    assert find_plan(tmp_path, "no-such-plan") is None


def test_damaged_and_misnamed_files_count_as_absent(tmp_path: Path) -> None:
    good = save(tmp_path, SUNDAY)
    plan_path(tmp_path, MONDAY).write_bytes(good.read_bytes())
    plan_path(tmp_path, TUESDAY).write_bytes(good.read_bytes()[:-1])
    (tmp_path / "plan-2026-02-30.parquet").write_bytes(good.read_bytes())
    (tmp_path / "plan-2026-11-22.1.parquet.part").write_bytes(b"")
    assert [plan.path for plan in valid_plans(tmp_path)] == [good]


def test_damaged_newest_plan_is_kept_and_its_number_not_given_again(
    tmp_path: Path,
) -> None:
    save(tmp_path, SUNDAY)
    plan_path(tmp_path, SUNDAY).write_bytes(b"damaged")
    assert next_serial(tmp_path, SUNDAY) == 2
    save(tmp_path, SUNDAY)
    assert (tmp_path / "plan-2026-11-22.1.parquet").read_bytes() == b"damaged"
    assert next_serial(tmp_path, SUNDAY) == 3


def test_newest_plan_before_a_date_skips_damage_and_other_dates(
    tmp_path: Path,
) -> None:
    assert newest_plan_before(tmp_path, SUNDAY) is None
    save(tmp_path, SUNDAY)
    save(tmp_path, SUNDAY)
    save(tmp_path, MONDAY)
    before = newest_plan_before(tmp_path, MONDAY)
    assert before is not None
    assert (before.meta.date, before.meta.serial) == (SUNDAY, 2)
    plan_path(tmp_path, SUNDAY).write_bytes(b"damaged")
    before = newest_plan_before(tmp_path, MONDAY)
    assert before is not None
    assert before.meta.serial == 1
    assert newest_plan_before(tmp_path, SUNDAY) is None


def test_folder_that_is_missing_holds_no_plans(tmp_path: Path) -> None:
    assert valid_plans(tmp_path / "plans") == ()
    assert next_serial(tmp_path / "plans", SUNDAY) == 1
    with pytest.raises(PlanStorageError):
        save(tmp_path / "plans", SUNDAY)
