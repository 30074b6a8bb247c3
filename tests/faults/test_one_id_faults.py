"""Google's and Azure's batch, slow, rude or gone: nothing twice, no false word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from planner.executor.backends.backend import Backend, Phase
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests import azure_cloud, google_cloud
from tests.call_limits import SHORT, limits_for
from tests.cloud_sides import AzureSide, GoogleSide
from tests.factories_executor import order
from tests.replay_servers import (
    Fault,
    Reply,
    closed_port,
    drip_body,
    full_backlog,
    hang,
    page,
    redirect,
    replying,
    reset,
)


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What differs between the two.

    Parameters
    ----------
    library
        Of the service itself.
    side
        The service.
    at
        The back end, by the service's address.
    said
        The service's own answer of an error.
    exists, broken
        Such errors: the id is taken, and the service has a fault of its own.
    sending, asking
        Faults of a sending and what it has to say of each, and of a look-up; the
        service's own ones by status and code.
    follows
        Whether its library follows a redirect.
    """

    library: str
    side: Callable[[], AzureSide | GoogleSide]
    at: Callable[..., Backend]
    said: Callable[[int, str], Reply]
    exists: tuple[int, str]
    broken: tuple[int, str]
    sending: dict[tuple[int, str] | Fault, type[BackendError]]
    asking: tuple[tuple[int, str], ...]
    follows: bool = False

    def fault(self, told: tuple[int, str] | Fault) -> Fault:
        if not isinstance(told, tuple):
            return told
        return replying(told[0], self.said(*told).body)


ANY_SENDING = dict.fromkeys(
    (hang, drip_body, reset, page("text/html"), replying(200, {})), UncertainError
)
ANY_ASKING = (
    *(hang, reset, page("text/html")),
    replying(404, b"<html>not found</html>"),
    replying(404, {"message": "no route"}),
)
CLOUDS = {
    "azure": Cloud(
        library="azure.batch",
        side=AzureSide,
        at=azure_cloud.azure_at,
        said=azure_cloud.error,
        exists=(409, "TaskExists"),
        broken=(500, "InternalError"),
        sending={
            redirect("/elsewhere", 307): UncertainError,
            (408, "OperationTimedOut"): UncertainError,
            (500, "InternalError"): UncertainError,
            (503, "ServerBusy"): UncertainError,
            (400, "InvalidRequestBody"): RejectedError,
            (404, "JobNotFound"): RejectedError,
            (409, "JobCompleted"): RejectedError,
            (401, "Unauthorized"): NotTakenError,
            (403, "AuthenticationFailed"): NotTakenError,
            (429, "TooManyRequests"): NotTakenError,
        },
        asking=((404, "JobNotFound"), (500, "InternalError")),
    ),
    "google": Cloud(
        library="google.cloud.batch_v1",
        side=GoogleSide,
        at=google_cloud.google_at,
        said=lambda code, status: google_cloud.error(code, status, "said Google"),
        exists=(409, "ALREADY_EXISTS"),
        broken=(500, "INTERNAL"),
        sending={
            redirect("/elsewhere", 303): UncertainError,
            (500, "INTERNAL"): UncertainError,
            (503, "UNAVAILABLE"): UncertainError,
            (504, "DEADLINE_EXCEEDED"): UncertainError,
            (400, "INVALID_ARGUMENT"): RejectedError,
            (404, "NOT_FOUND"): RejectedError,
            (401, "UNAUTHENTICATED"): NotTakenError,
            (403, "PERMISSION_DENIED"): NotTakenError,
            (429, "RESOURCE_EXHAUSTED"): NotTakenError,
        },
        asking=((500, "INTERNAL"), (403, "PERMISSION_DENIED")),
        follows=True,
    ),
}


def named(told: object) -> str:
    if isinstance(told, tuple):
        return "-".join(map(str, told))
    return getattr(told, "__name__", "")


def each(of: Callable[[Cloud], Iterator[Any]]) -> list[Any]:
    return [
        pytest.param(name, *facts, id=f"{name}-{n}-{named(facts[0])}")
        for name, cloud in CLOUDS.items()
        for n, facts in enumerate(of(cloud))
    ]


