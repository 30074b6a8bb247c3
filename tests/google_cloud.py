"""As much of Google Cloud Batch as the back end asks of it, on a loopback port.

Written from the REST reference; the client that talks to it is Google's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from planner.executor.backends.deadline import CallLimits
from planner.executor.backends.google_batch import GoogleBatch
from planner.executor.backends.google_job import GoogleSettings
from planner.executor.backends.settings import read_settings
from tests.replay_servers import ReplayServer, Reply, Seen, serving

TABLE = {"project": "nightly", "location": "europe-north1", "image": "busybox"}
PARENT = "projects/nightly/locations/europe-north1"


@dataclass
class Google:
    """One location; keeps jobs by id, and every creation that was taken."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    requests: dict[str, str] = field(default_factory=dict)

    def answer(self, seen: Seen) -> Reply:
        place, _, job_id = seen.path.removeprefix("/v1/").partition("/jobs")
        if place != PARENT:
            return error(404, "NOT_FOUND", "no such location")
        if seen.method == "POST" and not job_id:
            return self._create(seen)
        job_id = job_id.removeprefix("/").removesuffix(":cancel")
        job = self.jobs.get(job_id)
        if job is None:
            name = f"{PARENT}/jobs/{job_id}"
            return error(404, "NOT_FOUND", f"Resource '{name}' was not found")
        if seen.method == "POST":
            self.move(job_id, "CANCELLED")
            return Reply({"name": f"{PARENT}/operations/1", "done": False})
        return Reply(job)

    def move(self, job_id: str, state: str, **event: Any) -> None:
        """A job comes into a state."""
        status = self.jobs[job_id]["status"]
        told = f"Job state is set from {status['state']} to {state} for job {job_id}."
        minute = len(status["statusEvents"])
        status["state"] = state
        status["statusEvents"].append(
            {
                "type": "STATUS_CHANGED",
                "description": told,
                "eventTime": f"2026-11-22T02:{minute:02}:00.123456789Z",
                **event,
            }
        )

    def _create(self, seen: Seen) -> Reply:
        job_id, request = seen.query["jobId"], seen.query["requestId"]
        if self.requests.get(request) == job_id:
            return Reply(self.jobs[job_id])
        if job_id in self.jobs:
            told = f"Resource '{PARENT}/jobs/{job_id}' already exists"
            return error(409, "ALREADY_EXISTS", told)
        self.created.append(job_id)
        self.requests[request] = job_id
        self.jobs[job_id] = {
            **json.loads(seen.body),
            "name": f"{PARENT}/jobs/{job_id}",
            "uid": f"uid-{job_id}",
            "status": {"state": "QUEUED", "statusEvents": []},
        }
        return Reply(self.jobs[job_id])


def error(code: int, status: str, message: str) -> Reply:
    content = {"code": code, "status": status, "message": message}
    return Reply({"error": content}, code)


@contextmanager
def google_cloud() -> Iterator[tuple[Google, ReplayServer]]:
    google = Google()
    with serving(google.answer) as server:
        yield google, server


def google_at(
    url: str, *, limits: CallLimits | None = None, **changes: Any
) -> GoogleBatch:
    """The back end with Google's own client; skips where that is missing."""
    batch_v1 = pytest.importorskip(
        "google.cloud.batch_v1", reason="google-cloud-batch is not installed"
    )
    credentials = pytest.importorskip("google.auth.credentials")

    def connect(settings: GoogleSettings) -> Any:
        return batch_v1.BatchServiceClient(
            transport="rest",
            credentials=credentials.AnonymousCredentials(),
            client_options={"api_endpoint": url},
        )

    tables = {"google_batch": TABLE | changes}
    settings = read_settings(GoogleSettings, tables, "google_batch")
    return GoogleBatch(settings, connect=connect, limits=limits)
