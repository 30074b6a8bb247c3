"""Orders as AWS Batch takes them, and jobs as AWS Batch describes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from inputs.errors import SettingsError
from planner.executor.backends.aws_job import (
    CANCELLED,
    AwsSettings,
    report_of,
    submit_request,
)
from planner.executor.backends.backend import Phase
from planner.executor.backends.settings import read_settings
from planner.executor.errors import RejectedError
from tests.factories_executor import order

SETTINGS = AwsSettings(
    aws_region="eu-north-1",
    job_queue="nightly",
    job_definition="planner-job:3",
    images={"repo/train:1": "train"},
)


def request(**changes: Any) -> dict[str, Any]:
    return submit_request(order(**changes), SETTINGS)


def test_an_order_becomes_one_attempt_named_by_its_key() -> None:
    asked = order(
        command=("run", "--wrap=x", "$(id)", "a b"),
        env={"SEED": "7"},
        resources={"cpu": 2, "gpu": 1, "memory_gib": 1.5, "licences": 3},
        timeout_s=90.2,
    )
    assert submit_request(asked, SETTINGS) == {
        "jobName": asked.key,
        "jobQueue": "nightly",
        "jobDefinition": "planner-job:3",
        "containerOverrides": {
            "command": ["run", "--wrap=x", "$(id)", "a b"],
            "environment": [{"name": "SEED", "value": "7"}],
            "resourceRequirements": [
                {"type": "VCPU", "value": "2"},
                {"type": "GPU", "value": "1"},
                {"type": "MEMORY", "value": "1536"},
            ],
        },
        "retryStrategy": {"attempts": 1},
        "timeout": {"attemptDurationSeconds": 91},
        "tags": {
            "planner:key": asked.key,
            "planner:job": "job",
            "planner:segment": "0",
            "planner:region": "north",
        },
    }


def test_a_timeout_is_never_below_what_aws_takes() -> None:
    assert request(timeout_s=5)["timeout"] == {"attemptDurationSeconds": 60}
    assert "timeout" not in request()


def test_replicas_become_an_array_which_begins_at_two() -> None:
    assert request(replicas=2)["arrayProperties"] == {"size": 2}
    assert "arrayProperties" not in request(replicas=1)


def test_an_image_chooses_its_own_job_definition() -> None:
    assert request(image="repo/train:1")["jobDefinition"] == "train"


def test_without_a_command_the_image_runs_its_own() -> None:
    asked = request(command=(), image="repo/train:1")
    assert "command" not in asked["containerOverrides"]


def test_labels_become_tags_and_never_hide_the_key() -> None:
    tags = request(labels={"team": "search", "planner:key": "x"})["tags"]
    assert tags["team"] == "search"
    assert tags["planner:key"] == order().key


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "a.b"}, "job name"),
        ({"key": "-rm"}, "job name"),
        ({"key": "k" * 129}, "job name"),
        ({"command": ()}, "neither command"),
        ({"command": ("run", "")}, "empty argument"),
        ({"command": ("run", "Ref::secret")}, "Ref::"),
        ({"env": {"AWS_BATCH_JOB_ID": "1"}}, "AWS_BATCH_JOB_ID"),
        ({"image": "repo/other:1"}, "no job definition"),
        ({"replicas": 10_001}, "2 to 10000"),
        ({"resources": {"cpu": 1.5}}, "cpu 1.5"),
        ({"resources": {"gpu": 0.5}}, "gpu 0.5"),
        ({"labels": {"aws:x": "1"}}, "cannot be a tag"),
        ({"labels": {"x": "<b>"}}, "cannot be a tag"),
        ({"labels": {f"l{n}": "" for n in range(47)}}, "51 tags"),
    ],
)
def test_what_aws_would_refuse_or_change_is_never_sent(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RejectedError, match=reason):
        request(**changes)


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(RejectedError) as refused:
        request(command=(), replicas=0)
    assert "neither command" in str(refused.value)
    assert "0 replicas" in str(refused.value)


@pytest.mark.parametrize(
    ("job", "phase"),
    [
        ({"status": "SUBMITTED"}, Phase.WAITING),
        ({"status": "PENDING"}, Phase.WAITING),
        ({"status": "RUNNABLE"}, Phase.WAITING),
        ({"status": "STARTING"}, Phase.WAITING),
        ({"status": "RUNNING", "isTerminated": True}, Phase.RUNNING),
        ({"status": "SUCCEEDED"}, Phase.DONE),
        ({"status": "FAILED"}, Phase.FAILED),
        ({"status": "FAILED", "isTerminated": True}, Phase.CANCELLED),
        ({"status": "FAILED", "isCancelled": True}, Phase.CANCELLED),
        ({"status": "FAILED", "statusReason": CANCELLED}, Phase.CANCELLED),
        ({"status": "NEW-WORD"}, Phase.LOST),
    ],
)
def test_each_status_of_aws_means_one_phase(job: dict[str, Any], phase: Phase) -> None:
    assert report_of({"jobId": "i", **job}, aws_region="r").phase is phase


def test_a_failure_tells_exit_status_times_reasons_and_where_the_output_is() -> None:
    job = {
        "jobId": "id-1",
        "status": "FAILED",
        "statusReason": "Essential container in task exited",
        "startedAt": 1_795_300_000_500,
        "stoppedAt": 1_795_300_060_000,
        "container": {
            "exitCode": 137,
            "reason": "OutOfMemory\nkilled",
            "logStreamName": "train/default/abc",
            "logConfiguration": {"options": {"awslogs-group": "/nightly"}},
        },
    }
    report = report_of(job, aws_region="eu-north-1")
    assert report.exit_code == 137
    assert report.reason == (
        "exit status 137: Essential container in task exited: OutOfMemory killed"
    )
    assert report.started_at == datetime.fromtimestamp(1_795_300_000.5, UTC)
    assert report.ended_at == datetime.fromtimestamp(1_795_300_060, UTC)
    assert json.loads(report.handle or "") == {
        "aws_region": "eu-north-1",
        "job_id": "id-1",
        "log": "cloudwatch:eu-north-1:/nightly:train/default/abc",
    }


@pytest.mark.parametrize("seconds", [0, 59, 3601])
def test_a_settle_time_out_of_range_is_refused(seconds: float) -> None:
    table = {
        "aws_region": "r",
        "job_queue": "q",
        "job_definition": "d",
        "settle_s": seconds,
    }
    with pytest.raises(SettingsError, match="settle_s"):
        read_settings(AwsSettings, {"aws_batch": table}, "aws_batch")
