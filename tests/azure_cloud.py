"""As much of Azure Batch as the back end asks of it, on a loopback port.

Written from the REST reference; the client that talks to it is Azure's own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from planner.executor.backends.azure_batch import AzureBatch, client_for
from planner.executor.backends.azure_task import AzureSettings
from planner.executor.backends.deadline import CallLimits
from planner.executor.backends.settings import read_settings
from tests.replay_servers import ReplayServer, Reply, Seen, serving

TABLE = {"account_url": "https://nightly.example.batch.azure.com", "job_id": "nightly"}
SECRET = base64.b64encode(b"canary-azure-account-key").decode()
ENVIRON = {"PLANNER_AZURE_BATCH_KEY": SECRET}


@dataclass
class Azure:
    """One account with one job; keeps tasks by id."""

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)

    def answer(self, seen: Seen) -> Reply:
        if not seen.headers.get("authorization", "").startswith("SharedKey nightly:"):
            return error(403, "AuthenticationFailed")
        _, jobs, job_id, _, *rest = seen.path.split("/")
        if (jobs, job_id) != ("jobs", "nightly"):
            return error(404, "JobNotFound")
        if not rest:
            return self._add(json.loads(seen.body))
        task = self.tasks.get(rest[0])
        if task is None:
            return error(404, "TaskNotFound")
        if rest[1:] == ["terminate"]:
            return self._terminate(task)
        return Reply(task)

    def end(self, task_id: str, result: str, **facts: Any) -> None:
        """A task ends with a result."""
        self.tasks[task_id] |= {
            "state": "completed",
            "executionInfo": {
                "startTime": "2026-11-22T02:00:00.1234567Z",
                "endTime": "2026-11-22T02:30:00Z",
                "retryCount": 0,
                "requeueCount": 0,
                "result": result,
                **facts,
            },
        }

    def _add(self, task: dict[str, Any]) -> Reply:
        if task["id"] in self.tasks:
            return error(409, "TaskExists")
        self.added.append(task["id"])
        self.tasks[task["id"]] = {**task, "state": "active"}
        return Reply(b"", 201)

    def _terminate(self, task: dict[str, Any]) -> Reply:
        if task["state"] == "completed":
            return error(409, "TaskCompleted")
        ended = {"category": "UserError", "code": "TaskEnded", "message": "Was Ended"}
        self.end(task["id"], "failure", failureInfo=ended)
        return Reply(b"", 204)


def error(status: int, code: str) -> Reply:
    message = {"lang": "en-US", "value": f"{code}, said Azure"}
    return Reply({"code": code, "message": message}, status)


@contextmanager
def azure_cloud() -> Iterator[tuple[Azure, ReplayServer]]:
    azure = Azure()
    with serving(azure.answer) as server:
        yield azure, server


def azure_at(
    url: str, *, limits: CallLimits | None = None, **changes: Any
) -> AzureBatch:
    """The back end with Azure's own client; skips where that is missing."""
    pytest.importorskip("azure.batch", reason="azure-batch is not installed")

    def connect(settings: AzureSettings, limits: CallLimits) -> Any:
        return client_for(settings, limits, ENVIRON, endpoint=url)

    settings = read_settings(
        AzureSettings, {"azure_batch": TABLE | changes}, "azure_batch"
    )
    return AzureBatch(settings, connect=connect, limits=limits)
