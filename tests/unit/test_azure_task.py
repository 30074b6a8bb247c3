"""Orders as Azure Batch takes them, and tasks as it describes them."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from inputs.errors import SettingsError
from planner.executor.backends.azure_task import (
    AzureSettings,
    output_of,
    report_of,
    task_of,
)
from planner.executor.backends.backend import Phase
from planner.executor.backends.settings import read_settings
from planner.executor.errors import RejectedError
from tests.azure_cloud import TABLE
from tests.factories_executor import at, order

SETTINGS = AzureSettings(**TABLE, cpu_per_slot=2)
HOSTILE = ("run", "--wrap=x", "$(id)", "a b", "'q'", "", ";rm", "`id`")


def task(**changes: Any) -> dict[str, Any]:
    return task_of(order(**changes), SETTINGS)


def test_an_order_becomes_one_task_that_is_never_retried() -> None:
    made = task(
        command=("run", "a b"),
        env={"SEED": "7"},
        image="repo/train:1",
        resources={"cpu": 5},
        timeout_s=90.2,
    )
    digest = made["environmentSettings"].pop()
    assert digest["name"] == "PLANNER_DIGEST"
    assert made == {
        "id": order().key,
        "displayName": "job",
        "commandLine": "run 'a b'",
        "environmentSettings": [{"name": "SEED", "value": "7"}],
        "constraints": {"maxTaskRetryCount": 0, "maxWallClockTime": "PT91S"},
        "requiredSlots": 3,
        "containerSettings": {"imageName": "repo/train:1"},
    }


def test_in09_a_command_line_reads_back_as_the_words_that_it_was_made_of() -> None:
    assert tuple(shlex.split(task(command=HOSTILE)["commandLine"])) == HOSTILE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "a.b"}, "id of a task"),
        ({"key": "k" * 65}, "id of a task"),
        ({"command": ()}, "no command"),
        ({"command": ("run", "a\nb")}, "command line"),
        ({"replicas": 2}, "2 replicas"),
        ({"env": {"AZ_BATCH_X": "1"}}, "AZ_BATCH_X"),
        ({"resources": {"cpu": 1000}}, "256 slots"),
    ],
)
def test_what_azure_would_refuse_or_change_is_never_sent(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RejectedError, match=reason):
        task(**changes)


@pytest.mark.parametrize(
    ("state", "facts", "phase"),
    [
        ("active", {}, Phase.WAITING),
        ("preparing", {}, Phase.WAITING),
        ("running", {}, Phase.RUNNING),
        ("completed", {"result": "success"}, Phase.DONE),
        ("completed", {"result": "failure"}, Phase.FAILED),
        (
            "completed",
            {"result": "failure", "failureInfo": {"code": "TaskEnded"}},
            Phase.CANCELLED,
        ),
        ("completed", {}, Phase.LOST),
        ("new-word", {}, Phase.LOST),
    ],
)
def test_each_state_of_azure_means_one_phase(
    state: str, facts: dict[str, Any], phase: Phase
) -> None:
    told = {"id": "t", "state": state, "executionInfo": facts}
    assert report_of(told, SETTINGS).phase is phase


def test_a_failure_tells_exit_status_times_reason_and_where_the_output_is() -> None:
    told = {
        "id": "t-1",
        "state": "completed",
        "executionInfo": {
            "result": "failure",
            "exitCode": 3,
            "startTime": "2026-11-22T02:00:00Z",
            "endTime": "2026-11-22T02:30:00Z",
            "failureInfo": {"code": "FailureExitCode", "message": "exited\nwith 3"},
        },
    }
    report = report_of(told, SETTINGS)
    assert (report.started_at, report.ended_at) == (at("02:00"), at("02:30"))
    assert report.exit_code == 3
    assert report.reason == "exit status 3: FailureExitCode: exited with 3"
    assert output_of(report.handle, "stderr") == (
        "https://nightly.example.batch.azure.com/jobs/nightly/tasks/t-1/files/stderr.txt"
    )


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("account_url", {"account_url": "http://nightly.example"}),
        ("account_url", {"account_url": "https://a:b@nightly.example"}),
        ("job_id", {"job_id": "a/b"}),
        ("cpu_per_slot", {"cpu_per_slot": 0}),
        ("settle_s", {"settle_s": 1}),
    ],
)
def test_a_setting_out_of_range_is_refused(key: str, changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"azure_batch.{key}"):
        read_settings(AzureSettings, {"azure_batch": TABLE | changes}, "azure_batch")
