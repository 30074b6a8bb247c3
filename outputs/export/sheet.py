"""What exporters are given, and what they give back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_KEY_CHARACTERS = 8
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One placed row of a plan, ready to be written for another tool.

    Parameters
    ----------
    key
        The key under which the executor would send it.
    start, end
        As planned, aware UTC.
    latest_start
        From then on it must not begin any more: its rule for missed runs, or its
        deadline, forbids it.
    command
        argv; empty where only a container image is named.
    env
        Variables of the job, with those that tell it about its place in the plan.
    timeout_s
        Longest running time, None for no limit. [s]
    sbatch_options
        What the Slurm back end would ask for; empty in other formats.
    kubernetes_job
        The Job that the Kubernetes back end would create; None in other formats.
    """

    key: str
    job_id: str
    segment: int
    region: str
    start: datetime
    end: datetime
    latest_start: datetime
    command: tuple[str, ...]
    env: Mapping[str, str]
    timeout_s: float | None = None
    sbatch_options: tuple[str, ...] = ()
    kubernetes_job: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """Name for files and units: readable, safe anywhere, different for each key."""
        day, digest, *_ = f"{self.key}--".split("-")
        job = _UNSAFE.sub("-", self.job_id)[:128].strip("-.")
        return f"planner-{day[1:]}-{job}-{self.segment}-{digest[:_KEY_CHARACTERS]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A plan as exporters see it.

    Parameters
    ----------
    tasks
        Sorted by start, then job id; never empty.
    directory
        Where jobs run, absolute; None where that is not known.
    site_is_known
        Whether the keys are those of an executor's ledger.
    """

    plan_id: str
    digest: str
    day: date
    horizon_start: datetime
    planner_version: str
    tasks: tuple[Task, ...]
    directory: Path | None
    site_is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file of an export: its name, its text, and whether it is a program."""

    name: str
    text: str
    is_program: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that an export does not hold, and why."""

    job_id: str
    segment: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One format.

    Parameters
    ----------
    files
        Writes a sheet down; every text in it is data, whatever it holds.
    refusal
        Why the format cannot hold a task, None if it can.
    is_folder
        Whether there may be several files.
    """

    files: Callable[[Sheet], list[ExportFile]]
    refusal: Callable[[Sheet, Task], str | None]
    is_folder: bool = False


def header(sheet: Sheet, *notes: str) -> list[str]:
    """Lines that open every export, without comment marks.

    Parameters
    ----------
    sheet
        What is exported.
    notes
        What a reader of this format must know.
    """
    lines = [
        f"Plan {sheet.plan_id} of {sheet.day}, digest {sheet.digest}",
        f"Exported by planner {sheet.planner_version}; times are UTC.",
        "Do not let `planner execute` dispatch this plan, too: all would run twice.",
        "Each run is for its planned start only; retries are left to this tool.",
    ]
    if not sheet.site_is_known:
        lines.append(
            "PLANNER_KEY is not the executor's: no ledger was found by the export."
        )
    return [printable(line) for line in (*lines, *notes)]


def comment(lines: list[str]) -> list[str]:
    """Lines as comments behind ``#``."""
    return [f"# {line}".rstrip() for line in lines]


def printable(text: str) -> str:
    """Text for a comment or title: on one line, whatever a plan holds."""
    return "".join(c if c.isprintable() else "?" for c in text)


def common_refusal(_: Sheet, task: Task) -> str | None:
    """Why no tool that starts processes can hold a task."""
    if not task.command or not task.command[0]:
        return "it has no command, only an image" if not task.command else "no program"
    if task.command[0].startswith("-"):
        return f"command not found: {task.command[0]}"
    return text_refusal(task)


def text_refusal(task: Task) -> str | None:
    """Why no tool at all can hold the words of a task."""
    for name in task.env:
        if not _VARIABLE.fullmatch(name):
            return f"env {name!r} is not a variable's name"
    for word in (*task.command, *task.env.values()):
        if "\0" in word:
            return "a command or variable holds NUL"
        if any("\ud800" <= c <= "\udfff" for c in word):
            return "a command or variable holds half of a character"
    return None


def utc(instant: datetime) -> str:
    """Instant for people, to the second, like 2026-11-22 01:00:00 UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
