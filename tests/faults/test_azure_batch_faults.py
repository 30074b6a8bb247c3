"""Azure Batch that is slow, rude or gone: no task twice, and no false word of it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from planner.executor.backends.azure_batch import AzureBatch, client_for
from planner.executor.backends.azure_task import AzureSettings
from planner.executor.backends.backend import Phase
from planner.executor.backends.settings import read_settings
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests.azure_cloud import SECRET, TABLE, Azure, azure_at, azure_cloud, error
from tests.call_limits import SHORT, limits_for
from tests.factories_executor import order
from tests.replay_servers import (
    Fault,
    ReplayServer,
    closed_port,
    drip_body,
    full_backlog,
    hang,
    page,
    redirect,
    replying,
    reset,
)

pytest.importorskip("azure.batch", reason="azure-batch is not installed")


@pytest.fixture
def azure() -> Iterator[tuple[Azure, ReplayServer]]:
    with azure_cloud() as both:
        yield both


def refusing(status: int, code: str) -> Fault:
    return replying(status, error(status, code).body)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (hang, UncertainError),
        (drip_body, UncertainError),
        (reset, UncertainError),
        (page("text/html"), UncertainError),
        (replying(200, {}), UncertainError),
        (redirect("/elsewhere", 307), UncertainError),
        (refusing(408, "OperationTimedOut"), UncertainError),
        (refusing(500, "InternalError"), UncertainError),
        (refusing(503, "ServerBusy"), UncertainError),
        (refusing(400, "InvalidRequestBody"), RejectedError),
        (refusing(404, "JobNotFound"), RejectedError),
        (refusing(409, "JobCompleted"), RejectedError),
        (refusing(401, "Unauthorized"), NotTakenError),
        (refusing(403, "AuthenticationFailed"), NotTakenError),
        (refusing(429, "TooManyRequests"), NotTakenError),
    ],
)
def test_a_fault_of_the_addition_is_told_truly_and_nothing_is_sent_again(
    azure: tuple[Azure, ReplayServer], fault: Fault, kind: type[BackendError]
) -> None:
    _, server = azure
    server.misbehave(forever=fault)
    with pytest.raises(BackendError) as told:
        azure_at(server.url, limits=limits_for(fault)).submit(order())
    assert type(told.value) is kind
    assert len(server.seen) == 1
    assert SECRET not in str(told.value)


def test_where_no_connection_comes_about_nothing_is_taken() -> None:
    with pytest.raises(NotTakenError):
        azure_at(closed_port()).submit(order())
    with full_backlog() as url, pytest.raises(NotTakenError):
        azure_at(url, limits=SHORT).submit(order())


@pytest.mark.parametrize(
    "fault",
    [
        hang,
        reset,
        page("text/html"),
        replying(404, b"<html>not found</html>"),
        replying(404, {"message": "no route"}),
        refusing(404, "JobNotFound"),
        refusing(500, "InternalError"),
    ],
)
def test_ex06_a_look_up_that_fails_is_no_absence(
    azure: tuple[Azure, ReplayServer], fault: Fault
) -> None:
    _, server = azure
    server.misbehave(forever=fault)
    with pytest.raises(BackendError):
        azure_at(server.url, limits=limits_for(fault)).look_up(order().key)


def test_ex17_a_repeat_takes_over_what_is_ours(
    azure: tuple[Azure, ReplayServer],
) -> None:
    account, server = azure
    backend = azure_at(server.url)
    backend.submit(order())
    account.tasks[order().key]["state"] = "running"
    assert backend.submit(order()).phase is Phase.RUNNING
    assert account.added == [order().key]


@pytest.mark.parametrize(
    "changes", [{"command": ("false",)}, {"image": "other"}, {"env": {"A": "1"}}]
)
def test_ex17_a_task_of_that_id_that_is_not_ours_is_an_error(
    azure: tuple[Azure, ReplayServer], changes: dict[str, Any]
) -> None:
    _, server = azure
    backend = azure_at(server.url)
    backend.submit(order())
    with pytest.raises(RejectedError, match="is not this order"):
        backend.submit(order(**changes))


def test_ex17_a_task_that_cannot_be_looked_at_may_be_ours(
    azure: tuple[Azure, ReplayServer],
) -> None:
    _, server = azure
    exists = refusing(409, "TaskExists")
    server.misbehave(exists, forever=refusing(500, "InternalError"))
    with pytest.raises(UncertainError, match="cannot be looked at"):
        azure_at(server.url).submit(order())


def test_a_task_is_followed_to_its_end_and_cancelled(
    azure: tuple[Azure, ReplayServer],
) -> None:
    account, server = azure
    backend = azure_at(server.url)
    handle = backend.submit(order()).handle
    assert backend.status(order().key, handle).phase is Phase.WAITING
    assert backend.cancel(order().key, handle).phase is Phase.CANCELLED
    assert backend.cancel(order().key, handle).phase is Phase.CANCELLED
    assert backend.cancel(order("other").key, None).phase is Phase.ABSENT
    failed = order("failed")
    backend.submit(failed)
    account.end(failed.key, "failure", exitCode=3)
    assert backend.look_up(failed.key).exit_code == 3


def test_a_task_that_ends_while_it_is_cancelled_keeps_its_own_end(
    azure: tuple[Azure, ReplayServer],
) -> None:
    account, server = azure
    backend = azure_at(server.url)
    backend.submit(order())
    still = dict(account.tasks[order().key])
    account.end(order().key, "success", exitCode=0)
    server.misbehave(replying(200, still))
    assert backend.cancel(order().key, None).phase is Phase.DONE


@pytest.mark.skipif(
    find_spec("azure.identity") is not None, reason="azure-identity is installed"
)
def test_without_credentials_nothing_is_sent() -> None:
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
