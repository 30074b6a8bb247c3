"""Runs jobs on Google Cloud Batch.

The key is the job's id, which exists once in a location: a second creation is refused,
and what is there is taken over only if its labels say that it is what was ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.clients import Clients
from planner.executor.backends.deadline import CallLimits, within
from planner.executor.backends.everywhere import first_known, longest_settle
from planner.executor.backends.google_job import (
    GoogleSettings,
    is_ours,
    job_of,
    log_of,
    report_of,
    request_id,
)
from planner.executor.backends.one_id import Clash, ended_where_known, taken_over
from planner.executor.backends.registry import Place
from planner.executor.backends.requests_faults import never_sent
from planner.executor.backends.settings import Regional, read_settings
from planner.executor.backends.statuses import MISREAD, error_for
from planner.executor.backends.wording import one_line
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    UncertainError,
)
from planner.executor.keys import KEY_PATTERN

NAME = "google_batch"


class GoogleBatch:
    """Back end ``google_batch``.

    Parameters
    ----------
    settings
        Project and location of each region; never taken from a job.
    connect
        Makes the client for one address.
    limits
        How long Google may take.
    """

    name = NAME
    refuses_repeats = False
    at_once = 8

    def __init__(
        self,
        settings: Regional[GoogleSettings],
        *,
        connect: Callable[[GoogleSettings], Any] | None = None,
        limits: CallLimits | None = None,
    ) -> None:
        self._settings = settings
        self._clients = Clients(connect or _client, place_of=lambda s: s.api_endpoint)
        self._limits = limits or CallLimits()

    @property
    def settle(self) -> timedelta:
        """The longest that any region asks for."""
        return longest_settle(self._settings)

    def submit(self, order: Order) -> Report:
        """Create the job, or take over the one of its id if that is ours."""
        settings = self._settings.of(order.region)
        request = {
            "parent": settings.parent,
            "job_id": order.key,
            "job": job_of(order, settings),
            "request_id": request_id(order.key),
        }
        with self._clients.lent(settings) as client, _telling_whether_taken() as clash:
            job = self._call(client.create_job, request)
        if clash.is_there:
            return self._taken_over(order, settings)
        if not job["name"].endswith(f"/{order.key}"):
            raise UncertainError("Google Cloud Batch answers about no job")
        return report_of(job)

    def look_up(self, key: str) -> Report:
        """Get the job of that id in every location of the settings."""
        return first_known(
            self._settings.distinct(), lambda settings: self._report(settings, key)
        )

    def status(self, key: str, handle: str | None) -> Report:
        """Get the job; the handle says nothing that the key does not."""
        return self.look_up(key)

    def cancel(self, key: str, handle: str | None) -> Report:
        """End the job, begun or not. An absent key cannot be closed at Google."""
        return ended_where_known(
            self._settings.distinct(),
            lambda settings: self._report(settings, key),
            lambda settings: self._ended(settings, key),
        )

    def logs(self, key: str, handle: str | None) -> Logs:
        """Query for Cloud Logging; asks nobody."""
        query = log_of(key)
        return Logs(stdout=query, stderr=query)

    def _ended(self, settings: GoogleSettings, key: str) -> Report:
        name = settings.job_name(key)
        with self._clients.lent(settings) as client, _telling_what_failed():
            # The operation need not be waited for: the job shows its end.
            self._call(
                client.cancel_job, {"name": name}, read=lambda operation: operation
            )
        return self._report(settings, key)

    def _taken_over(self, order: Order, settings: GoogleSettings) -> Report:
        job = taken_over(
            lambda: self._get(settings, order.key),
            lambda job: is_ours(job, order),
            kind="job",
            name=settings.job_name(order.key),
        )
        return report_of(job)

    def _report(self, settings: GoogleSettings, key: str) -> Report:
        job = self._get(settings, key)
        return Report(phase=Phase.ABSENT) if job is None else report_of(job)

    def _get(self, settings: GoogleSettings, key: str) -> dict[str, Any] | None:
        """The job of a key as names and values, None if there surely is none."""
        if not KEY_PATTERN.fullmatch(key):
            raise BackendError(f"{one_line(key)!r} is not a key")
        with self._clients.lent(settings) as client, _telling_what_failed():
            from google.api_core.exceptions import NotFound

            try:
                job: dict[str, Any] = self._call(
                    client.get_job, {"name": settings.job_name(key)}
                )
            except NotFound as error:
                if not _is_googles_own(error):
                    raise
                return None
        if not job["name"].endswith(f"/{key}"):
            raise BackendError("Google Cloud Batch answers about no job")
        return job

    def _call(
        self, verb: Any, request: Any, read: Callable[[Any], Any] | None = None
    ) -> Any:
        """Answer to a request that is sent once."""
        limits = self._limits
        return within(
            limits.total_s,
            lambda: (read or _as_names)(
                verb(request=request, retry=None, timeout=limits.silent_s)
            ),
        )


def in_workspace(place: Place) -> GoogleBatch:
    """The back end as ``[executor.google_batch]`` sets it up."""
    return GoogleBatch(read_settings(GoogleSettings, place.settings, NAME))


def _client(settings: GoogleSettings) -> Any:
    try:
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import batch_v1
    except ImportError as error:
        raise NotTakenError(
            "Google Cloud Batch needs `pip install carbon-batch-planner[google]`"
        ) from error
    options = {"api_endpoint": settings.api_endpoint} if settings.api_endpoint else {}
    try:
        return batch_v1.BatchServiceClient(transport="rest", client_options=options)
    except (GoogleAuthError, ValueError) as error:
        raise NotTakenError(
            f"Google Cloud Batch cannot be set up: {one_line(error)}"
        ) from error


def _as_names(message: Any) -> dict[str, Any]:
    facts: dict[str, Any] = type(message).to_dict(message, use_integers_for_enums=False)
    return facts


def _is_googles_own(error: Any) -> bool:
    """Whether a 404 is Google's word on the job, and not a proxy's page."""
    try:
        said = error.response.json()["error"]["status"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return bool(said == "NOT_FOUND")


@contextmanager
def _telling_what_failed() -> Iterator[None]:
    """Any fault of a call that changes nothing is a ``BackendError``."""
    try:
        yield
    except _faults() as error:
        raise BackendError(_said(error)) from error


@contextmanager
def _telling_whether_taken() -> Iterator[Clash]:
    """A fault of a creation by what it tells about the job."""
    from google.api_core.exceptions import Conflict, GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError

    clash = Clash()
    try:
        yield clash
    except Conflict:
        clash.is_there = True
    except GoogleAPICallError as error:
        raise error_for(error.code, _said(error)) from error
    except GoogleAuthError as error:
        raise NotTakenError(_said(error)) from error
    except _faults() as error:
        unsent = never_sent(error)
        raise (NotTakenError if unsent else UncertainError)(_said(error)) from error


def _faults() -> tuple[type[Exception], ...]:
    """Everything that a call of Google's client may raise."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.protobuf.json_format import ParseError
    from requests import RequestException

    return (
        GoogleAPIError,
        GoogleAuthError,
        ParseError,
        RequestException,
        OSError,
        *MISREAD,
    )


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "Google Cloud Batch: no whole answer in time"
    return f"Google Cloud Batch: {one_line(error)}"
