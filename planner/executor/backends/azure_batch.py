"""Runs jobs as tasks of a job on Azure Batch.

The key is the task's id, which exists once in its job: a second one is refused, and
what is there is taken over only if it carries the digest of what was ordered.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from planner.executor.backends.azure_task import (
    AzureSettings,
    is_ours,
    output_of,
    report_of,
    task_of,
)
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.clients import Clients
from planner.executor.backends.deadline import CallLimits, within
from planner.executor.backends.everywhere import first_known, longest_settle
from planner.executor.backends.one_id import Clash, ended_where_known, taken_over
from planner.executor.backends.registry import Place
from planner.executor.backends.requests_faults import never_sent
from planner.executor.backends.secret_variable import secret_text
from planner.executor.backends.settings import Regional, read_settings
from planner.executor.backends.statuses import MISREAD, error_for
from planner.executor.backends.wording import one_line
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    UncertainError,
)
from planner.executor.keys import KEY_PATTERN

NAME = "azure_batch"
VARIABLE = "PLANNER_AZURE_BATCH_KEY"


class AzureBatch:
    """Back end ``azure_batch``.

    Parameters
    ----------
    settings
        Account and job of each region; never taken from a job of the planner.
    connect
        Makes the client for one account.
    limits
        How long Azure may take.
    """

    name = NAME
    refuses_repeats = False
    at_once = 8

    def __init__(
        self,
        settings: Regional[AzureSettings],
        *,
        connect: Callable[[AzureSettings, CallLimits], Any],
        limits: CallLimits | None = None,
    ) -> None:
        self._settings = settings
        self._limits = limits or CallLimits()
        self._clients = Clients[AzureSettings](
            lambda place: connect(place, self._limits),
            place_of=lambda place: place.account_url,
        )

    @property
    def settle(self) -> timedelta:
        """The longest that any region asks for."""
        return longest_settle(self._settings)

    def submit(self, order: Order) -> Report:
        """Add the task, or take over the one of its id if that is ours."""
        settings = self._settings.of(order.region)
        task = task_of(order, settings)
        with self._clients.lent(settings) as client, _telling_whether_taken() as clash:
            self._call(lambda: _add(client, settings.job_id, task))
        if clash.is_there:
            return self._taken_over(order, settings)
        return report_of({"id": order.key, "state": "active"}, settings)

    def look_up(self, key: str) -> Report:
        """Get the task of that id in every job of the settings."""
        return first_known(
            self._settings.distinct(), lambda settings: self._report(settings, key)
        )

    def status(self, key: str, handle: str | None) -> Report:
        """Get the task; the handle says nothing that the key does not."""
        return self.look_up(key)

    def cancel(self, key: str, handle: str | None) -> Report:
        """End the task, begun or not. An absent key cannot be closed at Azure."""
        return ended_where_known(
            self._settings.distinct(),
            lambda settings: self._report(settings, key),
            lambda settings: self._ended(settings, key),
        )

    def logs(self, key: str, handle: str | None) -> Logs:
        """Addresses of the task's files at Azure; asks nobody."""
        return Logs(
            stdout=output_of(handle, "stdout"), stderr=output_of(handle, "stderr")
        )

    def _ended(self, settings: AzureSettings, key: str) -> Report:
        with self._clients.lent(settings) as client, _telling_what_failed():
            self._call(lambda: client.terminate_task(settings.job_id, key))
        return self._report(settings, key)

    def _taken_over(self, order: Order, settings: AzureSettings) -> Report:
        task = taken_over(
            lambda: self._get(settings, order.key),
            lambda task: is_ours(task, order),
            kind="task",
            name=f"task {order.key} of {settings.job_id}",
        )
        return report_of(task, settings)

    def _report(self, settings: AzureSettings, key: str) -> Report:
        task = self._get(settings, key)
        return Report(phase=Phase.ABSENT) if task is None else report_of(task, settings)

    def _get(self, settings: AzureSettings, key: str) -> dict[str, Any] | None:
        """The task of a key, None if there surely is none."""
        if not KEY_PATTERN.fullmatch(key):
            raise BackendError(f"{one_line(key)!r} is not a key")
        with self._clients.lent(settings) as client, _telling_what_failed():
            from azure.core.exceptions import ResourceNotFoundError

            try:
                task: dict[str, Any] = self._call(
                    lambda: client.get_task(settings.job_id, key).as_dict()
                )
            except ResourceNotFoundError as error:
                if _code(error) != "TaskNotFound":
                    raise
                return None
        if task.get("id") != key:
            raise BackendError("Azure Batch answers about no task")
        return task

    def _call(self, call: Callable[[], Any]) -> Any:
        return within(self._limits.total_s, call)


