"""The ``solver`` fixture, one suite for every registered solver; hypothesis.

Real servers, each one for all tests that want it: ``slurm_cluster``,
``kubernetes_server`` (one for each module, as it never rests; ``namespace`` is an empty
place in it) and ``ledger_server``, a PostgreSQL. ``site_of_each_store`` is an
executor's site, once with its ledger in a file and once on that server.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from solvers.errors import SolverNotInstalledError
from solvers.registry import SOLVERS, load
from solvers.solver import Solver
from tests.executor_site import Site, a_site
from tests.kubernetes_kubelet import Namespace
from tests.kubernetes_server import KubernetesServer, running_kubernetes
from tests.kubernetes_server import missing as kubernetes_missing
from tests.postgres_server import Server, running_server
from tests.slurm_cluster import SlurmCluster, missing

# A failure says how to repeat it elsewhere; machines of CI are slow now and then.
settings.register_profile("house", print_blob=True, deadline=None)
settings.load_profile("house")


# Thousands of collected tests and the modules they load live to the end: the collector
# of garbage need not look at them while they come to be, nor ever again.
def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--solvers",
        default=",".join(SOLVERS),
        help="names of the solvers to run the contract suite on, default all",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "solver" in metafunc.fixturenames:
        names = metafunc.config.getoption("--solvers").split(",")
        metafunc.parametrize("solver", names, indirect=True)


@pytest.fixture
def solver(request: pytest.FixtureRequest) -> Solver:
    """Solver under its name; skipped where its library is missing."""
    try:
        return load(request.param)
    except (SolverNotInstalledError, ImportError) as missing:
        pytest.skip(f"{request.param}: {missing}")


@pytest.fixture
def slurm_cluster(running_slurm: SlurmCluster) -> SlurmCluster:
    """A running cluster without jobs; skipped where Slurm is not installed."""
    running_slurm.clear()
    return running_slurm


@pytest.fixture(scope="session")
def running_slurm() -> Iterator[SlurmCluster]:
    """The cluster of all tests, with what the last one left in it."""
    if reason := missing():
        pytest.skip(f"Slurm: {reason}")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster = SlurmCluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def kubernetes_server() -> Iterator[KubernetesServer]:
    """A running control plane; skipped where its programs are not built."""
    pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")
    if reason := kubernetes_missing():
        pytest.skip(f"Kubernetes: {reason}")
    with running_kubernetes() as server:
        yield server


@pytest.fixture
def namespace(kubernetes_server: KubernetesServer) -> Namespace:
    """A namespace of one's own."""
    return Namespace(kubernetes_server, kubernetes_server.admin.new_namespace())


@pytest.fixture(scope="session")
def ledger_server() -> Iterator[Server]:
    """A running server; skipped where PostgreSQL is not installed."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def site_of_each_store(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site, for each store that may keep its ledger."""
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("ledger_server").new_database()
    with a_site(url) as site:
        yield site
