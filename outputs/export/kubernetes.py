"""A CronJob for each task, named by its key, that runs in its year only.

The Job in it is the one that the Kubernetes back end would create.
"""

from __future__ import annotations

import math
from typing import Any

from outputs.export.sheet import (
    Exporter,
    ExportFile,
    Sheet,
    Task,
    comment,
    header,
    text_refusal,
)
from outputs.export.shell_words import guard
from outputs.export.yaml_text import dump

GUARD_IMAGE = "busybox:1.37"
_LEAST_S = 10
"""Kubernetes looks for due CronJobs every 10 s. [s]"""

_GUARD_RESOURCES = {"cpu": "10m", "memory": "16Mi"}


def _refusal(_: Sheet, task: Task) -> str | None:
    return text_refusal(task)


def _files(sheet: Sheet) -> list[ExportFile]:
    about = header(
        sheet,
        "A CronJob knows no year: its first container ends the run outside its time.",
        f"It uses {GUARD_IMAGE}; set another image with kustomize's `images`.",
        "Apply: kubectl apply -f FILE. Remove afterwards: kubectl delete -f FILE.",
    )
    text = dump([cron_job(task) for task in sheet.tasks])
    name = f"planner-{sheet.day}.yaml"
    return [ExportFile(name=name, text="\n".join([*comment(about), text]))]


def cron_job(task: Task) -> dict[str, Any]:
    """The manifest of one task."""
    job = task.kubernetes_job or {}
    metadata = {key: job["metadata"][key] for key in ("labels", "annotations")}
    late_s = math.floor((task.latest_start - task.start).total_seconds())
    start = task.start
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": task.key,
            "namespace": job["metadata"]["namespace"],
            **metadata,
        },
        "spec": {
            "schedule": f"{start.minute} {start.hour} {start.day} {start.month} *",
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": max(late_s, _LEAST_S),
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"metadata": metadata, "spec": _guarded(job["spec"], task)},
        },
    }


def _guarded(spec: dict[str, Any], task: Task) -> dict[str, Any]:
    """A Job's spec whose pods first look at the clock."""
    template = spec["template"]
    look = {
        "name": "in-time",
        "image": GUARD_IMAGE,
        "command": ["sh", "-c", "; ".join(guard(task)).replace("$", "$$")],
        "resources": {"requests": _GUARD_RESOURCES, "limits": _GUARD_RESOURCES},
    }
    pod = {**template["spec"], "initContainers": [look]}
    return {**spec, "template": {**template, "spec": pod}}


EXPORTER = Exporter(files=_files, refusal=_refusal)
