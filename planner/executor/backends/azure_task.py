"""Azure Batch in words: an order as a task, a task as a report."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.fingerprint import fingerprint
from planner.executor.backends.order_checks import impossible_words
from planner.executor.backends.settings import SettingValueError
from planner.executor.backends.wording import ending, one_line
from planner.executor.errors import RejectedError

DIGEST = "PLANNER_DIGEST"
"""Variable of the task that holds the digest of its order."""

ENDED_BY_USER = "TaskEnded"
"""Azure's code for a task that was terminated on request."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_SLOTS = 256

_PHASES = {
    "active": Phase.WAITING,
    "preparing": Phase.WAITING,
    "running": Phase.RUNNING,
    "completed": Phase.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureSettings:
    """Keys of ``[executor.azure_batch]``.

    Parameters
    ----------
    account_url
        Such as ``https://nightly.northeurope.batch.azure.com``.
    job_id
        The job, bound to a pool, that tasks are added to.
    image
        Container image of tasks that name none.
    cpu_per_slot
        CPUs that one task slot of the pool stands for; then a task takes as many
        slots as its ``cpu`` needs.
    settle_s
        How long after a sending a task may still turn up. [s]
    """

    account_url: str
    job_id: str
    image: str | None = None
    cpu_per_slot: float | None = None
    settle_s: float = 120.0

    def __post_init__(self) -> None:
        """Check what no type can tell."""
        parts = urlsplit(self.account_url)
        extras = parts.path.strip("/") or parts.query or "@" in parts.netloc
        if parts.scheme != "https" or not parts.hostname or extras:
            raise SettingValueError("account_url", "an https address of an account")
        if not _ID.fullmatch(self.job_id):
            raise SettingValueError("job_id", "the id of a job")
        if self.cpu_per_slot is not None and self.cpu_per_slot <= 0:
            raise SettingValueError("cpu_per_slot", "a number above 0")
        if not 60 <= self.settle_s <= 3600:
            raise SettingValueError("settle_s", "a number from 60 to 3600")

    @property
    def account(self) -> str:
        """Name of the account."""
        return (urlsplit(self.account_url).hostname or "").partition(".")[0]


def task_of(order: Order, settings: AzureSettings) -> dict[str, Any]:
    """The task to add, as the REST reference spells it.

    Raises
    ------
    RejectedError
        If Azure would refuse the order or run something else; names every reason.
    """
    if faults := list(_faults(order, settings)):
        said = "; ".join(faults)
        raise RejectedError(f'job "{order.job_id}" for Azure Batch: {said}')
    env = {**order.env, DIGEST: fingerprint(order)}
    constraints: dict[str, Any] = {"maxTaskRetryCount": 0}
    if order.timeout_s is not None:
        constraints["maxWallClockTime"] = f"PT{math.ceil(order.timeout_s)}S"
    task: dict[str, Any] = {
        "id": order.key,
        "displayName": order.job_id,
        "commandLine": shlex.join(order.command),
        "environmentSettings": [
            {"name": name, "value": value} for name, value in env.items()
        ],
        "constraints": constraints,
        "requiredSlots": _slots(order, settings),
    }
    if image := order.image or settings.image:
        task["containerSettings"] = {"imageName": image}
    return task


def is_ours(task: Mapping[str, Any], order: Order) -> bool:
    """Whether a task that bears a key is what was ordered."""
    variables = task.get("environmentSettings") or []
    known = {one.get("name"): one.get("value") for one in variables}
    return known.get(DIGEST) == fingerprint(order)


def report_of(task: Mapping[str, Any], settings: AzureSettings) -> Report:
    """What Azure says about a task."""
    facts = task.get("executionInfo") or {}
    failure = facts.get("failureInfo") or {}
    phase = _PHASES.get(str(task.get("state")), Phase.LOST)
    if phase is Phase.FAILED:
        phase = _ending(facts.get("result"), failure.get("code"))
    exit_code = facts.get("exitCode")
    place = {"url": settings.account_url, "job": settings.job_id, "task": task["id"]}
    return Report(
        phase=phase,
        handle=json.dumps(place),
        started_at=_instant(facts.get("startTime")),
        ended_at=_instant(facts.get("endTime")),
        exit_code=exit_code,
        reason=ending(exit_code, failure.get("code"), failure.get("message")),
    )


def output_of(handle: str | None, name: str) -> str | None:
    """Address of a task's output file."""
    if not handle:
        return None
    facts = json.loads(handle)
    where = f"jobs/{facts['job']}/tasks/{facts['task']}/files/{name}.txt"
    return f"{facts['url'].rstrip('/')}/{where}"


def _faults(order: Order, settings: AzureSettings) -> Iterator[str]:
    yield from impossible_words(order)
    if not _ID.fullmatch(order.key):
        yield f"its key {one_line(order.key)!r} cannot be the id of a task"
    if not order.command:
        yield "it has no command to run, and Azure Batch cannot leave that to the image"
    for word in order.command:
        if not word.isprintable():
            yield f"the argument {one_line(word)!r} does not fit in a command line"
    if order.replicas != 1:
        yield f"{order.replicas} replicas; a task is one"
    for name in order.env:
        if name.startswith("AZ_BATCH_"):
            yield f"Azure Batch keeps the variable {one_line(name)!r} for itself"
    if not 1 <= _slots(order, settings) <= _MOST_SLOTS:
        yield f"its cpu needs more than {_MOST_SLOTS} slots"


def _slots(order: Order, settings: AzureSettings) -> int:
    if settings.cpu_per_slot is None:
        return 1
    return max(1, math.ceil(order.resources.get("cpu", 0) / settings.cpu_per_slot))


def _ending(result: str | None, code: str | None) -> Phase:
    if code == ENDED_BY_USER:
        return Phase.CANCELLED
    return {"success": Phase.DONE, "failure": Phase.FAILED}.get(str(result), Phase.LOST)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
