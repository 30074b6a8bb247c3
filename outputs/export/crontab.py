"""A crontab: one line a task, that runs on its day and in no other year."""

from __future__ import annotations

from shlex import quote

from outputs.export.sheet import (
    Exporter,
    ExportFile,
    Sheet,
    Task,
    comment,
    common_refusal,
    header,
)
from outputs.export.shell_words import statements

MAX_COMMAND_BYTES = 998
"""Longer commands are refused by Debian's ``crontab``, cut short by other crons."""

_NEWLINE = ["set -- \"$(printf '\\012x')\"", 'set -- "${1%x}"']
"""Makes $1 a newline, for a line of a crontab can hold none."""


def line(sheet: Sheet, task: Task) -> str:
    """One line of the table."""
    minute = f"{task.start.minute} {task.start.hour} {task.start.day}"
    return f"{minute} {task.start.month} * {_command(sheet, task)}"


def _command(sheet: Sheet, task: Task) -> str:
    """Command of a line, as cron wants it: any % behind a backslash."""
    words = (*task.command, *task.env.values(), str(sheet.directory))
    newline = _NEWLINE if any("\n" in word for word in words) else []
    lines = [*newline, *statements(task, sheet.directory, quoted=_word)]
    return "; ".join(lines).replace("%", r"\%")


def _word(text: str) -> str:
    r"""One word of sh on one line, in which no backslash stands before \ or %.

    Crons do not agree on what becomes of ``\\`` and ``\\%``.
    """
    parts = [
        quote(part).replace("\\", "\\''") if part else "" for part in text.split("\n")
    ]
    return '"$1"'.join(parts) or "''"


def _refusal(sheet: Sheet, task: Task) -> str | None:
    if reason := common_refusal(sheet, task):
        return reason
    length = len(_command(sheet, task).encode())
    if length > MAX_COMMAND_BYTES:
        return (
            f"{length} bytes, cron takes {MAX_COMMAND_BYTES}; put the command into a "
            "script, or export to systemd"
        )
    return None


def _files(sheet: Sheet) -> list[ExportFile]:
    lines = [
        *comment(
            header(
                sheet,
                "The cron daemon must keep UTC (Debian's has no zone of its own);",
                "under another zone each line says so and runs nothing.",
                "Check: crontab -n FILE. `crontab FILE` replaces your whole table.",
            )
        ),
        *(line(sheet, task) for task in sheet.tasks),
    ]
    return [
        ExportFile(name=f"planner-{sheet.day}.crontab", text="\n".join(lines) + "\n")
    ]


EXPORTER = Exporter(files=_files, refusal=_refusal)
