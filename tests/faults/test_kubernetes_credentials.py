"""Whose credentials the Kubernetes back end uses, and what it tells without any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")

from planner.executor.backends.backend import Phase
from planner.executor.errors import BackendError, NotTakenError
from tests.factories_orders import order_of
from tests.kubernetes_api import Cluster, kubernetes_api, kubernetes_in


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with kubernetes_api() as running:
        yield running


def test_se09_neither_token_nor_password_is_in_an_error(
    cluster: Cluster, tmp_path: Path
) -> None:
    kubeconfig = cluster.kubeconfig(tmp_path, token="wrong-canary")
    backend = kubernetes_in(tmp_path, {"KUBECONFIG": str(kubeconfig)}, image="i")
    with pytest.raises(NotTakenError, match="401") as refused:
        backend.submit(order_of("true"))
    chain: list[BaseException | None] = [refused.value]
    while chain[-1] is not None:
        assert "canary" not in str(chain[-1])
        chain.append(chain[-1].__cause__ or chain[-1].__context__)


@pytest.mark.parametrize("text", [None, "", "[1]", "a: [", "clusters: {}"])
def test_without_usable_credentials_nothing_is_taken(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    backend = kubernetes_in(tmp_path, {"KUBECONFIG": str(path)}, image="i")
    with pytest.raises(NotTakenError, match="no access to Kubernetes"):
        backend.submit(order_of("true"))
    with pytest.raises(BackendError, match="no access"):
        backend.look_up(order_of("true").key)


def test_the_client_is_pointed_at_by_the_executors_environment_alone(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    backend = cluster.backend(tmp_path)
    assert backend.submit(order_of("true")).phase is Phase.WAITING
    assert os.environ["KUBECONFIG"] == "/nowhere"


def test_a_kubeconfig_of_the_settings_lies_in_the_workspace(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.kubeconfig(tmp_path)
    environ = {"KUBECONFIG": "/nowhere"}
    backend = kubernetes_in(tmp_path, environ, image="i", kubeconfig="kubeconfig")
    assert backend.submit(order_of("true")).phase is Phase.WAITING
