"""The Kubernetes back end against a fake API, which fails in every way it can."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from planner.executor.backends.backend import Phase
from planner.executor.dispatch import run_once
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests.factories_executor import at, ledger_in, plan_of, row
from tests.factories_orders import order_of
from tests.kubernetes_api import Cluster, Fault, kubernetes_api


@pytest.fixture(autouse=True, scope="module")
def library() -> None:
    pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with kubernetes_api() as running:
        yield running


def test_an_order_becomes_a_job_and_its_end_is_seen(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path)
    order = order_of("echo", "hello")
    taken = backend.submit(order)
    assert taken.phase is Phase.WAITING
    assert taken.handle == cluster.job(order.key)["metadata"]["uid"]
    assert backend.status(order.key, taken.handle).phase is Phase.WAITING
    cluster.run(order.key)
    running = backend.look_up(order.key)
    assert (running.phase, running.started_at) == (Phase.RUNNING, at("02:00:05"))
    cluster.end(order.key)
    done = backend.look_up(order.key)
    assert (done.phase, done.exit_code) == (Phase.DONE, 0)
    assert (done.started_at, done.ended_at) == (at("02:00:05"), at("02:30"))


@pytest.mark.parametrize(
    ("exit_code", "reason", "told"),
    [
        (7, "Error", "exit status 7"),
        (137, "OOMKilled", "killed: out of memory"),
        (143, "Error", "exit status 143 (as of signal 15)"),
    ],
)
def test_ex20_how_a_job_failed_is_told(
    cluster: Cluster, tmp_path: Path, exit_code: int, reason: str, told: str
) -> None:
    backend = cluster.backend(tmp_path)
    order = order_of("false")
    backend.submit(order)
    cluster.end(order.key, exit_code, reason)
    report = backend.look_up(order.key)
    assert (report.phase, report.exit_code) == (Phase.FAILED, exit_code)
    assert report.reason == told


def test_a_job_whose_pods_are_gone_says_what_kubernetes_says(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path)
    order = order_of("sleep", "9", timeout_s=1.5)
    backend.submit(order)
    assert cluster.job(order.key)["spec"]["activeDeadlineSeconds"] == 2
    failed = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}
    cluster.job(order.key)["status"] = {"conditions": [failed]}
    assert backend.look_up(order.key).reason == "stopped: timeout"


def test_an_image_that_cannot_be_had_is_told_while_it_waits(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path)
    order = order_of("true")
    backend.submit(order)
    cluster.run(order.key, waiting={"reason": "ImagePullBackOff", "message": "no"})
    report = backend.look_up(order.key)
    assert (report.phase, report.reason) == (Phase.WAITING, "ImagePullBackOff: no")


def test_ex17_a_name_that_is_taken_is_taken_over_only_if_ours(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path)
    order = order_of("true")
    first = backend.submit(order)
    assert backend.submit(order).handle == first.handle
    with pytest.raises(RejectedError, match="something else"):
        backend.submit(replace(order, command=("false",)))
    cluster.end(order.key)
    assert backend.submit(order).phase is Phase.DONE
    cluster.job(order.key)["metadata"]["labels"] = {}
    with pytest.raises(RejectedError, match="not ours"):
        backend.submit(order)
    assert backend.look_up(order.key).phase is Phase.ABSENT
    assert backend.cancel(order.key, None).phase is Phase.ABSENT
    assert len(cluster.jobs) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(method="POST", status=400), RejectedError),
        (Fault(method="POST", status=422), RejectedError),
        (Fault(method="POST", status=401), NotTakenError),
        (Fault(method="POST", status=403), NotTakenError),
        (Fault(method="POST", status=404), NotTakenError),
        (Fault(method="POST", status=429), NotTakenError),
        (Fault(method="POST", status=500), UncertainError),
        (Fault(method="POST", status=503, text="<html>proxy</html>"), UncertainError),
        (Fault(method="POST", status=504), UncertainError),
        (Fault(method="POST", status=200, text="<html>"), UncertainError),
        (Fault(method="POST", status=201, text="{}"), UncertainError),
        (Fault(method="POST"), UncertainError),
        (Fault(method="POST", delay_s=0.9), UncertainError),
    ],
)
def test_ex15_an_error_says_whether_the_order_was_taken(
    cluster: Cluster, tmp_path: Path, fault: Fault, error: type[BackendError]
) -> None:
    backend = cluster.backend(tmp_path, limit_s=0.5)
    order = order_of("true")
    cluster.faults.append(fault)
    with pytest.raises(BackendError) as raised:
        backend.submit(order)
    assert type(raised.value) is error
    assert "\n" not in str(raised.value)
    assert [method for method, _ in cluster.requests] == ["POST"]
    assert backend.look_up(order.key).phase is Phase.ABSENT


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="POST", status=500, takes=True),
        Fault(method="POST", takes=True),
        Fault(method="POST", takes=True, delay_s=0.9),
    ],
)
def test_ex05_an_order_taken_without_an_answer_is_found_and_not_doubled(
    cluster: Cluster, tmp_path: Path, fault: Fault
) -> None:
    backend = cluster.backend(tmp_path, limit_s=0.5)
    order = order_of("true")
    cluster.faults.append(fault)
    with pytest.raises(UncertainError):
        backend.submit(order)
    found = backend.look_up(order.key)
    assert found.phase is Phase.WAITING
    assert backend.submit(order).handle == found.handle
    assert len(cluster.jobs) == 1


def test_nobody_listening_is_surely_not_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    nobody = Cluster(url=f"http://127.0.0.1:{port}")
    backend = nobody.backend(tmp_path)
    with pytest.raises(NotTakenError):
        backend.submit(order_of("true"))
    with pytest.raises(BackendError):
        backend.look_up(order_of("true").key)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="GET", status=500),
        Fault(method="GET", status=401),
        Fault(method="GET", status=404, text="<html>no such page</html>"),
        Fault(method="GET", status=200, text="null"),
        Fault(method="GET", status=200, text='{"metadata": {}}'),
        Fault(method="GET", status=200, text='{"items": null}'),
        Fault(method="GET", delay_s=0.9),
        Fault(method="GET"),
    ],
)
def test_ex06_a_look_up_that_fails_is_not_taken_for_absence(
    cluster: Cluster, tmp_path: Path, fault: Fault
) -> None:
    backend = cluster.backend(tmp_path, limit_s=0.5)
    order = order_of("true")
    for ask in (backend.look_up, lambda key: backend.status(key, None)):
        cluster.faults.append(fault)
        with pytest.raises(BackendError):
            ask(order.key)


def test_a_cancelled_job_is_deleted_with_its_pods_and_a_finished_one_is_kept(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path)
    runs, waits, done = (order_of("true", job_id=name) for name in ("r", "w", "d"))
    for order in (runs, waits, done):
        backend.submit(order)
    cluster.run(runs.key)
    cluster.end(done.key)
    assert backend.cancel(runs.key, None).phase is Phase.CANCELLED
    assert backend.look_up(runs.key).phase is Phase.CANCELLED
    assert backend.cancel(waits.key, None).phase is Phase.CANCELLED
    assert backend.cancel(done.key, None).phase is Phase.DONE
    assert {name for _, name in cluster.jobs} == {runs.key, done.key}
    assert backend.cancel(waits.key, None).phase is Phase.ABSENT


def test_a_server_too_old_for_a_queue_is_reported_and_the_job_deleted(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path, queue="nightly")
    order = order_of("true")
    backend.submit(order)
    job = cluster.job(order.key)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "nightly"
    cluster.drops = ("suspend",)
    with pytest.raises(RejectedError, match="too old for a queue"):
        backend.submit(order_of("true"))
    assert len(cluster.jobs) == 1


def test_regions_have_namespaces_of_their_own(cluster: Cluster, tmp_path: Path) -> None:
    backend = cluster.backend(tmp_path, regions={"south": {"namespace": "s"}})
    north, south = order_of("true"), order_of("true", region="south")
    backend.submit(north)
    backend.submit(south)
    assert set(cluster.jobs) == {("default", north.key), ("s", south.key)}
    for order in (north, south):
        assert backend.look_up(order.key).phase is Phase.WAITING
        assert backend.status(order.key, None).phase is Phase.WAITING


def test_a_namespace_that_is_not_there_may_come(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path, namespace="missing")
    with pytest.raises(NotTakenError, match='namespaces "missing" not found'):
        backend.submit(order_of("true"))


def test_one_list_in_pages_serves_the_questions_about_many_jobs(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.page = 4
    backend = cluster.backend(tmp_path)
    orders = [order_of("true", job_id=f"j{n}") for n in range(10)]
    for order in orders:
        backend.submit(order)
    cluster.requests.clear()
    assert {backend.status(o.key, None).phase for o in orders} == {Phase.WAITING}
    assert len(cluster.requests) == 3


def test_what_is_newer_than_the_list_is_asked_for_by_itself(
    cluster: Cluster, tmp_path: Path
) -> None:
    backend = cluster.backend(tmp_path)
    old, new = order_of("true"), order_of("true")
    backend.submit(old)
    backend.status(old.key, None)
    backend.submit(new)
    assert backend.status(new.key, None).phase is Phase.WAITING


def tick(cluster: Cluster, folder: Path, clock: str) -> None:
    """A run of the executor that follows a plan of one job."""
    with ledger_in(folder) as ledger:
        run_once(
            plan=plan_of(row("a", executor="kubernetes", image="i")),
            ledger=ledger,
            backends={"kubernetes": cluster.backend(folder)},
            now=at(clock),
            actor="test",
        )


def test_ex16_a_job_that_the_cluster_removed_is_not_sent_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    tick(cluster, tmp_path, "02:00")
    [(_, key)] = cluster.jobs
    cluster.jobs.clear()
    for clock in ("02:01", "02:05", "03:00", "23:00"):
        tick(cluster, tmp_path, clock)
    assert cluster.jobs == {}
    with ledger_in(tmp_path) as ledger:
        [stored] = ledger.dispatches("key = ?", key)
    assert stored.state == "unknown"
    assert stored.reason == "the back end does not know it any more"


def test_ex05_the_executor_sends_again_only_after_the_settle_time(
    cluster: Cluster, tmp_path: Path
) -> None:
    def posts_after(clock: str) -> int:
        tick(cluster, tmp_path, clock)
        return [method for method, _ in cluster.requests].count("POST")

    cluster.faults.append(Fault(method="POST", status=500))
    assert posts_after("02:00") == 1
    assert posts_after("02:01") == 1
    assert posts_after("02:01:31") == 2
    assert posts_after("02:02:31") == 2
    assert len(cluster.jobs) == 1


def test_what_is_sent_is_what_was_meant(cluster: Cluster, tmp_path: Path) -> None:
    marks = [
        "$(PLANNER_KEY)",
        "$$",
        "$",
        "$$(X)",
        "$(",
        "; rm",
        "--",
        "",
        "é",
    ]
    order = order_of("echo", *marks, env={"X": "$(PATH)", "Y": "$$"})
    cluster.backend(tmp_path).submit(order)
    [container] = cluster.job(order.key)["spec"]["template"]["spec"]["containers"]
    expanded = [word.replace("$$", "$") for word in container["command"]]
    assert expanded == ["echo", *marks]
    assert container["env"] == [
        {"name": "X", "value": "$$(PATH)"},
        {"name": "Y", "value": "$$$$"},
    ]
