"""Small workspaces on disk, for tests that walk the whole way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from click.testing import CliRunner, Result

from inputs.workspace import load_workspace
from planner.cli import main
from planner.cli.app import App
from planner.day import Day, prepare_day
from planner.stopwatch import Stopwatch

NOW = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
"""The clock of these tests: the evening before the planned day."""

DAY = "2026-11-22"

SETTINGS = """
[planner]
timezone = "UTC"
slot_minutes = 60
jobs = ["inputs/*"]

[regions.north]
capacity = { cpu = 4 }
power_cap_kw = 10
pue = 1.2

[regions.south]
capacity = { cpu = 2 }

[forecasts.carbon]
provider = "file"
path = "carbon.csv"
"""

CARBON = {
    "north": [300.0] * 6 + [100.0] * 6 + [200.0] * 12,
    "south": [250.0] * 24,
}
"""Intensity by region and hour. [g/kWh]"""


def carbon_csv(*days: str, values: Mapping[str, Sequence[float]] = CARBON) -> str:
    """Hourly forecast file of UTC days, each with the same intensities."""
    lines = ["region,start,g_per_kwh"]
    for day in days or (DAY,):
        for region, intensity in values.items():
            for hour, g_per_kwh in enumerate(intensity):
                lines.append(f"{region},{day}T{hour:02}:00:00+00:00,{g_per_kwh}")
    return "\n".join(lines) + "\n"


def jobs_yaml(*jobs: Mapping[str, Any]) -> str:
    """Manifest of a few jobs; what is not given is the smallest sensible value."""
    lines = ["jobs:"]
    for number, job in enumerate(jobs):
        fields = {
            "id": f"job-{number}",
            "command": '["true"]',
            "duration": "2h",
            "power_kw": 1,
            "resources": "{ cpu: 1 }",
            **job,
        }
        lines += [
            f"{'  - ' if first else '    '}{key}: {value}"
            for first, (key, value) in zip(
                [True] + [False] * len(fields), fields.items(), strict=False
            )
        ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Folder:
    """A workspace in a temporary folder and commands run in it."""

    root: Path
    now: datetime = NOW
    environment: Mapping[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        """Write one file of the workspace."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(
        self, *words: str, now: datetime | None = None, root: bool = False
    ) -> Result:
        """Run ``planner`` here, with a clock of the test's own, as root or not."""
        clock = now or self.now
        app = App(
            clock=lambda: clock,
            environment=self.environment,
            directory=self.root,
            root=lambda: root,
        )
        return CliRunner().invoke(main, list(words), obj=app)


def a_workspace(
    root: Path,
    *jobs: Mapping[str, Any],
    settings: str = SETTINGS,
    carbon: str | None = None,
) -> Folder:
    """Workspace of two regions, with the jobs given, or with one job."""
    folder = Folder(root)
    folder.write("planner.toml", settings)
    folder.write("carbon.csv", carbon_csv() if carbon is None else carbon)
    folder.write("inputs/jobs.yaml", jobs_yaml(*(jobs or ({},))))
    return folder


def day_of(folder: Folder) -> Day:
    """The planned day of a workspace, stated as a problem."""
    return prepare_day(
        load_workspace(folder.root, environment={}),
        date.fromisoformat(DAY),
        now=NOW,
        environment={},
        watch=Stopwatch(perf_counter),
    )
