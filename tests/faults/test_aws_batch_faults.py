"""AWS Batch that is slow, late, rude or gone: no job twice, and no false word of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from planner.executor.backends.aws_batch import AwsBatch
from planner.executor.backends.aws_job import AwsSettings
from planner.executor.backends.backend import Phase
from planner.executor.backends.deadline import CallLimits
from planner.executor.backends.settings import read_settings
from planner.executor.dispatch import run_once
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from planner.executor.verification import verify
from tests.call_limits import SHORT, limits_for
from tests.factories_executor import at, ledger_in, order, plan_of, row
from tests.moto_aws import CREDENTIALS, Aws
from tests.replay_servers import (
    Fault,
    ReplayServer,
    Reply,
    Seen,
    closed_port,
    drip_body,
    full_backlog,
    hang,
    page,
    replying,
    reset,
    serving,
)


@pytest.fixture(autouse=True, scope="module")
def library() -> None:
    pytest.importorskip("boto3", reason="boto3 is not installed")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")


def empty(seen: Seen) -> Reply:
    """An AWS that knows no job and takes every one."""
    answers: dict[str, Any] = {
        "/v1/listjobs": {"jobSummaryList": []},
        "/v1/submitjob": {"jobId": "id-1", "jobName": "n"},
    }
    return Reply(answers[seen.path])


@pytest.fixture
def aws() -> Iterator[ReplayServer]:
    with serving(empty) as server:
        yield server


def backend(url: str, limits: CallLimits | None = None) -> AwsBatch:
    table = Aws(url).table()
    settings = read_settings(AwsSettings, {"aws_batch": table}, "aws_batch")
    return AwsBatch(settings, limits=limits)


def refusing(status: int, code: str) -> Fault:
    body = {"message": "said AWS"}
    return replying(status, body, {"x-amzn-ErrorType": code})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (hang, UncertainError),
        (drip_body, UncertainError),
        (reset, UncertainError),
        (page("text/html"), UncertainError),
        (refusing(500, "ServerException"), UncertainError),
        (refusing(503, "ServiceUnavailable"), UncertainError),
        (refusing(408, "RequestTimeout"), UncertainError),
        (replying(302, b"", {"Location": "/elsewhere"}), UncertainError),
        (refusing(400, "ClientException"), RejectedError),
        (refusing(404, "NotFound"), RejectedError),
        (refusing(429, "TooManyRequestsException"), NotTakenError),
        (refusing(400, "ThrottlingException"), NotTakenError),
        (refusing(400, "ExpiredTokenException"), NotTakenError),
        (refusing(403, "AccessDeniedException"), NotTakenError),
    ],
)
def test_a_fault_of_submit_job_is_told_truly_and_nothing_is_sent_again(
    aws: ReplayServer, fault: Fault, error: type[BackendError]
) -> None:
    aws.misbehave(forever=fault, spare="/listjobs")
    with pytest.raises(BackendError) as told:
        backend(aws.url, limits_for(fault)).submit(order())
    assert type(told.value) is error
    assert [seen.path for seen in aws.seen].count("/v1/submitjob") == 1


def test_where_nobody_listens_nothing_is_taken() -> None:
    with pytest.raises(NotTakenError):
        backend(closed_port()).submit(order())


def test_where_no_connection_comes_about_nothing_is_taken() -> None:
    with full_backlog() as url, pytest.raises(NotTakenError):
        backend(url, SHORT).submit(order())


def test_without_a_look_at_the_list_nothing_is_sent(aws: ReplayServer) -> None:
    aws.misbehave(refusing(500, "ServerException"), refusing(400, "ClientException"))
    with pytest.raises(NotTakenError):
        backend(aws.url).submit(order())
    with pytest.raises(RejectedError, match="said AWS"):
        backend(aws.url).submit(order())
    assert {seen.path for seen in aws.seen} == {"/v1/listjobs"}


def test_ex06_a_look_up_that_fails_is_no_absence(aws: ReplayServer) -> None:
    for fault in (hang, reset, refusing(500, "ServerException"), page("text/html")):
        aws.misbehave(forever=fault)
        with pytest.raises(BackendError):
            backend(aws.url, limits_for(fault)).look_up(order().key)


def test_a_job_that_is_listed_but_not_described_is_not_absent() -> None:
    job = {"jobId": "i", "jobName": order().key}

    def half(seen: Seen) -> Reply:
        known = {"jobSummaryList": [job]} if "list" in seen.path else {"jobs": []}
        return Reply(known)

    with serving(half) as server, pytest.raises(BackendError, match="describe"):
        backend(server.url).look_up(order().key)


def test_every_page_of_the_list_is_read() -> None:
    job = {"jobId": "i", "jobName": order().key}

    def paged(seen: Seen) -> Reply:
        if "describe" in seen.path:
            return Reply({"jobs": [{**job, "status": "RUNNING"}]})
        if "nextToken" in json.loads(seen.body):
            return Reply({"jobSummaryList": [job]})
        return Reply({"jobSummaryList": [], "nextToken": "more"})

    with serving(paged) as server:
        assert backend(server.url).look_up(order().key).phase is Phase.RUNNING


# A list that is late, as at AWS: EX-18


@dataclass
class LateAws:
    """The three calls of AWS Batch; new jobs are listed after a while only."""

    now: datetime = field(default_factory=lambda: at("02:00"))
    delay: timedelta = timedelta(seconds=50)
    loses_answers: bool = False
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def submit_job(self, **asked: Any) -> dict[str, Any]:
        self.asked.append("submit")
        job_id = f"id-{len(self.jobs)}"
        self.jobs[job_id] = {
            "jobId": job_id,
            "jobName": asked["jobName"],
            "status": "RUNNABLE",
            "at": self.now,
        }
        if self.loses_answers:
            raise TimeoutError
        return self.jobs[job_id]

    def list_jobs(self, **asked: Any) -> dict[str, Any]:
        self.asked.append("list")
        [name] = asked["filters"][0]["values"]
        listed = [
            job
            for job in self.jobs.values()
            if job["jobName"] == name and job["at"] + self.delay <= self.now
        ]
        return {"jobSummaryList": listed}

    def describe_jobs(self, *, jobs: list[str]) -> dict[str, Any]:
        known = [self.jobs[job_id] for job_id in jobs if job_id in self.jobs]
        return {"jobs": known}


def ticks(folder: Path, aws: LateAws, *minutes: float) -> list[str]:
    """States of the one job after runs of the executor at these minutes."""
    settings = read_settings(AwsSettings, {"aws_batch": Aws("").table()}, "aws_batch")
    states = []
    for minute in minutes:
        aws.now = at("02:00") + timedelta(minutes=minute)
        with ledger_in(folder) as ledger:
            run_once(
                plan=plan_of(row("job", executor="aws_batch", command=("run",))),
                ledger=ledger,
                backends={"aws_batch": AwsBatch(settings, connect=lambda *_: aws)},
                now=aws.now,
                actor="test",
            )
            states += [state for (state,) in ledger.query(STATES)]
            assert verify(ledger) == ()
    return states


STATES = "select state from dispatches"


def test_ex18_a_job_that_is_listed_late_is_waited_for_and_taken_over(
    tmp_path: Path,
) -> None:
    aws = LateAws(loses_answers=True)
    assert ticks(tmp_path, aws, 0, 0.3, 0.6, 0.9) == [
        "unknown",
        "unknown",
        "unknown",
        "sent",
    ]
    assert len(aws.jobs) == 1


def test_ex18_a_job_that_surely_never_came_is_sent_again_after_a_look(
    tmp_path: Path,
) -> None:
    aws = LateAws(loses_answers=True)
    assert ticks(tmp_path, aws, 0) == ["unknown"]
    aws.jobs.clear()
    aws.asked.clear()
    aws.loses_answers = False
    assert ticks(tmp_path, aws, 0.5, 0.9, 1) == ["unknown", "unknown", "sent"]
    assert aws.asked == ["list", "list", "list", "list", "submit"]
    assert len(aws.jobs) == 1


# An executor over hours of trouble


def run_at(folder: Path, url: str, *minutes: int) -> list[str]:
    """States of the one job after runs of the executor at these minutes."""
    states = []
    for minute in minutes:
        with ledger_in(folder) as ledger:
            run_once(
                plan=plan_of(row("job", executor="aws_batch", command=("run",))),
                ledger=ledger,
                backends={"aws_batch": backend(url)},
                now=at("02:00") + timedelta(minutes=minute),
                actor="test",
            )
            states += [state for (state,) in ledger.query(STATES)]
            assert verify(ledger) == ()
    return states


def test_ex15_asked_to_slow_down_the_job_waits_and_is_sent_in_its_window(
    aws: ReplayServer, tmp_path: Path
) -> None:
    slow = refusing(429, "TooManyRequestsException")
    aws.misbehave(forever=slow, spare="/listjobs")
    assert run_at(tmp_path, aws.url, 0, 10, 30) == ["planned"] * 3
    aws.misbehave()
    assert run_at(tmp_path, aws.url, 31) == ["sent"]


def test_ex15_a_bad_request_fails_once_for_all(
    aws: ReplayServer, tmp_path: Path
) -> None:
    aws.misbehave(forever=refusing(400, "ClientException"), spare="/listjobs")
    assert run_at(tmp_path, aws.url, 0, 1) == ["failed"] * 2
    assert [seen.path for seen in aws.seen].count("/v1/submitjob") == 1


def test_ex16_a_finished_job_that_aws_forgot_is_unknown_and_not_sent_again(
    tmp_path: Path,
) -> None:
    aws = LateAws(delay=timedelta(0))
    assert ticks(tmp_path, aws, 0) == ["sent"]
    aws.jobs.clear()
    assert ticks(tmp_path, aws, 1, 10, 60) == ["unknown"] * 3
    assert aws.asked.count("submit") == 1
