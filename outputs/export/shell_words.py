"""A task in POSIX sh: the guard of its time, its folder, its variables, its command.

What comes from a plan is quoted; nothing of it is read by the shell.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from shlex import quote

from outputs.export.sheet import Task, printable, utc

NOT_NOW = 75
"""Exit status of a run outside its time (``EX_TEMPFAIL``)."""

Quote = Callable[[str], str]


def statements(
    task: Task, directory: Path | None, *, quoted: Quote = quote
) -> list[str]:
    """Statements that run a task in its time, or say why they do not.

    Parameters
    ----------
    task
        With a command.
    directory
        Where it runs; None for where the tool starts it.
    quoted
        Makes one word of any text; default as POSIX sh reads it.
    """
    return [
        *guard(task, quoted=quoted),
        *([] if directory is None else [f"cd {quoted(str(directory))} || exit 72"]),
        *(f"export {name}={quoted(text)}" for name, text in task.env.items()),
        f"exec {command_line(task, quoted=quoted)}",
    ]


def guard(task: Task, *, quoted: Quote = quote) -> list[str]:
    """Statements that end the run outside its time, loudly."""
    told = quoted(
        f"{printable(task.job_id)}: planned for {utc(task.start)}, to begin before "
        f"{utc(task.latest_start)}; not run now. Is the clock right?"
    )
    return [f"{test_of_time(task)} || {{ echo {told} >&2; exit {NOT_NOW}; }}"]


def test_of_time(task: Task) -> str:
    """The guard as one silent command, its exit status the answer."""
    begins, ends = seconds(task.start), math.ceil(task.latest_start.timestamp())
    return f'[ "$(date +%s)" -ge {begins} ] && [ "$(date +%s)" -lt {ends} ]'


def command_line(task: Task, *, quoted: Quote = quote) -> str:
    """The command as words of the shell, below its time limit."""
    words = " ".join(quoted(word) for word in task.command)
    if task.timeout_s is None:
        return words
    return f"timeout {math.ceil(task.timeout_s)} {words}"


def seconds(instant: datetime) -> int:
    """Whole seconds since 1970, as ``date +%s`` prints them."""
    return math.floor(instant.timestamp())
