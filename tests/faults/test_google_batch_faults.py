"""Google Cloud Batch that is slow, rude or gone: no job twice, no false word of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from planner.executor.backends.backend import Phase
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests.call_limits import SHORT, limits_for
from tests.factories_executor import order
from tests.google_cloud import Google, error, google_at, google_cloud
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

pytest.importorskip("google.cloud.batch_v1", reason="it is not installed")


@pytest.fixture
def google() -> Iterator[tuple[Google, ReplayServer]]:
    with google_cloud() as both:
        yield both


def refusing(code: int, status: str) -> Fault:
    said = error(code, status, "said Google")
    return replying(code, said.body)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (hang, UncertainError),
        (drip_body, UncertainError),
        (reset, UncertainError),
        (page("text/html"), UncertainError),
        (replying(200, {}), UncertainError),
        (redirect("/elsewhere", 303), UncertainError),
        (refusing(500, "INTERNAL"), UncertainError),
        (refusing(503, "UNAVAILABLE"), UncertainError),
        (refusing(504, "DEADLINE_EXCEEDED"), UncertainError),
        (refusing(400, "INVALID_ARGUMENT"), RejectedError),
        (refusing(404, "NOT_FOUND"), RejectedError),
        (refusing(401, "UNAUTHENTICATED"), NotTakenError),
        (refusing(403, "PERMISSION_DENIED"), NotTakenError),
        (refusing(429, "RESOURCE_EXHAUSTED"), NotTakenError),
    ],
)
def test_a_fault_of_the_creation_is_told_truly_and_nothing_is_sent_again(
    google: tuple[Google, ReplayServer], fault: Fault, kind: type[BackendError]
) -> None:
    _, server = google
    server.misbehave(forever=fault)
    with pytest.raises(BackendError) as told:
        google_at(server.url, limits=limits_for(fault)).submit(order())
    assert type(told.value) is kind
    assert [seen.method for seen in server.seen].count("POST") == 1


def test_where_no_connection_comes_about_nothing_is_taken() -> None:
    with pytest.raises(NotTakenError):
        google_at(closed_port()).submit(order())
    with full_backlog() as url, pytest.raises(NotTakenError):
        google_at(url, limits=SHORT).submit(order())


@pytest.mark.parametrize(
    "fault",
    [
        hang,
        reset,
        page("text/html"),
        replying(404, b"<html>not found</html>"),
        replying(404, {"message": "no route"}),
        refusing(500, "INTERNAL"),
        refusing(403, "PERMISSION_DENIED"),
    ],
)
def test_ex06_a_look_up_that_fails_is_no_absence(
    google: tuple[Google, ReplayServer], fault: Fault
) -> None:
    _, server = google
    server.misbehave(forever=fault)
    with pytest.raises(BackendError):
        google_at(server.url, limits=limits_for(fault)).look_up(order().key)


def test_a_repeat_within_the_hour_is_the_same_job(
    google: tuple[Google, ReplayServer],
) -> None:
    cloud, server = google
    backend = google_at(server.url)
    first, second = backend.submit(order()), backend.submit(order())
    assert first == second
    assert cloud.created == [order().key]


def test_ex17_a_repeat_after_the_hour_takes_over_what_is_ours(
    google: tuple[Google, ReplayServer],
) -> None:
    cloud, server = google
    backend = google_at(server.url)
    backend.submit(order())
    cloud.requests.clear()
    cloud.move(order().key, "RUNNING")
    assert backend.submit(order()).phase is Phase.RUNNING
    assert cloud.created == [order().key]


@pytest.mark.parametrize(
    "changes", [{"command": ("false",)}, {"image": "other"}, {"env": {"A": "1"}}]
)
def test_ex17_a_job_of_that_id_that_is_not_ours_is_an_error(
    google: tuple[Google, ReplayServer], changes: dict[str, Any]
) -> None:
    cloud, server = google
    backend = google_at(server.url)
    backend.submit(order())
    cloud.requests.clear()
    with pytest.raises(RejectedError, match="is not this order"):
        backend.submit(order(**changes))


def test_ex17_a_job_that_cannot_be_looked_at_may_be_ours(
    google: tuple[Google, ReplayServer],
) -> None:
    _, server = google
    exists = refusing(409, "ALREADY_EXISTS")
    server.misbehave(exists, forever=refusing(500, "INTERNAL"))
    with pytest.raises(UncertainError, match="cannot be looked at"):
        google_at(server.url).submit(order())


def test_a_job_is_followed_to_its_end_and_cancelled(
    google: tuple[Google, ReplayServer],
) -> None:
    cloud, server = google
    backend = google_at(server.url)
    handle = backend.submit(order()).handle
    cloud.move(order().key, "RUNNING")
    assert backend.status(order().key, handle).phase is Phase.RUNNING
    assert backend.cancel(order().key, handle).phase is Phase.CANCELLED
    assert backend.cancel(order().key, handle).phase is Phase.CANCELLED
    assert backend.cancel(order("other").key, None).phase is Phase.ABSENT
    failed = order("failed")
    backend.submit(failed)
    cloud.move(failed.key, "FAILED", taskExecution={"exitCode": 3})
    assert backend.look_up(failed.key).exit_code == 3
