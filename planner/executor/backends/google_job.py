"""Google Cloud Batch in words: an order as a job, a job as a report."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.fingerprint import fingerprint
from planner.executor.backends.order_checks import impossible_words
from planner.executor.backends.settings import SettingValueError
from planner.executor.backends.wording import ending, one_line
from planner.executor.errors import RejectedError

KEY_LABEL, DIGEST_LABEL = "planner-key", "planner-digest"

_NAMES = UUID("6f1c9a2e-3d58-5c0b-9a67-1f0e4b7a2d93")
"""Name space of request ids; any fixed one does."""

_JOB_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_LABEL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_PROJECT = re.compile(r"[a-z][a-z0-9:.-]{1,62}")
_LOCATION = re.compile(r"[a-z][a-z0-9-]{1,62}")
_MOST_LABELS = 64
_MIB = 1024

_PHASES = {
    "STATE_UNSPECIFIED": Phase.WAITING,
    "QUEUED": Phase.WAITING,
    "SCHEDULED": Phase.WAITING,
    "RUNNING": Phase.RUNNING,
    "CANCELLATION_IN_PROGRESS": Phase.RUNNING,
    "SUCCEEDED": Phase.DONE,
    "FAILED": Phase.FAILED,
    "CANCELLED": Phase.CANCELLED,
}
_ENDED = frozenset({Phase.DONE, Phase.FAILED, Phase.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSettings:
    """Keys of ``[executor.google_batch]``.

    Parameters
    ----------
    project, location
        Such as ``my-project`` and ``europe-north1``.
    image
        Container image of jobs that name none.
    service_account
        E-mail address of the account that the machines run as.
    machine_type, accelerator
        Kind of machine, and of GPU for jobs that need one.
    instance_template
        Instead of both.
    settle_s
        How long after a sending a job may still turn up. [s]
    api_endpoint
        Another address than Google's own.
    """

    project: str
    location: str
    image: str | None = None
    service_account: str | None = None
    machine_type: str | None = None
    accelerator: str | None = None
    instance_template: str | None = None
    settle_s: float = 120.0
    api_endpoint: str | None = None

    def __post_init__(self) -> None:
        """Check what no type can tell."""
        if not _PROJECT.fullmatch(self.project):
            raise SettingValueError("project", "the id of a project")
        if not _LOCATION.fullmatch(self.location):
            raise SettingValueError("location", "a region such as europe-north1")
        if self.instance_template and (self.machine_type or self.accelerator):
            expected = "no machine_type or accelerator beside it"
            raise SettingValueError("instance_template", expected)
        if not 60 <= self.settle_s <= 3600:
            raise SettingValueError("settle_s", "a number from 60 to 3600")

    @property
    def parent(self) -> str:
        """Where jobs are made."""
        return f"projects/{self.project}/locations/{self.location}"

    def job_name(self, key: str) -> str:
        """Full name of the job of a key."""
        return f"{self.parent}/jobs/{key}"


def request_id(key: str) -> str:
    """The same for every sending of a key; Google drops repeats for an hour."""
    return str(uuid5(_NAMES, key))


def job_of(order: Order, settings: GoogleSettings) -> dict[str, Any]:
    """The job to create, as fields of ``google.cloud.batch_v1.Job``.

    Raises
    ------
    RejectedError
        If Google would refuse the order or run something else; names every reason.
    """
    if faults := list(_faults(order, settings)):
        said = "; ".join(faults)
        raise RejectedError(f'job "{order.job_id}" for Google Cloud Batch: {said}')
    container: dict[str, Any] = {"image_uri": order.image or settings.image}
    if order.command:
        container["entrypoint"], *container["commands"] = order.command
    task: dict[str, Any] = {
        "runnables": [{"container": container}],
        "environment": {"variables": dict(order.env)},
        "max_retry_count": 0,
        "compute_resource": _compute(order.resources),
    }
    if order.timeout_s is not None:
        task["max_run_duration"] = timedelta(seconds=math.ceil(order.timeout_s))
    group = {
        "task_spec": task,
        "task_count": order.replicas,
        "parallelism": order.replicas,
    }
    return {
        "task_groups": [group],
        "allocation_policy": _allocation(order, settings),
        "labels": _labels(order),
        "logs_policy": {"destination": "CLOUD_LOGGING"},
    }


def is_ours(job: Mapping[str, Any], order: Order) -> bool:
    """Whether a job that bears a key is what was ordered."""
    labels = job.get("labels", {})
    return (labels.get(KEY_LABEL), labels.get(DIGEST_LABEL)) == (
        order.key,
        fingerprint(order),
    )


def report_of(job: Mapping[str, Any]) -> Report:
    """What Google says about a job, its enumerations as names."""
    status = job.get("status") or {}
    events = sorted(status.get("status_events") or [], key=lambda e: e["event_time"])
    phase = _PHASES.get(status.get("state", "STATE_UNSPECIFIED"), Phase.LOST)
    ended_at = _instant(events[-1]["event_time"]) if events else None
    began = [e["event_time"] for e in events if "to RUNNING" in e["description"]]
    exit_code = _exit_code(events, phase)
    reason = ending(exit_code, events[-1]["description"] if events else None)
    return Report(
        phase=phase,
        handle=job.get("name"),
        started_at=_instant(began[0]) if began else None,
        ended_at=ended_at if phase in _ENDED else None,
        exit_code=exit_code,
        reason=reason if phase in (Phase.FAILED, Phase.CANCELLED, Phase.LOST) else None,
    )


def log_of(key: str) -> str:
    """Query that shows a job's output in Cloud Logging: its entries bear its labels."""
    return f'cloudlogging:labels."{KEY_LABEL}"="{key}"'


