"""Executors and a real Kubernetes control plane, killed and frozen while they work."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from outputs.plan import Plan
from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.kubernetes import Kubernetes
from planner.executor.dispatch import run_once
from planner.executor.errors import BackendError, UncertainError
from planner.executor.verification import verify
from tests.executor_kill_loop import in_child, states
from tests.factories_executor import at, ledger_in, plan_of, row
from tests.factories_orders import order_of
from tests.kubernetes_access import EXECUTOR, eventually, jobs_path
from tests.kubernetes_kubelet import Namespace
from tests.kubernetes_server import API, CONTROLLERS, ETCD


def plan(n_jobs: int) -> Plan:
    rows = [row(f"j{n}", executor="kubernetes") for n in range(n_jobs)]
    return plan_of(*rows)


def tick(backend: Kubernetes, folder: Path, of: Plan, when: str = "02:00") -> None:
    with ledger_in(folder) as ledger:
        run_once(
            plan=of,
            ledger=ledger,
            backends={"kubernetes": backend},
            now=at(when),
            actor="test",
        )
        assert verify(ledger) == ()


def ticked(backend: Kubernetes, folder: Path, of: Plan, when: str) -> Counter[str]:
    tick(backend, folder, of, when)
    return states(folder)


def reasons(folder: Path) -> set[str | None]:
    with ledger_in(folder) as ledger:
        return {reason for (reason,) in ledger.query("select reason from dispatches")}


def test_ex16_a_job_that_the_cluster_removed_is_never_made_again(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend, of = namespace.backend(tmp_path), plan(2)
    tick(backend, tmp_path, of)
    seen, unseen = sorted(namespace.jobs())
    for key in (seen, unseen):
        namespace.run(key)
    namespace.end(seen)

    def is_seen() -> bool:
        return ticked(backend, tmp_path, of, "02:01")["done"] == 1

    eventually(is_seen)
    namespace.end(unseen)
    for key in (seen, unseen):
        namespace.patch_job(key, {"ttlSecondsAfterFinished": 1})
    eventually(lambda: namespace.jobs() == {})
    for when in ("02:10", "03:00", "23:00"):
        later = namespace.backend(tmp_path)
        assert ticked(later, tmp_path, of, when) == {"done": 1, "unknown": 1}
    assert namespace.jobs() == {}
    assert reasons(tmp_path) == {None, "the back end does not know it any more"}


class DiesAfterSending(Kubernetes):
    """Takes its executor with it as soon as the server has taken the order."""

    def submit(self, order: Order) -> Report:
        super().submit(order)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def test_ex02_an_executor_killed_between_sending_and_storing_doubles_nothing(
    namespace: Namespace, tmp_path: Path
) -> None:
    of = plan(4)
    for _ in range(4):
        deadly = namespace.backend(tmp_path, kind=DiesAfterSending)
        status = in_child(lambda deadly=deadly: tick(deadly, tmp_path, of))
        assert os.WIFSIGNALED(status)
    handles = namespace.uids()
    assert len(handles) == 4
    for key in handles:
        namespace.run(key)
        namespace.end(key)
    backend = namespace.backend(tmp_path)

    def all_done() -> bool:
        return ticked(backend, tmp_path, of, "02:00") == {"done": 4}

    eventually(all_done)
    after = namespace.uids()
    assert after == handles
    assert all(len(namespace.pods(key)) == 1 for key in handles)


def test_ex06_a_server_lost_during_a_run_of_the_executor_loses_and_doubles_nothing(
    namespace: Namespace, tmp_path: Path
) -> None:
    of, server, numbers = plan(30), namespace.server, count(1)

    class LosesItsServer(Kubernetes):
        """Whose tenth order is on its way when the server is killed."""

        def submit(self, order: Order) -> Report:
            if next(numbers) != 10:
                return super().submit(order)
            killer = threading.Thread(target=server.kill_api)
            killer.start()
            try:
                return super().submit(order)
            finally:
                killer.join()

    losing = namespace.backend(tmp_path, kind=LosesItsServer)
    lost = ticked(losing, tmp_path, of, "02:00")
    # The others that were on their way with it may have been taken, or not.
    assert abs(lost["sent"] - 10) <= losing.at_once
    assert lost["planned"] >= 30 - 10 - losing.at_once
    down = ticked(namespace.backend(tmp_path), tmp_path, of, "02:00:30")
    assert (down.total(), down["failed"]) == (30, 0)
    server.start_api()
    before = namespace.uids()
    backend = namespace.backend(tmp_path)
    assert ticked(backend, tmp_path, of, "02:03") == {"sent": 30}
    after = namespace.uids()
    assert len(after) == 30
    assert after.items() >= before.items()


@pytest.mark.parametrize("program", [ETCD, API])
def test_ex05_a_frozen_server_leaves_doubt_and_the_look_up_clears_it(
    namespace: Namespace, tmp_path: Path, program: str
) -> None:
    hasty, patient = namespace.backend(tmp_path, limit_s=2), namespace.backend(tmp_path)
    order = order_of("true")
    assert hasty.look_up(order.key).phase is Phase.ABSENT  # connects
    with namespace.server.frozen(program):
        with pytest.raises(UncertainError):
            hasty.submit(order)
        with pytest.raises(BackendError):
            hasty.look_up(order.key)
    # What was on its way may be carried out now, or never.
    eventually(lambda: namespace.server.admin.may_list_jobs(EXECUTOR))
    found = patient.look_up(order.key)
    assert found.phase in (Phase.ABSENT, Phase.WAITING)
    again = patient.submit(order)
    assert found.handle in (None, again.handle)
    assert namespace.jobs().keys() == {order.key}
    eventually(lambda: len(namespace.pods(order.key)) == 1)


def test_six_hundred_jobs_are_listed_in_pages_and_sent_in_seconds(
    namespace: Namespace, tmp_path: Path
) -> None:
    backend = namespace.backend(tmp_path)
    orders = [order_of("true", job_id=f"j{n}") for n in range(600)]
    with namespace.server.frozen(CONTROLLERS):
        began = time.monotonic()
        for order in orders:
            backend.submit(order)
        sent = time.monotonic()
        phases = Counter(backend.status(order.key, None).phase for order in orders)
        asked = time.monotonic()
        away = {"propagationPolicy": "Background"}
        namespace.server.admin.ask("DELETE", jobs_path(namespace.name), away)
    assert phases == {Phase.WAITING: 600}
    assert sent - began < 18  # 1,000 within 30 s
    assert asked - sent < 5
