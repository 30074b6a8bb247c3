"""A day from solving to settling, driven by the clock of the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

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
timezone = "{timezone}"
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


def series(values: Sequence[float | None], midnight: datetime = MIDNIGHT) -> str:
    """Hourly file of the planned day; None leaves a row out."""
    lines = ["region,start,g_per_kwh"]
    for hour, value in enumerate(values):
        if value is not None:
            start = midnight + timedelta(hours=hour)
            lines.append(f"north,{start.isoformat()},{value}")
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
        midnight: datetime = MIDNIGHT,
        timezone: str = "UTC",
    ) -> None:
        whole_day = [*forecast, *[forecast[-1]] * (25 - len(forecast))]
        self.midnight, self.zone = midnight, ZoneInfo(timezone)
        text = SETTINGS.replace("{region}", region).replace("{settlement}", settlement)
        text = text.replace("{timezone}", timezone)
        self.folder: Folder = a_workspace(
            root, *jobs, settings=text, carbon=series(whole_day, midnight)
        )
        self.folder.write("actual.csv", series(actual, midnight))
        self.backend = FakeBackend()

    @property
    def place(self) -> Place:
        return Place(
            workspace=self.folder.root,
            outputs=self.folder.root / "outputs",
            environ={},
        )

    @property
    def date(self) -> date:
        return self.midnight.astimezone(self.zone).date()

    def at(self, hour: float) -> datetime:
        """Instant in hours after midnight of the planned day."""
        return self.midnight + timedelta(hours=hour)

    def solve(self) -> None:
        words = ("solve", "--date", self.date.isoformat())
        result = self.folder.run(*words, now=self.at(-1.5))
        assert result.exit_code == 0, result.output

    def tick(self, hour: float) -> None:
        """One run of the executor."""
        execute(
            self.place,
            plan_path=None,
            now=self.at(hour),
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
        self.ends(
            job_id, phase, started_at=self.at(start), ended_at=self.at(end), **facts
        )
        self.tick(end)

    def settle(self, hour: float = 30.0) -> Evidence:
        workspace = load_workspace(self.folder.root, environment={})
        request = SettleRequest(
            workspace=workspace,
            place=self.place,
            day=self.date,
            options=SolveOptions(time_limit_s=5.0),
        )
        return settle_day(request, now=self.at(hour), environment={})[1]
