"""A timer and a service for each task, each for its one date."""

from __future__ import annotations

import math

from outputs.export.sheet import (
    Exporter,
    ExportFile,
    Sheet,
    Task,
    comment,
    common_refusal,
    header,
    printable,
    utc,
)
from outputs.export.shell_words import test_of_time

_RUN = 'exec "$@"'
"""Finds the program as any shell would, which systemd does not in all versions."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "%": "%%"}


def quoted(text: str) -> str:
    """One word of a unit file: its quotes, backslashes and specifiers are text."""
    return '"' + "".join(_ESCAPES.get(c, _character(c)) for c in text) + '"'


def argument(text: str) -> str:
    """One word of a command line, where $ stands for variables besides."""
    return quoted(text).replace("$", "$$")


def _character(c: str) -> str:
    return c if c >= " " and c != "\x7f" else f"\\x{ord(c):02x}"


def _refusal(sheet: Sheet, task: Task) -> str | None:
    if sheet.directory is not None and not str(sheet.directory).isprintable():
        return "systemd takes no folder with control characters in its name"
    for name, text in task.env.items():
        if any((c < " " and c not in "\t\n") or c == "\x7f" for c in text):
            return f"env {name}: systemd takes no control characters in variables"
    return common_refusal(sheet, task)


def _files(sheet: Sheet) -> list[ExportFile]:
    glob = f"planner-{sheet.day:%Y%m%d}-*"
    about = comment(
        header(
            sheet,
            "Install as the jobs' user: cp these to ~/.config/systemd/user/, then",
            "systemctl --user daemon-reload && systemctl --user enable --now",
            f"{glob}.timer; once loginctl enable-linger. Below /etc they run as root.",
        )
    )
    files = []
    for task in sheet.tasks:
        for suffix, lines in (
            ("service", _service(sheet, task)),
            ("timer", _timer(task)),
        ):
            text = "\n".join([*about, "", *lines, ""])
            files.append(ExportFile(name=f"{task.name}.{suffix}", text=text))
    return files


def _description(task: Task) -> str:
    title = f"Planned job {task.job_id}, segment {task.segment}, in {task.region}"
    return f"Description={printable(title).replace('%', '%%')}"


def _service(sheet: Sheet, task: Task) -> list[str]:
    command = ["/bin/sh", "-c", _RUN, "sh", *task.command]
    lines = ["[Unit]", _description(task), "", "[Service]", "Type=exec"]
    if sheet.directory is not None:
        lines.append(f"WorkingDirectory={_path(str(sheet.directory))}")
    lines += [f"Environment={quoted(f'{n}={v}')}" for n, v in task.env.items()]
    if task.timeout_s is not None:
        lines.append(f"RuntimeMaxSec={math.ceil(task.timeout_s)}")
    condition = " ".join(argument(w) for w in ("/bin/sh", "-c", test_of_time(task)))
    return [
        *lines,
        f"ExecCondition={condition}",
        f"ExecStart={' '.join(argument(word) for word in command)}",
    ]


def _path(text: str) -> str:
    """A path of its own line, which is not unquoted; only specifiers are read."""
    return text.replace("%", "%%")


def _timer(task: Task) -> list[str]:
    catches_up = (task.latest_start - task.start).total_seconds() > 120
    return [
        "[Unit]",
        _description(task),
        "",
        "[Timer]",
        f"OnCalendar={utc(task.start)}",
        "AccuracySec=1s",
        f"Persistent={'true' if catches_up else 'false'}",
        "RemainAfterElapse=no",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]


EXPORTER = Exporter(files=_files, refusal=_refusal, is_folder=True)
