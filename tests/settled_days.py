"""A day from solving to settling, driven by the clock of the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inputs.workspace import load_workspace
from outputs.evidence import Evidence
from planner.executing import execute
from planner.executor.backends.backend import Phase, Report
from planner.executor.backends.registry import Place
from planner.settling import SettleRequest, settle_day
from solvers.solution import SolveOptions
from tests.factories_executor import FakeBackend
from tests.factories_workspace import Folder, a_workspace

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)

SETTINGS = """
[planner]
slot_minutes = 60
jobs = ["inputs/*"]

[regions.north]
capacity = { cpu = 4 }
{region}

[forecasts.carbon]
provider = "file"
path = "carbon.csv"

[settlement.carbon]
path = "actual.csv"
{settlement}
"""


def at(hour: float) -> datetime:
    """Instant in hours after midnight of the planned day."""
    return MIDNIGHT + timedelta(hours=hour)


def series(values: Sequence[float | None], column: str = "g_per_kwh") -> str:
    """Hourly file of the planned day; None leaves a row out."""
    lines = [f"region,start,{column}"]
    for hour, value in enumerate(values):
        if value is not None:
            lines.append(f"north,{at(hour).isoformat()},{value}")
    return "\n".join(lines) + "\n"


class SettledDay:
    """One region, hourly slots, and a back end that does as the test says.

    Parameters
    ----------
    forecast, actual
        Intensity from midnight on; the last forecast value fills the day. [g/kWh]
    """

    def __init__(
        self,
        root: Path,
        *jobs: Mapping[str, Any],
        forecast: Sequence[float],
        actual: Sequence[float | None],
        region: str = "",
        settlement: str = "",
    ) -> None:
        whole_day = [*forecast, *[forecast[-1]] * (24 - len(forecast))]
        text = SETTINGS.replace("{region}", region).replace("{settlement}", settlement)
        self.folder: Folder = a_workspace(
            root, *jobs, settings=text, carbon=series(whole_day)
        )
        self.folder.write("actual.csv", series(actual))
        self.backend = FakeBackend()

    @property
    def place(self) -> Place:
        return Place(
            workspace=self.folder.root,
            outputs=self.folder.root / "outputs",
            environ={},
        )

    def solve(self) -> None:
        result = self.folder.run("solve", "--date", "2026-11-22")
        assert result.exit_code == 0, result.output

    def tick(self, hour: float) -> None:
        """One run of the executor."""
        execute(
            self.place,
            plan_path=None,
            now=at(hour),
            actor="test",
            backends={"shell": self.backend},
        )

    def ends(self, job_id: str, phase: Phase = Phase.DONE, **facts: Any) -> None:
        """Have the newest attempt of a job end so."""
        key = [k for k, o in self.backend.orders.items() if o.job_id == job_id][-1]
        self.backend.reports[key] = Report(phase=phase, handle="h", **facts)

    def runs(
        self,
        job_id: str,
        start: float,
        end: float,
        phase: Phase = Phase.DONE,
        **facts: Any,
    ) -> None:
        """Send what is due at an hour, and have one job run until another."""
        self.tick(start)
        self.ends(job_id, phase, started_at=at(start), ended_at=at(end), **facts)
        self.tick(end)

    def settle(self, hour: float = 30.0) -> Evidence:
        workspace = load_workspace(self.folder.root, environment={})
        request = SettleRequest(
            workspace=workspace,
            place=self.place,
            day=MIDNIGHT.date(),
            options=SolveOptions(time_limit_s=5.0),
        )
        return settle_day(request, now=at(hour), environment={})[1]
