"""A workflow of GitHub Actions: one job a task, on its day and in no other year."""

from __future__ import annotations

import math
from typing import Any

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
from outputs.export.yaml_text import dump

MAX_BYTES = 21_000
"""Longest expression-bearing text that GitHub takes in one step. [characters]"""

_EXPRESSION = "${{"
_CHECKOUT = "actions/checkout@v4"


def _literal(text: str) -> str:
    """Text in which GitHub finds no expression but those that stand for text."""
    return text.replace(_EXPRESSION, "${{ '" + _EXPRESSION + "' }}")


def _refusal(sheet: Sheet, task: Task) -> str | None:
    if reason := common_refusal(sheet, task):
        return reason
    if len(_literal(_script(task))) > MAX_BYTES:
        return f"longer than the {MAX_BYTES} characters that a step may have"
    return None


def _files(sheet: Sheet) -> list[ExportFile]:
    about = header(
        sheet,
        "Put it into .github/workflows of the default branch; elsewhere no schedule",
        "fires. GitHub looks every 5 minutes at best, often starts late, drops runs at",
        "busy times, and stops schedules of repositories that are idle for 60 days.",
        "Jobs that may start late (on_missed: run) bear that, on_missed: skip not.",
        "A start by hand (workflow_dispatch) names one job and keeps to its time, too.",
        "Runners: the repository's variable PLANNER_RUNNER, else ubuntu-latest.",
    )
    text = dump([_workflow(sheet)])
    name = f"planner-{sheet.day}.yml"
    return [ExportFile(name=name, text="\n".join([*comment(about), text]))]


def _workflow(sheet: Sheet) -> dict[str, Any]:
    crons = dict.fromkeys(_cron(task) for task in sheet.tasks)
    names = [_job_name(task) for task in sheet.tasks]
    wanted = {
        "description": "Which job, if its time is now",
        "type": "string",
        "required": True,
    }
    return {
        "name": f"Planned jobs of {sheet.day}",
        "on": {
            "schedule": [{"cron": cron} for cron in crons],
            "workflow_dispatch": {"inputs": {"job": wanted}},
        },
        "permissions": {"contents": "read"},
        "jobs": dict(zip(names, (_job(task) for task in sheet.tasks), strict=True)),
    }


def _cron(task: Task) -> str:
    start = task.start
    return f"{start.minute} {start.hour} {start.day} {start.month} *"


def _job_name(task: Task) -> str:
    return task.name.replace(".", "-")


def _job(task: Task) -> dict[str, Any]:
    job: dict[str, Any] = {
        "if": f"github.event.schedule == '{_cron(task)}' || "
        f"(github.event_name == 'workflow_dispatch' && "
        f"inputs.job == '{_job_name(task)}')",
        "runs-on": "${{ vars.PLANNER_RUNNER || 'ubuntu-latest' }}",
        "concurrency": {"group": task.key, "cancel-in-progress": False},
    }
    if task.timeout_s is not None:
        job["timeout-minutes"] = math.ceil(task.timeout_s / 60) + 5
    steps = [
        {"uses": _CHECKOUT},
        {"name": "Run", "shell": "sh", "run": _literal(_script(task))},
    ]
    return {**job, "steps": steps}


def _script(task: Task) -> str:
    return "\n".join(statements(task, None)) + "\n"


EXPORTER = Exporter(files=_files, refusal=_refusal)
