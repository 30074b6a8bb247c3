"""Random sequences of runs, kills, new plans and faults on a virtual clock."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outputs.plan import Plan
from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.dispatch import run_once
from planner.executor.errors import BackendError, NotTakenError, UncertainError
from planner.executor.ledger import Ledger
from planner.executor.states import FINAL, State
from planner.executor.verification import verify
from tests.factories_executor import MIDNIGHT, FakeBackend, ledger_in, plan_of, row

N_JOBS = 4
MEMORY = Path("/dev/shm")
"""Saves the disk some thousand syncs, where there is such a folder."""


class Killed(BaseException):
    """The executor's process ended here; nothing after it happens."""


class Storm(FakeBackend):
    """A back end that is slow, deaf or the last thing that the executor saw."""

    def __init__(self) -> None:
        super().__init__(settle=timedelta(0))
        self.plot: list[str] = []

    def submit(self, order: Order) -> Report:
        what = self.plot.pop(0) if self.plot else "well"
        if what == "killed before":
            raise Killed
        if what == "busy":
            raise NotTakenError("slow down")
        if what == "lost":
            raise UncertainError("timed out")
        report = super().submit(order)
        if what == "killed after":
            raise Killed
        if what == "taken in silence":
            raise UncertainError("timed out")
        return report

    def end_some(self, phase: Phase) -> None:
        """Let the oldest open one end."""
        for key, report in self.reports.items():
            if report.phase is Phase.WAITING:
                self.reports[key] = Report(phase=phase, exit_code=0)
                return


PLOTS = ("well", "killed before", "killed after", "busy", "lost", "taken in silence")
starts = st.integers(0, 23)
plans = st.lists(
    st.one_of(st.none(), st.tuples(starts, st.sampled_from(["run", "skip"]))),
    min_size=N_JOBS,
    max_size=N_JOBS,
)
steps = st.one_of(
    st.tuples(st.just("plan"), plans),
    st.tuples(st.just("run"), st.lists(st.sampled_from(PLOTS), max_size=3)),
    st.tuples(st.just("wait"), st.integers(1, 300)),
    st.tuples(st.just("back"), st.integers(1, 300)),
    st.tuples(st.just("end"), st.sampled_from([Phase.DONE, Phase.FAILED])),
    st.tuples(st.just("deaf"), st.booleans()),
)


def plan_from(places: list[tuple[int, str] | None], serial: int) -> Plan:
    return plan_of(
        *(
            row(
                f"j{n}",
                f"{place[0]:02}:00",
                region=f"r{n}",
                on_missed=place[1],
                retries=n % 2,
                minutes=40,
            )
            for n, place in enumerate(places)
            if place is not None
        ),
        serial=serial,
        created_at=MIDNIGHT - timedelta(days=2),
    )


def tick(folder: Path, plan: Plan | None, storm: Storm, minute: int) -> None:
    """One process: opens the ledger, works, and may be killed while it does."""
    ledger = ledger_in(folder)
    try:
        run_once(
            plan=plan,
            ledger=ledger,
            backends={"shell": storm},
            now=MIDNIGHT + timedelta(minutes=minute),
            actor="storm",
        )
    except Killed:
        pass
    finally:
        ledger.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=3, max_size=25))
@example(
    story=[
        ("plan", [None, None, None, (0, "run")]),
        ("run", ["killed after"]),
        ("plan", [None, None, None, None]),
        ("end", Phase.DONE),
    ]
)
def test_no_key_is_taken_twice_and_no_segment_vanishes(
    story: list[tuple[str, object]],
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder, storm = Path(name), Storm()
        plan: Plan | None = None
        serial, minute = 0, 0
        for what, value in story:
            if what == "plan":
                serial += 1
                plan = plan_from(value, serial)  # type: ignore[arg-type]
            elif what == "run":
                storm.plot = list(value)  # type: ignore[call-overload]
                tick(folder, plan, storm, minute)
            elif what in ("wait", "back"):
                minute = max(0, minute + (value if what == "wait" else -value))  # type: ignore[operator]
            elif what == "end":
                storm.end_some(value)  # type: ignore[arg-type]
            else:
                storm.look_up_error = BackendError("down") if value else None
            assert set(Counter(storm.submitted).values()) <= {1}
        calm(folder, plan, storm)
        with ledger_in(folder) as ledger:
            judge(ledger, storm, plan)


def calm(folder: Path, plan: Plan | None, storm: Storm) -> None:
    """The weather clears, and every run that began comes to its end."""
    storm.plot, storm.look_up_error = [], None
    for hours in (0, 6, 12, 18, 23, 23.5, 24, 25, 120):
        tick(folder, plan, storm, int(hours * 60))
        for _ in storm.reports:
            storm.end_some(Phase.DONE)
    tick(folder, plan, storm, 121 * 60)


def judge(ledger: Ledger, storm: Storm, plan: Plan | None) -> None:
    assert verify(ledger) == ()
    rows = ledger.dispatches("1 = 1")
    assert all(d.state in FINAL for d in rows)
    if plan is not None:
        assert set(plan.rows["job_id"].to_pylist()) <= {d.job_id for d in rows}
    # Not by its handle: a run that ended before it was found again has none.
    taken = {d.key for d in rows if d.state in (State.DONE, State.FAILED)}
    assert taken == set(storm.submitted)
    # One segment may be tried again, but only after the try before has failed.
    for d in rows:
        if d.attempt > 1:
            (before,) = (
                e for e in rows if (e.job_id, e.attempt) == (d.job_id, d.attempt - 1)
            )
            assert before.state is State.FAILED
