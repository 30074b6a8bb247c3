"""From a Job and its pods, as the server has them, to one report."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from planner.executor.backends.backend import Phase, Report

_REASONS = {
    "DeadlineExceeded": "stopped: timeout",
    "OOMKilled": "killed: out of memory",
    "Evicted": "its pod was evicted",
}

Facts = Mapping[str, Any]


def is_finished(job: Facts) -> bool:
    """Whether a Job has ended, well or not."""
    return _condition(job, "Complete") is not None or (
        _condition(job, "Failed") is not None
    )


def report_of(job: Facts, pods: Sequence[Facts]) -> Report:
    """What became of a Job.

    Parameters
    ----------
    job
        batch/v1 Job with its status.
    pods
        Its pods; may be empty, they can be gone before it.
    """
    handle = job["metadata"]["uid"]
    ends = [*_ends(pods)]
    began_at = _earliest(pods)
    ended_at = max(
        (e for e in (_instant(x.get("finishedAt")) for x in ends) if e), default=None
    )
    if _condition(job, "Complete") is not None:
        return Report(
            phase=Phase.DONE,
            handle=handle,
            started_at=began_at or _instant(_status(job).get("startTime")),
            ended_at=ended_at or _instant(_status(job).get("completionTime")),
            exit_code=0,
        )
    failed = _condition(job, "Failed")
    if failed is not None:
        worst = next((end for end in ends if end.get("exitCode")), {})
        return Report(
            phase=Phase.FAILED,
            handle=handle,
            started_at=began_at,
            ended_at=ended_at or _instant(failed.get("lastTransitionTime")),
            exit_code=worst.get("exitCode"),
            reason=_why(failed, worst, pods),
        )
    if job["metadata"].get("deletionTimestamp"):
        return Report(phase=Phase.CANCELLED, handle=handle, reason="deleted")
    if began_at is not None:
        return Report(phase=Phase.RUNNING, handle=handle, started_at=began_at)
    return Report(phase=Phase.WAITING, handle=handle, reason=_why_waiting(pods))


def _status(thing: Facts) -> Facts:
    """Status of a Job or pod, which is not there at first."""
    return thing.get("status") or {}


def _condition(job: Facts, kind: str) -> Facts | None:
    for condition in _status(job).get("conditions") or ():
        if condition.get("type") == kind and condition.get("status") == "True":
            found: Facts = condition
            return found
    return None


def _containers(pods: Sequence[Facts]) -> Iterator[Facts]:
    for pod in pods:
        yield from _status(pod).get("containerStatuses") or ()


def _ends(pods: Sequence[Facts]) -> Iterator[Facts]:
    for container in _containers(pods):
        if end := container.get("state", {}).get("terminated"):
            yield end


def _earliest(pods: Sequence[Facts]) -> datetime | None:
    """When the first container began, None if none has."""
    began = []
    for container in _containers(pods):
        state = container.get("state", {})
        for name in ("running", "terminated"):
            instant = _instant(state.get(name, {}).get("startedAt"))
            began += [] if instant is None else [instant]
    return min(began, default=None)


def _latest(ends: Sequence[Facts]) -> datetime | None:
    """When the last container ended."""
    instants = [_instant(end.get("finishedAt")) for end in ends]
    return max((instant for instant in instants if instant), default=None)


def _why(failed: Facts, end: Facts, pods: Sequence[Facts]) -> str:
    told = [failed.get("reason"), end.get("reason")]
    told += [_status(pod).get("reason") for pod in pods]
    for reason in told:
        if reason in _REASONS:
            return _REASONS[reason]
    code = end.get("exitCode")
    if code is None:
        return f"Kubernetes says {failed.get('reason')}: {failed.get('message')}"
    if 128 < code < 128 + signal.NSIG:
        return f"exit status {code} (as of signal {code - 128})"
    return f"exit status {code}"


def _why_waiting(pods: Sequence[Facts]) -> str | None:
    for container in _containers(pods):
        waiting = container.get("state", {}).get("waiting") or {}
        if reason := waiting.get("reason"):
            return f"{reason}: {waiting.get('message') or 'no more is told'}"[:300]
    return None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
