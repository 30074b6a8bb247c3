"""LO-04: nights on a virtual clock, with faults on one step in twenty."""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from outputs.plan import Plan
from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.dispatch import run_once
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from planner.executor.states import FINAL, State
from planner.executor.verification import verify
from tests.factories_executor import DAY, MIDNIGHT, FakeBackend, ledger_in, plan_of, row

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
SHARE_OF_FAULTS = 0.05
JOBS_A_NIGHT = 6
LISTED_AFTER = timedelta(minutes=4)


class Killed(BaseException):
    """The executor's process ended here."""


@dataclass(kw_only=True)
class Weather(FakeBackend):
    """A back end that errs, times out, and now and then lists a key late."""

    luck: random.Random
    now: datetime = MIDNIGHT
    settle: timedelta = timedelta(minutes=5)
    taken_at: dict[str, datetime] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    listed_late: set[str] = field(default_factory=set)
    faults: int = 0

    def strikes(self) -> bool:
        struck = self.luck.random() < SHARE_OF_FAULTS
        self.faults += struck
        return struck

    def submit(self, order: Order) -> Report:
        fault = self.luck.choice(range(6)) if self.strikes() else None
        if fault == 0:
            raise Killed
        if fault == 1:
            raise NotTakenError("slow down")
        if fault == 2:
            raise UncertainError("timed out, and was not taken")
        if fault == 3:
            self.rejected.add(order.key)
            raise RejectedError("bad request")
        report = super().submit(order)
        self.taken_at[order.key] = self.now
        if fault == 4:
            raise Killed
        if fault == 5:
            self.listed_late.add(order.key)
            raise UncertainError("timed out, and was taken")
        return report

    def look_up(self, key: str) -> Report:
        if self.strikes():
            raise BackendError("down")
        taken_at = self.taken_at.get(key)
        if taken_at is None:
            return Report(phase=Phase.ABSENT)
        if key in self.listed_late and self.now < taken_at + LISTED_AFTER:
            return Report(phase=Phase.ABSENT)
        if self.now < taken_at + timedelta(minutes=30):
            return Report(phase=Phase.RUNNING, started_at=taken_at)
        ended = {"started_at": taken_at, "ended_at": taken_at + timedelta(minutes=30)}
        # By the key, so that it does not change its mind.
        if sum(key.encode()) % 20 == 0:
            return Report(phase=Phase.FAILED, exit_code=1, **ended)
        return Report(phase=Phase.DONE, exit_code=0, **ended)


def plan_for(night: int, serial: int, luck: random.Random) -> Plan:
    shift = timedelta(days=night)
    rows = []
    for n in range(JOBS_A_NIGHT):
        on_missed = luck.choice(["run", "run", "skip"])
        single = row(f"j{n}", minutes=30, retries=n % 3, on_missed=on_missed)
        start = MIDNIGHT + shift + timedelta(minutes=15 * luck.randrange(80))
        rows.append({**single, "start": start, "end": start + timedelta(minutes=30)})
    return plan_of(
        *rows,
        serial=serial,
        plan_id=f"plan-{night}-{serial}",
        digest=f"digest-{night}-{serial}",
        date=DAY + shift,
        horizon_start=MIDNIGHT + shift,
        horizon_end=MIDNIGHT + shift + timedelta(days=1),
        created_at=MIDNIGHT + shift - timedelta(hours=6),
    )


def tick(folder: Path, plan: Plan, weather: Weather, now: datetime) -> None:
    """One process: opens the ledger, works, and may be killed while it does."""
    weather.now = now
    with ledger_in(folder) as ledger:
        try:
            run_once(
                plan=plan,
                ledger=ledger,
                backends={"shell": weather},
                now=now,
                actor="year",
            )
        except Killed:
            ledger.store.rollback()


def live(folder: Path, nights: int, seed: int) -> Weather:
    """Every quarter of an hour of some nights, but for one in twenty of them."""
    luck = random.Random(seed)
    weather = Weather(luck=luck)
    for night in range(nights):
        serial, plan = 1, plan_for(night, 1, luck)
        for quarter in range(96):
            if weather.strikes():
                continue
            if luck.random() < SHARE_OF_FAULTS / 4:
                weather.faults += 1
                serial += 1
                plan = plan_for(night, serial, luck)
            now = MIDNIGHT + timedelta(days=night, minutes=15 * quarter)
            tick(folder, plan, weather, now)
    end = MIDNIGHT + timedelta(days=nights)
    for hour in range(12):
        tick(folder, plan, weather, end + timedelta(hours=hour))
    return weather


def judge(folder: Path, weather: Weather, nights: int) -> None:
    with ledger_in(folder) as ledger:
        assert verify(ledger) == ()
        rows = ledger.dispatches("1 = 1")
    assert all(d.state in FINAL for d in rows)
    assert set(Counter(weather.submitted).values()) <= {1}
    first = {(d.date, d.job_id) for d in rows if d.attempt == 1}
    assert len(first) == nights * JOBS_A_NIGHT
    ended = {d.key for d in rows if d.state in (State.DONE, State.FAILED)}
    assert ended == set(weather.submitted) | weather.rejected
    assert weather.faults > nights


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def nights_pass(nights: int, seed: int) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        before = handles()
        weather = live(Path(name), nights, seed)
        assert handles() == before
        judge(Path(name), weather, nights)


def test_lo04_faults_on_every_twentieth_step_lose_and_double_nothing() -> None:
    nights_pass(2, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_lo04_a_year_with_faults_loses_and_doubles_nothing(seed: int) -> None:
    nights_pass(365, seed)
