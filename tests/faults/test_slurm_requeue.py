"""Slurm jobs that lose their node or are put back into the queue, on a real cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.slurm import Slurm
from planner.executor.errors import BackendError
from tests.executor_kill_loop import SCRIPT
from tests.factories_executor import until
from tests.factories_orders import order_of
from tests.slurm_cluster import SlurmCluster

SAFE = {"safe-to-repeat": "true"}


@pytest.fixture
def cluster(slurm_cluster: SlurmCluster) -> Iterator[SlurmCluster]:
    """The cluster, with both its nodes again at the end."""
    yield slurm_cluster
    slurm_cluster.start_node("n1")


def begun(slurm: Slurm, workspace: Path, **changes: dict[str, str]) -> Order:
    """A running order; each beginning of it counts itself, and the second one ends."""
    script = f'{SCRIPT}; [ "$(grep -c . count)" -gt 1 ] || exec sleep 300'
    order = order_of("/bin/sh", "-c", script, **changes)
    slurm.submit(order)
    until(lambda: begins(workspace) == 1, seconds=60, pause=0.05)
    until_phase(slurm, order, Phase.RUNNING)
    return order


def report(slurm: Slurm, order: Order) -> Report:
    """How an order stands, asked until a busy controller has answered in time."""
    answers: list[Report] = []

    def is_answered() -> bool:
        with suppress(BackendError):
            answers.append(slurm.look_up(order.key))
        return bool(answers)

    until(is_answered, seconds=60, pause=0.1)
    return answers[0]


def until_phase(slurm: Slurm, order: Order, wanted: Phase) -> None:
    until(lambda: report(slurm, order).phase is wanted, seconds=60, pause=0.1)


def begins(workspace: Path) -> int:
    count = workspace / "count"
    return len(count.read_text().split()) if count.exists() else 0


def test_a_job_whose_node_failed_has_failed_and_begins_no_second_time(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = cluster.backend(tmp_path)
    order = begun(slurm, tmp_path)
    cluster.lose_node("n1")
    until_phase(slurm, order, Phase.FAILED)
    assert report(slurm, order).reason == "its node failed while it ran"
    cluster.start_node("n1")
    until(cluster.is_quiet, seconds=60, pause=0.1)
    assert begins(tmp_path) == 1


def test_a_job_that_is_safe_to_repeat_begins_again_after_its_node_failed(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = cluster.backend(tmp_path)
    order = begun(slurm, tmp_path, labels=SAFE)
    handle = report(slurm, order).handle
    cluster.lose_node("n1")
    until_phase(slurm, order, Phase.WAITING)
    cluster.start_node("n1")

    def is_done() -> bool:
        # Slurm would wait two minutes for what may still run on the node, and holds a
        # job whose launch failed while the node came back. But the node must have been
        # told first that the first run is over: told later, it takes that for the
        # second one ("already killed, do not launch batch job").
        cluster.resume()
        if cluster.has_told("n1"):
            cluster.run("scontrol", "release", str(handle))
            cluster.run("scontrol", "update", f"JobId={handle}", "StartTime=now")
        return report(slurm, order).phase is Phase.DONE

    until(is_done, seconds=120, pause=0.2)
    assert report(slurm, order).handle == handle
    assert begins(tmp_path) == 2


def test_slurm_refuses_to_put_a_job_back_that_is_not_safe_to_repeat(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = cluster.backend(tmp_path)
    order = begun(slurm, tmp_path)
    handle = str(report(slurm, order).handle)
    assert cluster.run("scontrol", "requeue", handle).returncode != 0
    assert report(slurm, order).phase is Phase.RUNNING
    slurm.cancel(order.key, handle)
    until_phase(slurm, order, Phase.CANCELLED)


def test_ex02_the_second_slurm_job_of_a_key_leaves_with_status_75(
    cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = cluster.backend(tmp_path)
    order = begun(slurm, tmp_path)
    second = str(slurm.submit(order).handle)

    def ended() -> str:
        return cluster.run("scontrol", "show", "job", second).stdout

    until(lambda: "ExitCode=75:0" in ended(), seconds=60, pause=0.1)
    assert f"Comment={order.key} {order.job_id}" in ended()
    assert report(slurm, order).phase is Phase.RUNNING
    assert begins(tmp_path) == 1
    slurm.cancel(order.key, None)
    until_phase(slurm, order, Phase.CANCELLED)
