"""Orders as Google Cloud Batch takes them, and jobs as it describes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from inputs.errors import SettingsError
from planner.executor.backends.backend import Phase
from planner.executor.backends.google_job import (
    GoogleSettings,
    job_of,
    log_of,
    report_of,
    request_id,
)
from planner.executor.backends.settings import read_settings
from planner.executor.errors import RejectedError
from tests.factories_executor import at, order

SETTINGS = GoogleSettings(
    project="nightly", location="europe-north1", image="busybox:1"
)


def job(settings: GoogleSettings = SETTINGS, **changes: Any) -> dict[str, Any]:
    return job_of(order(**changes), settings)


def test_an_order_becomes_one_task_that_is_never_retried() -> None:
    made = job(
        command=("run", "--wrap=x", "$(id)"),
        env={"SEED": "7"},
        resources={"cpu": 1.5, "memory_gib": 2, "licences": 3},
        timeout_s=90.2,
        replicas=3,
        labels={"team": "search"},
    )
    [group] = made["task_groups"]
    assert group["task_count"] == group["parallelism"] == 3
    assert group["task_spec"] == {
        "runnables": [
            {
                "container": {
                    "image_uri": "busybox:1",
                    "entrypoint": "run",
                    "commands": ["--wrap=x", "$(id)"],
                }
            }
        ],
        "environment": {"variables": {"SEED": "7"}},
        "max_retry_count": 0,
        "compute_resource": {"cpu_milli": 1500, "memory_mib": 2048},
        "max_run_duration": timedelta(seconds=91),
    }
    assert made["labels"]["planner-key"] == order().key
    assert made["labels"]["team"] == "search"


def test_without_a_command_the_image_runs_its_own() -> None:
    [group] = job(command=(), image="own:1")["task_groups"]
    [runnable] = group["task_spec"]["runnables"]
    assert runnable == {"container": {"image_uri": "own:1"}}


def test_a_label_never_hides_the_key() -> None:
    labels = job(labels={"planner-key": "x"})["labels"]
    assert labels["planner-key"] == order().key


def test_a_job_with_gpus_gets_them_and_their_drivers() -> None:
    settings = GoogleSettings(
        project="nightly",
        location="europe-north1",
        image="busybox",
        machine_type="n1-standard-8",
        accelerator="nvidia-tesla-t4",
        service_account="runner@nightly.example",
    )
    assert job(settings, resources={"gpu": 2})["allocation_policy"] == {
        "service_account": {"email": "runner@nightly.example"},
        "instances": [
            {
                "policy": {
                    "machine_type": "n1-standard-8",
                    "accelerators": [{"type_": "nvidia-tesla-t4", "count": 2}],
                },
                "install_gpu_drivers": True,
            }
        ],
    }


def test_a_key_has_one_request_id() -> None:
    assert request_id("a") == request_id("a") != request_id("b")
    assert UUID(request_id("a")).version == 5


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "P1"}, "job id"),
        ({"key": "p" * 64}, "job id"),
        ({"command": ()}, "neither command"),
        ({"command": ("--privileged", "x")}, "option"),
        ({"image": "--privileged"}, "option"),
        ({"resources": {"gpu": 1}}, "no accelerator"),
        ({"resources": {"gpu": 0.5}}, "gpu 0.5"),
        ({"replicas": 0}, "0 replicas"),
        ({"labels": {"Team": "x"}}, "Team"),
        ({"labels": {"team": "A B"}}, "team"),
        ({"labels": {"goog-x": "a"}}, "goog-x"),
        ({"labels": {f"l{n}": "" for n in range(63)}}, "63 labels"),
    ],
)
def test_what_google_would_refuse_or_change_is_never_sent(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RejectedError, match=reason):
        job(**changes)


def test_a_job_without_an_image_is_refused() -> None:
    bare = GoogleSettings(project="nightly", location="europe-north1")
    with pytest.raises(RejectedError, match="no image"):
        job(bare)
    assert job(bare, image="own:1")["task_groups"]


def event(description: str, time: str, **more: Any) -> dict[str, Any]:
    return {"description": description, "event_time": time, **more}


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("STATE_UNSPECIFIED", Phase.WAITING),
        ("QUEUED", Phase.WAITING),
        ("SCHEDULED", Phase.WAITING),
        ("RUNNING", Phase.RUNNING),
        ("CANCELLATION_IN_PROGRESS", Phase.RUNNING),
        ("SUCCEEDED", Phase.DONE),
        ("FAILED", Phase.FAILED),
        ("CANCELLED", Phase.CANCELLED),
        ("DELETION_IN_PROGRESS", Phase.LOST),
        (99, Phase.LOST),
    ],
)
def test_each_state_of_google_means_one_phase(state: Any, phase: Phase) -> None:
    assert report_of({"status": {"state": state}}).phase is phase


def test_a_failure_tells_exit_status_times_and_reason() -> None:
    events = [
        event(
            "Job failed: task\n0",
            "2026-11-22T02:30:00Z",
            task_execution={"exit_code": 3},
        ),
        event("set from SCHEDULED to RUNNING", "2026-11-22T02:00:00Z"),
    ]
    status = {"state": "FAILED", "status_events": events}
    report = report_of({"uid": "u-1", "status": status})
    assert (report.started_at, report.ended_at) == (at("02:00"), at("02:30"))
    assert (report.exit_code, report.reason) == (3, "exit status 3: Job failed: task 0")
    assert log_of("k") == 'cloudlogging:labels."planner-key"="k"'


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("project", {"project": "a/b"}),
        ("location", {"location": "../x"}),
        ("settle_s", {"settle_s": 1}),
        ("instance_template", {"instance_template": "t", "machine_type": "m"}),
    ],
)
def test_a_setting_out_of_range_is_refused(key: str, changes: dict[str, Any]) -> None:
    table = {"project": "nightly", "location": "europe-north1"} | changes
    with pytest.raises(SettingsError, match=f"google_batch.{key}"):
        read_settings(GoogleSettings, {"google_batch": table}, "google_batch")
