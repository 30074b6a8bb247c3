"""What Slurm's accounting tells of the energy of a job that has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from inputs.errors import SettingsError
from planner.executor.backends.backend import Order, Phase
from planner.executor.energy import Energy
from tests.slurm_commands import FakeSlurm, ended


@pytest.fixture
def fake(tmp_path: Path) -> FakeSlurm:
    return FakeSlurm(tmp_path)


def accounts(
    order: Order, energy: str, *, job: str = "7", state: str = "COMPLETED"
) -> list[Any]:
    """Answer of ``sacct`` about one job."""
    return [f"{job}|{state}|0:0|1795300000|1795300060|{energy}|{order.key}\n", "", 0]


def test_the_accounting_tells_the_energy_of_a_job_in_joules(fake: FakeSlurm) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=accounts(order, "7200000"))
    report = slurm.status(order.key, "7")
    assert report.phase is Phase.DONE
    assert report.energy == Energy(kwh=2.0, label="measured", source="Slurm")
    [argv] = fake.calls("sacct")
    assert "--allocations" in argv
    assert [w for w in argv if "ConsumedEnergyRaw" in w]


@pytest.mark.parametrize(
    "energy",
    [
        *("", "0", "-1", "7.2M", "7200000.0", "1e9", " 5", "٣"),
        "16777216000000000",
        "18446744073709551614",
        "18446744073709551615",
        "9" * 400,
    ],
)
def test_what_slurm_says_where_nothing_is_metered_is_no_figure(
    fake: FakeSlurm, energy: str
) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=accounts(order, energy))
    report = slurm.status(order.key, "7")
    assert (report.phase, report.energy) == (Phase.DONE, None)


@pytest.mark.parametrize(
    "facts", [{"job": "8"}, {"state": "RUNNING"}], ids=["another job", "not over"]
)
def test_energy_of_another_job_or_of_an_unfinished_record_is_not_taken(
    fake: FakeSlurm, facts: dict[str, str]
) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=accounts(order, "7200000", **facts))
    assert slurm.status(order.key, "7").energy is None


def test_an_end_does_not_depend_on_the_accounting(fake: FakeSlurm) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=["", "Slurm accounting storage is disabled", 1])
    report = slurm.status(order.key, "7")
    assert (report.phase, report.energy) == (Phase.DONE, None)


def test_nobody_is_asked_for_energy_where_the_settings_say_so(fake: FakeSlurm) -> None:
    for table in ({}, {"accounting": True, "energy": "none"}):
        slurm = fake.backend(**table)
        assert slurm.status(ended(slurm).key, "7").phase is Phase.DONE
    assert fake.calls("sacct") == []
    with pytest.raises(SettingsError, match="none or accounting"):
        fake.backend(energy="guess")


def test_many_ends_cost_one_look_at_the_accounting(fake: FakeSlurm) -> None:
    slurm = fake.backend(accounting=True)
    orders = [ended(slurm) for _ in range(5)]
    lines = "".join(accounts(order, "3600000")[0] for order in orders)
    fake.answer(sacct=[lines, "", 0])
    energies = [slurm.status(order.key, "7").energy for order in orders]
    assert [energy and energy.kwh for energy in energies] == [1.0] * 5
    assert len(fake.calls("sacct")) == 1


def test_a_job_that_slurm_still_counts_is_not_told_as_ended_yet(
    fake: FakeSlurm,
) -> None:
    slurm = fake.backend(accounting=True, timer=iter(range(0, 100, 10)).__next__)
    order = ended(slurm)
    line = f"{'7':<21}{order.key:<49}{'RUNNING':<21}{'0':<13}"
    fake.answer(squeue=[line + "\n", "", 0])
    report = slurm.status(order.key, "7")
    assert (report.phase, report.ended_at) == (Phase.RUNNING, None)
    fake.answer(sacct=accounts(order, "3600000"))
    report = slurm.look_up(order.key)
    assert report.energy == Energy(kwh=1.0, label="measured", source="Slurm")