def _faults(order: Order, settings: GoogleSettings) -> Iterator[str]:
    yield from impossible_words(order)
    if not _JOB_ID.fullmatch(order.key):
        yield f"its key {one_line(order.key)!r} cannot be a job id"
    if not order.command and order.image is None:
        yield "it has neither command nor image to run"
    if order.command and (not order.command[0] or order.command[0][0] == "-"):
        yield f"its program {one_line(order.command[0])!r} would be read as an option"
    image = order.image or settings.image
    if not image:
        yield "it names no image, and [executor.google_batch] has none"
    elif image.startswith("-"):
        yield f"its image {one_line(image)!r} would be read as an option"
    gpu = order.resources.get("gpu", 0)
    if gpu and not (settings.accelerator or settings.instance_template):
        yield "it needs a GPU, and [executor.google_batch] has no accelerator"
    if gpu != int(gpu):
        yield f"gpu {gpu:g} is not whole"
    if order.replicas < 1:
        yield f"{order.replicas} replicas"
    yield from _label_faults(order.labels)


def _label_faults(labels: Mapping[str, str]) -> Iterator[str]:
    if len(labels) + 2 > _MOST_LABELS:
        yield f"{len(labels)} labels, Google takes {_MOST_LABELS - 2}"
    for name, value in labels.items():
        reserved = name.startswith(("goog-", "google-"))
        legal = _LABEL_NAME.fullmatch(name) and _LABEL_VALUE.fullmatch(value)
        if reserved or not legal:
            yield f"the label {one_line(name)!r} is none of Google's"


def _labels(order: Order) -> dict[str, str]:
    own = {KEY_LABEL: order.key, DIGEST_LABEL: fingerprint(order)}
    return {**order.labels, **own}


def _compute(resources: Mapping[str, float]) -> dict[str, int]:
    """What Google knows of a job's resources; others are the planner's own."""
    asked = {}
    if cpu := resources.get("cpu"):
        asked["cpu_milli"] = math.ceil(cpu * 1000)
    if memory_gib := resources.get("memory_gib"):
        asked["memory_mib"] = math.ceil(memory_gib * _MIB)
    return asked


def _allocation(order: Order, settings: GoogleSettings) -> dict[str, Any]:
    policy: dict[str, Any] = {}
    if settings.service_account:
        policy["service_account"] = {"email": settings.service_account}
    if settings.instance_template:
        policy["instances"] = [{"instance_template": settings.instance_template}]
        return policy
    machine: dict[str, Any] = {}
    if settings.machine_type:
        machine["machine_type"] = settings.machine_type
    gpu = int(order.resources.get("gpu", 0))
    if gpu:
        machine["accelerators"] = [{"type_": settings.accelerator, "count": gpu}]
    if machine:
        policy["instances"] = [{"policy": machine, "install_gpu_drivers": gpu > 0}]
    return policy


def _exit_code(events: list[Mapping[str, Any]], phase: Phase) -> int | None:
    codes = [(e.get("task_execution") or {}).get("exit_code") for e in events]
    known = [code for code in codes if code]
    if phase is Phase.DONE:
        return 0
    return known[-1] if known else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
