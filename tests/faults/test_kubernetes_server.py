"""The verbs of the Kubernetes back end against a real API server and Job controller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.kubernetes import Kubernetes
from planner.executor.errors import BackendError, NotTakenError, RejectedError
from tests.factories_orders import order_of
from tests.kubernetes_access import eventually, jobs_path, pods_path
from tests.kubernetes_kubelet import Namespace

OPEN = (Phase.WAITING, Phase.RUNNING)


def ended(backend: Kubernetes, order: Order) -> Report:
    """The report of an order, once its Job has ended."""
    eventually(lambda: backend.look_up(order.key).phase not in OPEN)
    return backend.look_up(order.key)


def test_the_server_keeps_the_job_as_it_was_meant(
    namespace: Namespace, tmp_path: Path
) -> None:
    marks = ["$(PLANNER_KEY)", "$$", "; rm", "--", "", "é"]
    order = order_of(
        "echo",
        *marks,
        job_id="etl / nightly",
        env={"PLANNER_SEGMENT": "0", "X": "$(PATH)"},
        labels={"team": "search", "a.example/cost": "c1"},
        resources={"cpu": 0.5, "memory_gib": 0.25},
        timeout_s=90.5,
    )
    taken = namespace.backend(tmp_path, keep_days=2).submit(order)
    job = namespace.jobs()[order.key]
    assert job["metadata"]["uid"] == taken.handle
    assert job["metadata"]["annotations"]["carbon-batch-planner/job-id"] == order.job_id
    spec = job["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (0, 91)
    assert spec["ttlSecondsAfterFinished"] == 2 * 86_400
    eventually(lambda: namespace.pods(order.key) != [])
    [pod] = namespace.pods(order.key)
    for labels in (job["metadata"]["labels"], pod["metadata"]["labels"]):
        assert labels["carbon-batch-planner/key"] == order.key
        assert (labels["team"], labels["a.example/cost"]) == ("search", "c1")
    [container] = pod["spec"]["containers"]
    assert container["command"] == ["echo", *(m.replace("$", "$$") for m in marks)]
    assert container["env"] == [
        {"name": "PLANNER_SEGMENT", "value": "0"},
        {"name": "X", "value": "$$(PATH)"},
    ]
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "256Mi"},
        "limits": {"memory": "256Mi"},
    }
    assert "volumes" not in pod["spec"]


@pytest.mark.parametrize(
    ("exit_code", "reason", "told"),
    [
        (7, "Error", "exit status 7"),
        (137, "OOMKilled", "killed: out of memory"),
        (143, "Error", "exit status 143 (as of signal 15)"),
    ],
)
def test_ex20_how_a_job_failed_is_told(
    namespace: Namespace, tmp_path: Path, exit_code: int, reason: str, told: str
) -> None:
    backend, order = namespace.backend(tmp_path), order_of("false")
    backend.submit(order)
    namespace.run(order.key)
    namespace.end(order.key, exit_code, reason)
    report = ended(backend, order)
    assert (report.phase, report.exit_code) == (Phase.FAILED, exit_code)
    assert report.reason == told
    assert len(namespace.pods(order.key)) == 1


def test_an_evicted_pod_is_told_and_does_not_begin_again(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend, order = namespace.backend(tmp_path), order_of("true")
    backend.submit(order)
    namespace.evict(order.key)
    assert ended(backend, order).reason == "its pod was evicted"
    assert len(namespace.pods(order.key)) == 1


def test_a_job_over_its_time_limit_is_ended_by_the_cluster(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend, order = namespace.backend(tmp_path), order_of("sleep", "9", timeout_s=1)
    backend.submit(order)
    namespace.run(order.key)
    report = ended(backend, order)
    assert (report.phase, report.reason) == (Phase.FAILED, "stopped: timeout")


def test_an_image_that_cannot_be_had_is_told_while_it_waits(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend, order = namespace.backend(tmp_path), order_of("true")
    backend.submit(order)
    namespace.run(order.key, waiting={"reason": "ImagePullBackOff", "message": "no"})
    for report in (backend.look_up(order.key), backend.status(order.key, None)):
        assert report.phase is Phase.WAITING
        assert report.reason == "ImagePullBackOff: no"


def test_ex17_a_name_that_is_taken_is_taken_over_only_if_ours(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend, order = namespace.backend(tmp_path), order_of("true")
    first = backend.submit(order)
    assert backend.submit(order).handle == first.handle
    with pytest.raises(RejectedError, match="something else"):
        backend.submit(replace(order, command=("false",)))
    foreign = order_of("true")
    job = {**namespace.jobs()[order.key], "status": {}}
    job["metadata"] = {"name": foreign.key, "labels": {"team": "other"}}
    job["spec"] = {"template": {"spec": job["spec"]["template"]["spec"]}}
    before = namespace.server.admin.ask("POST", jobs_path(namespace.name), job)
    with pytest.raises(RejectedError, match="not ours"):
        backend.submit(foreign)
    assert backend.look_up(foreign.key).phase is Phase.ABSENT
    assert backend.cancel(foreign.key, None).phase is Phase.ABSENT
    assert namespace.jobs()[foreign.key]["spec"] == before["spec"]


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "p" * 64},
        {"key": "P20261122-x-1"},
        {"labels": {"team": "x" * 64}},
        {"labels": {"-": "x"}},
        {"env": {"1 ": "x"}},
        {"resources": {"cpu": -1.0}},
    ],
)
def test_what_the_server_refuses_for_good_is_failed_and_not_there(
    namespace: Namespace, tmp_path: Path, changes: dict[str, Any]
) -> None:
    backend = namespace.backend(tmp_path)
    with pytest.raises(RejectedError) as refused:
        backend.submit(replace(order_of("true"), **changes))
    assert "Kubernetes says 422" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert namespace.jobs() == {}


def test_se09_who_may_not_send_is_told_so_without_the_token(
    namespace: Namespace, tmp_path: Path
) -> None:
    order = order_of("true")
    for user, status in (("stranger", 403), ("nobody", 401)):
        backend = namespace.backend(tmp_path, user=user)
        with pytest.raises(NotTakenError, match=str(status)) as refused:
            backend.submit(order)
        assert "token" not in str(refused.value)
        with pytest.raises(BackendError, match=str(status)):
            backend.look_up(order.key)
    assert namespace.jobs() == {}


def test_a_namespace_that_is_missing_or_going_takes_nothing(
    namespace: Namespace, tmp_path: Path
) -> None:
    order = order_of("true")
    absent = namespace.backend(tmp_path, regions={"north": {"namespace": "absent"}})
    with pytest.raises(NotTakenError, match='namespaces "absent" not found'):
        absent.submit(order)
    admin, path = namespace.server.admin, namespace.path
    finalizers = {"metadata": {"finalizers": ["example.org/held"]}}
    admin.ask("PATCH", path, finalizers, merge=True)
    admin.ask("DELETE", path)
    try:
        with pytest.raises(NotTakenError, match="terminated"):
            namespace.backend(tmp_path).submit(order)
    finally:
        let_go = {"metadata": {"finalizers": None}}
        admin.ask("PATCH", path, let_go, merge=True)


def test_a_cancelled_job_is_deleted_with_its_pods_and_a_finished_one_is_kept(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend = namespace.backend(tmp_path)
    runs, waits, done = (order_of("true", job_id=name) for name in ("r", "w", "d"))
    for order in (runs, waits, done):
        backend.submit(order)
    for order in (runs, done):
        namespace.run(order.key)
    namespace.end(done.key)
    assert ended(backend, done).phase is Phase.DONE
    for order in (runs, waits):
        assert backend.cancel(order.key, None).phase is Phase.CANCELLED
    assert backend.cancel(done.key, None).phase is Phase.DONE
    assert backend.look_up(runs.key).phase is Phase.CANCELLED
    # Its pod still ends: the name is held, and nothing is begun under it again.
    assert backend.submit(runs).phase is Phase.CANCELLED
    namespace.finish_deletion(runs.key)
    eventually(lambda: namespace.jobs().keys() == {done.key})
    assert namespace.pods(runs.key) == namespace.pods(waits.key) == []
    assert backend.cancel(runs.key, None).phase is Phase.ABSENT


def test_a_server_too_old_for_a_queue_is_reported_and_the_job_deleted(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend = namespace.backend(tmp_path, queue="nightly")
    with pytest.raises(RejectedError, match="too old for a queue"):
        backend.submit(order_of("true"))
    eventually(lambda: namespace.jobs() == {})
    assert namespace.server.admin.items(pods_path(namespace.name)) == {}
