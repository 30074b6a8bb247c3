"""What is behind a back end, as the suite for all back ends drives it.

To have a further back end asked the same questions, write its far side here and add a
line to ``FAR_SIDES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from planner.executor.backends.backend import Backend, Order
from planner.executor.errors import BackendError, NotTakenError, UncertainError
from tests.cloud_sides import AwsSide, AzureSide, GoogleSide, WebhookSide
from tests.executor_kill_loop import SCRIPT
from tests.factories_executor import shell_in, until
from tests.factories_orders import order_of
from tests.kubernetes_kubelet import Namespace
from tests.moto_aws import CREDENTIALS
from tests.slurm_cluster import SlurmCluster


class FarSide(Protocol):
    """A place where orders run, which begin and end them when told to."""

    def backend(self) -> Backend:
        """Another instance each time, as another process would have it."""
        ...

    def order(self, *, exit_code: int = 0) -> Order:
        """An order that runs until ``end`` and then ends with an exit status."""
        ...

    def begin(self, order: Order) -> None:
        """Return when a taken order runs."""
        ...

    def end(self, order: Order) -> None:
        """Let a running order end; it may take a moment until that is seen."""
        ...

    def runs(self, order: Order) -> int:
        """How often it has begun."""
        ...

    def mark(self, order: Order) -> str:
        """What tells the place of its output from that of others."""
        ...

    def unreachable(self) -> AbstractContextManager[type[BackendError]]:
        """Time in which nothing is answered; skips where there is no such thing.

        Yields what a sending has to say then.
        """
        ...


class RealSide:
    """Orders are processes: they count themselves, and wait for a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def order(self, *, exit_code: int = 0) -> Order:
        wait = 'until [ -e "$PLANNER_KEY.end" ]; do sleep 0.05; done'
        return order_of("/bin/sh", "-c", f"{SCRIPT}; {wait}; exit {exit_code}")

    def begin(self, order: Order) -> None:
        until(lambda: self.runs(order) > 0, seconds=30)

    def end(self, order: Order) -> None:
        (self.folder / f"{order.key}.end").touch()

    def mark(self, order: Order) -> str:
        return order.key

    def runs(self, order: Order) -> int:
        count = self.folder / "count"
        return count.read_text().split().count(order.key) if count.exists() else 0


class ShellSide(RealSide):
    def backend(self) -> Backend:
        return shell_in(self.folder)

    def unreachable(self) -> AbstractContextManager[type[BackendError]]:
        pytest.skip("the shell back end talks to nobody")


class SlurmSide(RealSide):
    def __init__(self, folder: Path, cluster: SlurmCluster) -> None:
        super().__init__(folder)
        self.cluster = cluster

    def backend(self) -> Backend:
        return self.cluster.backend(self.folder)

    @contextmanager
    def unreachable(self) -> Iterator[type[BackendError]]:
        self.cluster.kill_controller()
        try:
            yield NotTakenError
        finally:
            self.cluster.start_controller()
            self.cluster.wait_for_controller()


class KubernetesSide:
    """Against the fake API: the test plays the cluster's own controllers."""

    def __init__(self, folder: Path) -> None:
        from tests.kubernetes_api import kubernetes_api

        self.folder = folder
        self._codes: dict[str, int] = {}
        self._running = kubernetes_api()
        self.cluster = self._running.__enter__()

    def backend(self) -> Backend:
        return self.cluster.backend(self.folder)

    def order(self, *, exit_code: int = 0) -> Order:
        order = order_of("sh", "-c", f"exit {exit_code}")
        self._codes[order.key] = exit_code
        return order

    def begin(self, order: Order) -> None:
        self.cluster.run(order.key)

    def end(self, order: Order) -> None:
        self.cluster.end(order.key, self._codes[order.key])

    def mark(self, order: Order) -> str:
        return order.key

    def runs(self, order: Order) -> int:
        return [name for _, name in self.cluster.jobs].count(order.key)

    @contextmanager
    def unreachable(self) -> Iterator[type[BackendError]]:
        from tests.kubernetes_api import Fault

        self.cluster.faults.extend([Fault(method="POST"), Fault(method="GET")])
        yield UncertainError
        self.cluster.faults.clear()

    def close(self) -> None:
        self._running.__exit__(None, None, None)


class KubernetesServerSide:
    """Against a real API server and Job controller: the test plays the nodes."""

    def __init__(self, folder: Path, namespace: Namespace) -> None:
        self.folder = folder
        self.namespace = namespace
        self._codes: dict[str, int] = {}

    def backend(self) -> Backend:
        return self.namespace.backend(self.folder)

    def order(self, *, exit_code: int = 0) -> Order:
        order = order_of("sh", "-c", f"exit {exit_code}")
        self._codes[order.key] = exit_code
        return order

    def begin(self, order: Order) -> None:
        self.namespace.run(order.key)

    def end(self, order: Order) -> None:
        self.namespace.end(order.key, self._codes[order.key])

    def mark(self, order: Order) -> str:
        return order.key

    def runs(self, order: Order) -> int:
        return len(self.namespace.pods(order.key))

    @contextmanager
    def unreachable(self) -> Iterator[type[BackendError]]:
        self.namespace.server.kill_api()
        try:
            yield NotTakenError
        finally:
            self.namespace.server.start_api()


def _shell(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    return ShellSide(folder)


def _slurm(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    return SlurmSide(folder, request.getfixturevalue("slurm_cluster"))


def _kubernetes(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")
    side = KubernetesSide(folder)
    request.addfinalizer(side.close)
    return side


def _kubernetes_server(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    return KubernetesServerSide(folder, request.getfixturevalue("namespace"))


def _aws(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    pytest.importorskip("boto3", reason="the extra aws is not installed")
    patch = request.getfixturevalue("monkeypatch")
    for name, value in CREDENTIALS.items():
        patch.setenv(name, value)
    return _closed_at_the_end(request, AwsSide())


def _azure(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    pytest.importorskip("azure.batch", reason="the extra azure is not installed")
    return _closed_at_the_end(request, AzureSide())


def _google(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    pytest.importorskip("google.cloud.batch_v1", reason="no extra google")
    return _closed_at_the_end(request, GoogleSide())


def _webhook(request: pytest.FixtureRequest, folder: Path) -> FarSide:
    return _closed_at_the_end(request, WebhookSide())


def _closed_at_the_end(request: pytest.FixtureRequest, side: Any) -> FarSide:
    request.addfinalizer(side.close)
    closed: FarSide = side
    return closed


FAR_SIDES: dict[str, Callable[[pytest.FixtureRequest, Path], FarSide]] = {
    "shell": _shell,
    "slurm": _slurm,
    "kubernetes": _kubernetes,
    "kubernetes-server": _kubernetes_server,
    "aws_batch": _aws,
    "azure_batch": _azure,
    "google_batch": _google,
    "webhook": _webhook,
}
"""By the name of the back end, and of what is behind it where there are two."""