@pytest.fixture(params=CLOUDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def cloud(name: str) -> Cloud:
    pytest.importorskip(CLOUDS[name].library, reason=f"{name}'s is not installed")
    return CLOUDS[name]


@pytest.fixture
def side(cloud: Cloud) -> Iterator[AzureSide | GoogleSide]:
    side = cloud.side()
    yield side
    side.close()


@pytest.mark.parametrize(
    ("name", "told", "kind"),
    each(lambda cloud: iter((ANY_SENDING | cloud.sending).items())),
)
def test_a_fault_of_the_sending_is_told_truly_and_nothing_is_sent_again(
    cloud: Cloud, side: AzureSide | GoogleSide, told: Any, kind: type[BackendError]
) -> None:
    fault = cloud.fault(told)
    side.server.misbehave(forever=fault)
    with pytest.raises(BackendError) as error:
        cloud.at(side.server.url, limits=limits_for(fault)).submit(order())
    assert type(error.value) is kind
    methods = [seen.method for seen in side.server.seen]
    assert methods.count("POST") == 1
    assert methods == ["POST"] or cloud.follows
    assert azure_cloud.SECRET not in str(error.value)


def test_where_no_connection_comes_about_nothing_is_taken(cloud: Cloud) -> None:
    with pytest.raises(NotTakenError):
        cloud.at(closed_port()).submit(order())
    with full_backlog() as url, pytest.raises(NotTakenError):
        cloud.at(url, limits=SHORT).submit(order())


@pytest.mark.parametrize(
    ("name", "told"), each(lambda cloud: ((t,) for t in (*ANY_ASKING, *cloud.asking)))
)
def test_ex06_a_look_up_that_fails_is_no_absence(
    cloud: Cloud, side: AzureSide | GoogleSide, told: Any
) -> None:
    fault = cloud.fault(told)
    side.server.misbehave(forever=fault)
    with pytest.raises(BackendError):
        cloud.at(side.server.url, limits=limits_for(fault)).look_up(order().key)


def test_ex17_a_repeat_takes_over_what_is_ours(side: AzureSide | GoogleSide) -> None:
    side.backend().submit(order())
    side.forget_requests()
    side.begin(order())
    assert side.backend().submit(order()).phase is Phase.RUNNING
    assert side.runs(order()) == 1


@pytest.mark.parametrize(
    "changes", [{"command": ("false",)}, {"image": "other"}, {"env": {"A": "1"}}]
)
def test_ex17_what_has_that_id_and_is_not_ours_is_an_error(
    side: AzureSide | GoogleSide, changes: dict[str, Any]
) -> None:
    backend = side.backend()
    backend.submit(order())
    side.forget_requests()
    with pytest.raises(RejectedError, match="is not this order"):
        backend.submit(order(**changes))


def test_ex17_what_cannot_be_looked_at_may_be_ours(
    cloud: Cloud, side: AzureSide | GoogleSide
) -> None:
    exists, broken = cloud.fault(cloud.exists), cloud.fault(cloud.broken)
    side.server.misbehave(exists, forever=broken)
    with pytest.raises(UncertainError, match="cannot be looked at"):
        side.backend().submit(order())


def test_a_run_is_followed_to_its_end_and_cancelled(
    side: AzureSide | GoogleSide,
) -> None:
    backend = side.backend()
    handle = backend.submit(order()).handle
    assert backend.status(order().key, handle).phase is Phase.WAITING
    side.begin(order())
    assert backend.status(order().key, handle).phase is Phase.RUNNING
    assert backend.cancel(order().key, handle).phase is Phase.CANCELLED
    assert backend.cancel(order().key, handle).phase is Phase.CANCELLED
    assert backend.cancel(order("other").key, None).phase is Phase.ABSENT
    failed = side.order(exit_code=3)
    backend.submit(failed)
    side.end(failed)
    assert backend.look_up(failed.key).exit_code == 3
