"""Runs jobs on AWS Batch.

SubmitJob knows no idempotency token, and a new job may be missing from ListJobs for a
while. So a key is looked up by the job's name before it is sent, the executor waits
for ``settle`` before it believes that a key is absent, and no request is ever repeated
by the client library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from planner.executor.backends.aws_errors import (
    NO_ANSWER,
    listed,
    telling_what_failed,
    telling_whether_taken,
)
from planner.executor.backends.aws_job import (
    CANCELLED,
    AwsSettings,
    handle_of,
    report_of,
    submit_request,
)
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.clients import Clients
from planner.executor.backends.deadline import CallLimits, within
from planner.executor.backends.everywhere import first_known, longest_settle
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import Regional, read_settings
from planner.executor.backends.wording import one_line
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)

NAME = "aws_batch"
_MOST_PAGES = 50


class AwsBatch:
    """Back end ``aws_batch``.

    Parameters
    ----------
    settings
        Queue and job definition of each region; never taken from a job.
    connect
        Makes the client for one AWS region.
    limits
        How long AWS may take.
    """

    name = NAME
    refuses_repeats = False
    at_once = 8

    def __init__(
        self,
        settings: Regional[AwsSettings],
        *,
        connect: Callable[[AwsSettings, CallLimits], Any] | None = None,
        limits: CallLimits | None = None,
    ) -> None:
        self._settings = settings
        self._limits = limits or CallLimits()
        make = connect or _client
        self._clients = Clients[AwsSettings](
            lambda place: make(place, self._limits),
            place_of=lambda place: (place.aws_region, place.endpoint_url),
        )

    @property
    def settle(self) -> timedelta:
        """The longest that any region asks for."""
        return longest_settle(self._settings)

    def submit(self, order: Order) -> Report:
        """Submit a job, unless one of its name is there already."""
        settings = self._settings.of(order.region)
        request = submit_request(order, settings)
        try:
            found = self._find(settings, order.key)
        except RejectedError:
            raise
        except BackendError as error:
            raise NotTakenError(f"not sent, as {error}") from error
        if found.phase is not Phase.ABSENT:
            return found
        with self._clients.lent(settings) as client, telling_whether_taken():
            job = within(self._limits.total_s, lambda: client.submit_job(**request))
        if not job.get("jobId"):
            raise UncertainError(NO_ANSWER)
        handle = handle_of(job, aws_region=settings.aws_region)
        return Report(phase=Phase.WAITING, handle=handle)

    def look_up(self, key: str) -> Report:
        """Look for a job of that name in every queue of the settings."""
        return first_known(
            self._settings.distinct(), lambda settings: self._find(settings, key)
        )

    def status(self, key: str, handle: str | None) -> Report:
        """Describe the job, or look for it by name."""
        place = self._place(handle)
        if place is not None:
            settings, job_id = place
            jobs = self._describe(settings, [job_id])
            if jobs:
                return report_of(jobs[0], aws_region=settings.aws_region)
        return self.look_up(key)

    def cancel(self, key: str, handle: str | None) -> Report:
        """End the job, begun or not. An absent key cannot be closed at AWS."""
        known = self.status(key, handle)
        place = self._place(known.handle)
        if place is None or known.phase in (Phase.DONE, Phase.FAILED, Phase.CANCELLED):
            return known
        settings, job_id = place
        self._ask(settings, "terminate_job", jobId=job_id, reason=CANCELLED)
        return self.status(key, known.handle)

    def logs(self, key: str, handle: str | None) -> Logs:
        """Stream in CloudWatch, once the job has begun; asks nobody."""
        stream = _facts(handle).get("log")
        return Logs(stdout=stream, stderr=stream)

    def _find(self, settings: AwsSettings, key: str) -> Report:
        """The job that bears a key; the oldest, should there be several."""
        ids = list(self._ids(settings, key))
        if not ids:
            return Report(phase=Phase.ABSENT)
        jobs = self._describe(settings, ids)
        if not jobs:
            raise BackendError(f"AWS Batch lists {ids[0]}, but does not describe it")
        return report_of(
            min(jobs, key=lambda job: (job.get("createdAt", 0), job["jobId"])),
            aws_region=settings.aws_region,
        )

    def _ids(self, settings: AwsSettings, key: str) -> Iterator[str]:
        # The filter takes no notice of case, and then of no job status either.
        asked: dict[str, Any] = {
            "jobQueue": settings.job_queue,
            "filters": [{"name": "JOB_NAME", "values": [key]}],
        }
        for _ in range(_MOST_PAGES):
            page = self._ask(settings, "list_jobs", **asked)
            summaries = listed(page, "jobSummaryList", "jobId", "jobName")
            yield from (job["jobId"] for job in summaries if job["jobName"] == key)
            if not page.get("nextToken"):
                return
            asked["nextToken"] = page["nextToken"]
        raise BackendError(f"AWS Batch lists more than {_MOST_PAGES} pages")

    def _describe(
        self, settings: AwsSettings, job_ids: list[str]
    ) -> list[dict[str, Any]]:
        answer = self._ask(settings, "describe_jobs", jobs=job_ids[:100])
        return listed(answer, "jobs", "jobId", "status")

    def _place(self, handle: str | None) -> tuple[AwsSettings, str] | None:
        """Where a handle leads, None if it leads nowhere."""
        facts = _facts(handle)
        if not facts.keys() >= {"aws_region", "job_id"}:
            return None
        for settings in self._settings.distinct():
            if settings.aws_region == facts["aws_region"]:
                return settings, facts["job_id"]
        raise BackendError(
            f"{facts['job_id']} runs in {facts['aws_region']}, which no table "
            f"[executor.{NAME}] names any more"
        )

    def _ask(self, settings: AwsSettings, verb: str, **asked: Any) -> Any:
        """Answer to a call that may be repeated."""
        with self._clients.lent(settings) as client, telling_what_failed():
            call = getattr(client, verb)
            return within(self._limits.total_s, lambda: call(**asked))


def in_workspace(place: Place) -> AwsBatch:
    """The back end as ``[executor.aws_batch]`` sets it up."""
    return AwsBatch(read_settings(AwsSettings, place.settings, NAME))


def _client(settings: AwsSettings, limits: CallLimits) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise NotTakenError(
            "AWS Batch needs `pip install carbon-batch-planner[aws]`"
        ) from error
    config = Config(
        connect_timeout=limits.connect_s,
        read_timeout=limits.silent_s,
        # One SubmitJob is one job: nobody but the ledger decides on another.
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    try:
        return boto3.session.Session().client(
            "batch",
            region_name=settings.aws_region,
            endpoint_url=settings.endpoint_url,
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise NotTakenError(f"AWS Batch cannot be set up: {one_line(error)}") from error


def _facts(handle: str | None) -> dict[str, str]:
    facts = json.loads(handle) if handle else {}
    return facts if isinstance(facts, dict) else {}
