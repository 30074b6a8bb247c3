"""What is peculiar to Azure Batch: an end of its own in between, and its key."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from planner.executor.backends.azure_batch import AzureBatch, client_for
from planner.executor.backends.azure_task import AzureSettings
from planner.executor.backends.backend import Phase
from planner.executor.backends.settings import read_settings
from planner.executor.errors import NotTakenError
from tests.azure_cloud import TABLE, azure_at, azure_cloud
from tests.factories_executor import order
from tests.replay_servers import replying


@pytest.fixture(autouse=True, scope="module")
def library() -> None:
    pytest.importorskip("azure.batch", reason="azure-batch is not installed")


def test_a_task_that_ends_while_it_is_cancelled_keeps_its_own_end() -> None:
    with azure_cloud() as (account, server):
        backend = azure_at(server.url)
        backend.submit(order())
        still = dict(account.tasks[order().key])
        account.end(order().key, "success", exitCode=0)
        server.misbehave(replying(200, still))
        assert backend.cancel(order().key, None).phase is Phase.DONE


def test_without_credentials_nothing_is_sent() -> None:
    if find_spec("azure.identity") is not None:
        pytest.skip("azure-identity is installed")
    settings = read_settings(AzureSettings, {"azure_batch": TABLE}, "azure_batch")
    backend = AzureBatch(
        settings, connect=lambda place, limits: client_for(place, limits, {})
    )
    with pytest.raises(NotTakenError, match="PLANNER_AZURE_BATCH_KEY_FILE"):
        backend.submit(order())


def test_a_key_that_is_none_is_not_used_and_not_shown() -> None:
    settings = read_settings(AzureSettings, {"azure_batch": TABLE}, "azure_batch")
    environ = {"PLANNER_AZURE_BATCH_KEY": "canary, and no base64"}
    backend = AzureBatch(
        settings, connect=lambda place, limits: client_for(place, limits, environ)
    )
    with pytest.raises(NotTakenError, match="expected base64") as told:
        backend.submit(order())
    assert "canary" not in str(told.value)
