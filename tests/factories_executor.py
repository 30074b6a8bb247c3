"""The smallest plans, ledgers and back ends that the executor's tests need."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from outputs.plan import PLAN_SCHEMA, PLANNED, UNPLACED, Plan, PlanMeta
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.shell import Shell
from planner.executor.errors import BackendError
from planner.executor.keys import dispatch_key
from planner.executor.ledger import Ledger
from planner.executor.ledger_file import open_ledger

DAY = date(2026, 11, 22)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
MADE = MIDNIGHT - timedelta(hours=6)


def at(text: str) -> datetime:
    """Instant of the planned day, from HH:MM or HH:MM:SS."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))


def row(
    job_id: str,
    start: str = "02:00",
    *,
    minutes: float = 60,
    command: Sequence[str] = ("true",),
    region: str = "north",
    segment: int = 0,
    executor: str | None = "shell",
    power_kw: float = 1.0,
    replicas: int | None = 1,
    **spec: Any,
) -> dict[str, Any]:
    """A placed row of a plan; ``spec`` holds further keys of its spec."""
    begin = at(start)
    return {
        "job_id": job_id,
        "segment": segment,
        "status": PLANNED,
        "region": region,
        "start": begin,
        "end": begin + timedelta(minutes=minutes),
        "replicas": replicas,
        "power_kw": power_kw,
        "executor": executor,
        "command": list(command),
        "spec": json.dumps({"command": list(command), **spec}, sort_keys=True),
    }


def unplaced(job_id: str) -> dict[str, Any]:
    """A row that no place was found for."""
    return {
        "job_id": job_id,
        "segment": 0,
        "status": UNPLACED,
        "reason": "no room",
        "spec": "{}",
    }


def plan_of(*rows: dict[str, Any], serial: int = 1, **changes: Any) -> Plan:
    """A plan as it comes out of ``read_plan``."""
    facts: dict[str, Any] = {
        "plan_id": f"plan-{serial}",
        "serial": serial,
        "date": DAY,
        "timezone": "UTC",
        "horizon_start": MIDNIGHT,
        "horizon_end": MIDNIGHT + timedelta(days=1),
        "slot_minutes": 15,
        "solver": "asap",
        "solver_versions": {},
        "seed": 0,
        "status": "feasible",
        "objective": 0.0,
        "bound": None,
        "gap": None,
        "emissions_kg": 0.0,
        "unplaced": 0,
        "policies": {},
        "forecasts": (),
        "inputs": (),
        "seconds": {},
        "created_at": MADE + timedelta(minutes=serial),
        "planner_version": "0",
        "digest": f"digest-{serial}",
    }
    columns = {name: [r.get(name) for r in rows] for name in PLAN_SCHEMA.names}
    table = pa.table(columns, schema=PLAN_SCHEMA)
    return Plan(rows=table, meta=PlanMeta(**{**facts, **changes}))


def ledger_in(folder: Path, **options: Any) -> Ledger:
    """The ledger of a folder, with a fixed site."""
    return open_ledger(folder, now=MADE, site="site", **options)


def shell_in(folder: Path, **options: Any) -> Shell:
    """The shell back end of a folder, which is also the working directory."""
    environ = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
    return Shell(runs=folder / "runs", workspace=folder, environ=environ, **options)


def order(text: str = "job", **changes: Any) -> Order:
    """An order as the executor would make it of a job of that id."""
    key = dispatch_key(site="site", day=DAY, job_id=text, segment=0, attempt=1)
    facts: dict[str, Any] = {
        "key": key,
        "job_id": text,
        "segment": 0,
        "region": "north",
        "replicas": 1,
        "start": at("02:00"),
        "end": at("03:00"),
        "command": ("true",),
        "env": {"PLANNER_KEY": key},
    }
    return Order(**facts | changes)


def until(
    condition: Callable[[], bool], *, seconds: float = 20.0, pause: float = 0.01
) -> None:
    """Wait for something that another process does."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(pause)


@dataclass(kw_only=True)
class FakeBackend:
    """Keeps orders in memory, and fails on demand.

    Parameters
    ----------
    submitted
        Keys in the order in which they were taken.
    failures
        Raised by the next submissions, one each; None lets one pass.
    takes_before_failing
        Whether a submission that fails was taken all the same.
    cancelled
        Keys whose end was asked for.
    on_submit
        Called first with each order.
    ends_when_cancelled
        How an open run stands right after that; None if it goes on.
    """

    name: str = "fake"
    settle: timedelta = timedelta(0)
    refuses_repeats: bool = False
    at_once: int = 1
    submitted: list[str] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    failures: list[BackendError | None] = field(default_factory=list)
    takes_before_failing: bool = False
    look_up_error: BackendError | None = None
    cancel_error: BackendError | None = None
    cancelled: list[str] = field(default_factory=list)
    ends_when_cancelled: Phase | None = Phase.CANCELLED
    on_submit: Callable[[Order], None] = lambda order: None

    def submit(self, order: Order) -> Report:
        self.on_submit(order)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None and not self.takes_before_failing:
            raise failure
        if order.key in self.reports and self.refuses_repeats:
            return self.reports[order.key]
        self.submitted.append(order.key)
        self.orders[order.key] = order
        self.reports[order.key] = Report(phase=Phase.WAITING, handle=f"h-{order.key}")
        if failure is not None:
            raise failure
        return self.reports[order.key]

    def look_up(self, key: str) -> Report:
        if self.look_up_error is not None:
            raise self.look_up_error
        return self.reports.get(key, Report(phase=Phase.ABSENT))

    def status(self, key: str, handle: str | None) -> Report:
        return self.look_up(key)

    def cancel(self, key: str, handle: str | None) -> Report:
        if self.cancel_error is not None:
            raise self.cancel_error
        self.cancelled.append(key)
        open_phases = (Phase.WAITING, Phase.RUNNING)
        known = self.reports.get(key)
        if known and known.phase in open_phases and self.ends_when_cancelled:
            self.reports[key] = Report(phase=self.ends_when_cancelled)
        return self.look_up(key)

    def logs(self, key: str, handle: str | None) -> Logs:
        return Logs(stdout=None, stderr=None)
