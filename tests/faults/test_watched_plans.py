"""PL-05, PL-06: a plan is replaced by a worse one while the daemon follows it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import DAY, SETTINGS, Folder, a_workspace, jobs_yaml

SIGNED = {"PLANNER_SIGNING_KEY": "0123456789abcdef-ours"}
QUARTERS = SETTINGS.replace("slot_minutes = 60", "slot_minutes = 15")


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 22, hour, minute, tzinfo=UTC)


@dataclass
class Clock:
    """Goes on by a minute each time it is read, so that nobody has to wait.

    Parameters
    ----------
    now
        What it said last.
    meanwhile
        Done once, when the clock comes to an instant.
    """

    now: datetime
    meanwhile: dict[datetime, Callable[[], object]]

    def read(self) -> datetime:
        self.now += timedelta(minutes=1)
        for due in [due for due in self.meanwhile if due <= self.now]:
            self.meanwhile.pop(due)()
        return self.now

    def steady(self) -> float:
        return self.now.timestamp()


def watched(folder: Folder, meanwhile: Callable[[], object]) -> Result:
    """What a daemon says that begins at one; a thing that is done at five past one."""
    leave = partial(os.kill, os.getpid(), signal.SIGTERM)
    clock = Clock(at(0, 59), {at(1, 5): meanwhile, at(1, 40): leave})
    app = App(
        clock=clock.read,
        timer=clock.steady,
        environment=folder.environment,
        directory=folder.root,
        root=lambda: False,
    )
    return CliRunner().invoke(main, ["execute", "--watch"], obj=app)


def solved(folder: Folder, b_at: str) -> bytes:
    """The day is planned anew, with job b at some time."""
    times = {"a": "01:00", "b": b_at}
    jobs = ({"id": name, "earliest": f'"{time}"'} for name, time in times.items())
    folder.write("inputs/jobs.yaml", jobs_yaml(*jobs))
    result = folder.run("solve", "--date", DAY, "--solver", "asap")
    assert result.exit_code == ExitCode.DONE, result.stderr
    return newest(folder).read_bytes()


def newest(folder: Folder) -> Path:
    return folder.root / f"outputs/plans/plan-{DAY}.parquet"


def sent(result: Result) -> dict[str, str]:
    """When each job was sent, as HH:MM."""
    assert result.exit_code == ExitCode.DONE, result.output
    lines = (line.split() for line in result.stdout.splitlines())
    return {words[2]: words[0][11:16] for words in lines if words[1] == "sent"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return replace(a_workspace(tmp_path, settings=QUARTERS), environment=SIGNED)


def test_a_daemon_follows_a_newer_plan_as_soon_as_it_is_there(
    folder: Folder,
) -> None:
    solved(folder, "01:30")
    times = sent(watched(folder, lambda: solved(folder, "01:15")))
    assert times["a"] < "01:05" < "01:15" <= times["b"] < "01:20"


@pytest.mark.parametrize(
    ("worse", "why"),
    [("unsigned", "is not signed"), ("older", "is older than the one")],
)
def test_a_daemon_goes_on_with_the_plan_that_a_worse_one_replaced(
    folder: Folder, worse: str, why: str
) -> None:
    older = solved(folder, "01:15")
    solved(folder, "01:30")
    unsigned = replace(folder, environment={})
    replacements = {
        "unsigned": lambda: solved(unsigned, "01:15"),
        "older": lambda: newest(folder).write_bytes(older),
    }
    result = watched(folder, replacements[worse])
    times = sent(result)
    assert times["a"] < "01:05"
    assert times["b"] >= "01:30", "as the better plan has it"
    (told,) = (line for line in result.stderr.splitlines() if why in line)
    assert f"{DAY}T01:05" <= told < f"{DAY}T01:15"