def in_workspace(place: Place) -> AzureBatch:
    """The back end as ``[executor.azure_batch]`` sets it up."""

    def connect(settings: AzureSettings, limits: CallLimits) -> Any:
        return client_for(settings, limits, place.environ)

    settings = read_settings(AzureSettings, place.settings, NAME)
    return AzureBatch(settings, connect=connect)


def client_for(
    settings: AzureSettings,
    limits: CallLimits,
    environ: Mapping[str, str],
    **options: Any,
) -> Any:
    """Azure's own client, which sends everything once.

    Raises
    ------
    NotTakenError
        If the library or the credentials are missing.
    """
    try:
        from azure.batch import BatchClient
    except ImportError as error:
        raise NotTakenError(
            "Azure Batch needs `pip install carbon-batch-planner[azure]`"
        ) from error
    facts: dict[str, Any] = {
        "endpoint": settings.account_url,
        "credential": _credential(settings, environ),
        "retry_total": 0,
        "permit_redirects": False,
        "connection_timeout": limits.connect_s,
        "read_timeout": limits.silent_s,
    }
    try:
        return BatchClient(**(facts | options))
    except ValueError as error:
        raise NotTakenError("Azure Batch cannot be set up") from error


def _credential(settings: AzureSettings, environ: Mapping[str, str]) -> Any:
    """The account's key if there is one, else what azure-identity finds."""
    from azure.core.credentials import AzureNamedKeyCredential

    key = secret_text(environ, VARIABLE)
    if key and _is_base64(key):
        return AzureNamedKeyCredential(settings.account, key)
    if key:
        # Azure's library would say so while it sends, and quote the key.
        raise NotTakenError(f"Azure Batch: {VARIABLE} is no key: expected base64")
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise NotTakenError(
            f"Azure Batch: set {VARIABLE}, or {VARIABLE}_FILE to a file, to the "
            "account's key, or install azure-identity"
        ) from error
    return DefaultAzureCredential()


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True


def _add(client: Any, job_id: str, task: Mapping[str, Any]) -> None:
    from azure.batch.models import BatchTaskCreateOptions

    client.create_task(job_id, BatchTaskCreateOptions(task))


@contextmanager
def _telling_what_failed() -> Iterator[None]:
    """A fault of a call that may be repeated; ending what has ended is none."""
    from azure.core.exceptions import AzureError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        if (error.status_code, _code(error)) != (409, "TaskCompleted"):
            raise BackendError(_said(error)) from error
    except (AzureError, OSError, *MISREAD) as error:
        raise BackendError(_said(error)) from error


@contextmanager
def _telling_whether_taken() -> Iterator[Clash]:
    """A fault of an addition by what it tells about the task."""
    from azure.core.exceptions import AzureError, HttpResponseError

    clash = Clash()
    try:
        yield clash
    except HttpResponseError as error:
        clash.is_there = error.status_code == 409 and _code(error) == "TaskExists"
        if not clash.is_there:
            raise error_for(error.status_code, _said(error)) from error
    except (AzureError, OSError, *MISREAD) as error:
        unsent = never_sent(error)
        raise (NotTakenError if unsent else UncertainError)(_said(error)) from error


def _code(error: Any) -> str | None:
    """Azure's own code in an answer, None if it is not Azure's."""
    code = getattr(getattr(error, "model", None), "code", None)
    return code if isinstance(code, str) else None


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "Azure Batch: no whole answer in time"
    return f"Azure Batch: {one_line(error)}"
