"""AWS Batch in words: an order as a SubmitJob request, a job as a report."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.order_checks import impossible_words
from planner.executor.backends.settings import SettingValueError
from planner.executor.backends.wording import ending, one_line
from planner.executor.errors import RejectedError

KEY_TAG = "planner:key"
CANCELLED = "cancelled by the planner"
"""Reason given to AWS when a job is ended, and recognised afterwards."""

LOG_GROUP = "/aws/batch/job"

LEAST_SETTLE_S, MOST_SETTLE_S = 60, 3600
"""Less than the first would be within the time that a call itself may take."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")
_LEAST_TIMEOUT_S = 60
_MOST_REPLICAS = 10_000
_MOST_TAGS = 50
_MIB = 1024
_FRACTIONS_OF_A_CPU = (0.25, 0.5)

_PHASES = {
    "SUBMITTED": Phase.WAITING,
    "PENDING": Phase.WAITING,
    "RUNNABLE": Phase.WAITING,
    "STARTING": Phase.WAITING,
    "RUNNING": Phase.RUNNING,
    "SUCCEEDED": Phase.DONE,
    "FAILED": Phase.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSettings:
    """Keys of ``[executor.aws_batch]``.

    Parameters
    ----------
    aws_region
        Such as ``eu-north-1``.
    job_queue
        Name or ARN.
    job_definition
        Name, ``name:revision`` or ARN; holds the image, the role and the rest.
    images
        Job definition for each image that jobs may ask for.
    settle_s
        How long after a sending a job may be missing from the list of jobs. [s]
    endpoint_url
        Another address than AWS's own.
    """

    aws_region: str
    job_queue: str
    job_definition: str
    images: dict[str, str] = field(default_factory=dict)
    settle_s: float = 300.0
    endpoint_url: str | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not LEAST_SETTLE_S <= self.settle_s <= MOST_SETTLE_S:
            expected = f"a number from {LEAST_SETTLE_S} to {MOST_SETTLE_S}"
            raise SettingValueError("settle_s", expected)


def submit_request(order: Order, settings: AwsSettings) -> dict[str, Any]:
    """Arguments of SubmitJob.

    AWS never retries it (the ledger does, under another key), and never sees what
    it would refuse or change.

    Raises
    ------
    RejectedError
        If AWS would refuse the order or run something else; names every reason.
    """
    if faults := list(_faults(order, settings)):
        raise RejectedError(f'job "{order.job_id}" for AWS Batch: {"; ".join(faults)}')
    overrides: dict[str, Any] = {
        "environment": [
            {"name": name, "value": value} for name, value in order.env.items()
        ],
        "resourceRequirements": list(_requirements(order.resources)),
    }
    if order.command:
        overrides["command"] = list(order.command)
    request: dict[str, Any] = {
        "jobName": order.key,
        "jobQueue": settings.job_queue,
        "jobDefinition": _definition(order, settings),
        "containerOverrides": overrides,
        "retryStrategy": {"attempts": 1},
        "tags": _tags(order),
    }
    if order.replicas > 1:
        request["arrayProperties"] = {"size": order.replicas}
    if order.timeout_s is not None:
        seconds = max(_LEAST_TIMEOUT_S, math.ceil(order.timeout_s))
        request["timeout"] = {"attemptDurationSeconds": seconds}
    return request


def report_of(job: Mapping[str, Any], *, aws_region: str) -> Report:
    """What DescribeJobs says about a job."""
    phase = _PHASES.get(job["status"], Phase.LOST)
    stopped = job.get("isCancelled") or job.get("isTerminated")
    if phase is Phase.FAILED and (stopped or job.get("statusReason") == CANCELLED):
        phase = Phase.CANCELLED
    container = job.get("container", {})
    reason = None
    if phase not in (Phase.DONE, Phase.RUNNING, Phase.WAITING):
        reason = ending(
            container.get("exitCode"), job.get("statusReason"), container.get("reason")
        )
    return Report(
        phase=phase,
        handle=handle_of(job, aws_region=aws_region),
        started_at=_instant(job.get("startedAt")),
        ended_at=_instant(job.get("stoppedAt")),
        exit_code=container.get("exitCode"),
        reason=reason,
    )


def handle_of(job: Mapping[str, Any], *, aws_region: str) -> str:
    """Where a job is, and where its output is once that is known."""
    facts = {"aws_region": aws_region, "job_id": job["jobId"]}
    container = job.get("container", {})
    if stream := container.get("logStreamName"):
        options = container.get("logConfiguration", {}).get("options", {})
        group = options.get("awslogs-group", LOG_GROUP)
        facts["log"] = f"cloudwatch:{aws_region}:{group}:{stream}"
    return json.dumps(facts)


def _faults(order: Order, settings: AwsSettings) -> Iterator[str]:
    yield from impossible_words(order)
    if not _NAME.fullmatch(order.key):
        yield f"its key {order.key!r} cannot be a job name"
    if not order.command and order.image is None:
        yield "it has neither command nor image to run"
    for word in order.command:
        if not word:
            yield "its command has an empty argument, which AWS Batch cannot pass on"
        if "Ref::" in word:
            yield f"AWS Batch would replace Ref:: in the argument {one_line(word)!r}"
    for name in order.env:
        if name.startswith("AWS_BATCH"):
            yield f"AWS Batch keeps the variable {one_line(name)!r} for itself"
    if order.image is not None and order.image not in settings.images:
        yield (
            f"no job definition is set for the image {one_line(order.image)!r}; name "
            "one under images in [executor.aws_batch]"
        )
    if not 1 <= order.replicas <= _MOST_REPLICAS:
        yield f"{order.replicas} replicas; an array has 2 to {_MOST_REPLICAS}"
    yield from _resource_faults(order.resources)
    yield from _tag_faults(order)


def _resource_faults(resources: Mapping[str, float]) -> Iterator[str]:
    cpu, gpu = resources.get("cpu", 0), resources.get("gpu", 0)
    if cpu != int(cpu) and cpu not in _FRACTIONS_OF_A_CPU:
        yield f"cpu {cpu:g} is neither whole nor 0.25 or 0.5"
    if gpu != int(gpu):
        yield f"gpu {gpu:g} is not whole"


def _tag_faults(order: Order) -> Iterator[str]:
    tags = _tags(order)
    if len(tags) > _MOST_TAGS:
        yield f"{len(tags)} tags, with the planner's own; AWS takes {_MOST_TAGS}"
    for name, value in order.labels.items():
        fits = len(name) <= 128 and len(value) <= 256 and bool(name)
        legal = _TAG_TEXT.fullmatch(name) and _TAG_TEXT.fullmatch(value)
        if not fits or not legal or name.lower().startswith("aws:"):
            yield f"the label {one_line(name)!r} cannot be a tag"


def _definition(order: Order, settings: AwsSettings) -> str:
    if order.image is None:
        return settings.job_definition
    return settings.images[order.image]


def _requirements(resources: Mapping[str, float]) -> Iterator[dict[str, str]]:
    """What AWS knows of a job's resources; others are the planner's own."""
    if cpu := resources.get("cpu"):
        yield {"type": "VCPU", "value": f"{cpu:g}"}
    if gpu := resources.get("gpu"):
        yield {"type": "GPU", "value": f"{gpu:g}"}
    if memory_gib := resources.get("memory_gib"):
        yield {"type": "MEMORY", "value": str(math.ceil(memory_gib * _MIB))}


def _tags(order: Order) -> dict[str, str]:
    own = {
        KEY_TAG: order.key,
        "planner:job": order.job_id,
        "planner:segment": str(order.segment),
        "planner:region": order.region,
    }
    return {**order.labels, **own}


def _instant(milliseconds: int | None) -> datetime | None:
    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
