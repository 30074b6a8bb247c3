"""The Kubernetes API by its own client library, and what its errors mean.

Answers are read as plain JSON: the library's models change with its releases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import finalize

from planner.executor.backends.kubernetes_manifest import (
    DOMAIN,
    MANAGED_BY,
    Manifest,
    Settings,
)
from planner.executor.backends.wording import one_line
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)

MISSING = (
    "the Kubernetes client is not installed; "
    "pip install carbon-batch-planner[kubernetes]"
)
_PAGE = 500
_NOT_FOUND, _CONFLICT = 404, 409
_REFUSED = {400, 413, 415, 422}
_NOT_NOW = {401, 403, 404, 405, 429}


_MALFORMED = (AttributeError, LookupError, TypeError, ValueError)
"""What the client library raises on a file of another shape."""


class AlreadyThereError(Exception):
    """The name of a Job is taken."""


class AnswerError(Exception):
    """What was answered cannot be meant by a Kubernetes API."""


class KubernetesClient:
    """Jobs and pods of one namespace.

    Parameters
    ----------
    settings
        Which cluster and namespace, and how long to wait.
    environ
        The executor's variables: KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST.
    workspace
        What a relative path of the settings is relative to.

    Raises
    ------
    BackendError
        If the library is missing or there are no usable credentials.
    """

    def __init__(
        self, settings: Settings, *, environ: Mapping[str, str], workspace: Path
    ) -> None:
        try:
            from kubernetes import client
        except ImportError as error:
            raise BackendError(MISSING) from error
        api = client.ApiClient(_configuration(settings, environ, workspace))
        self._batch = client.BatchV1Api(api)
        self._core = client.CoreV1Api(api)
        self._namespace = settings.namespace
        self._limit_s = settings.limit_s
        # Its connections would stay open until the process ends.
        finalize(self, api.rest_client.pool_manager.clear)

    def create(self, manifest: Manifest) -> Manifest:
        """Make a Job; the server's own copy of it.

        Raises
        ------
        AlreadyThereError
            If there is a Job of that name.
        RejectedError, NotTakenError, UncertainError
            As ``Backend.submit`` has them.
        """
        with _submitting():
            job: Manifest = self._ask(
                self._batch.create_namespaced_job, self._namespace, body=manifest
            )
            return job

    def job(self, name: str) -> Manifest | None:
        """A Job, None if there is none of that name."""
        found: Manifest | None = None
        with _asking():
            try:
                found = self._ask(
                    self._batch.read_namespaced_job, name, self._namespace
                )
            except _status_error() as error:
                if error.status != _NOT_FOUND or not _is_about_a_job(error):
                    raise
        return found

    def jobs(self) -> dict[str, Manifest]:
        """All Jobs that this program made in the namespace, by name."""
        selector = f"{MANAGED_BY}={DOMAIN}"
        found: dict[str, Manifest] = {}
        more: dict[str, Any] = {}
        with _asking():
            while True:
                page = self._ask(
                    self._batch.list_namespaced_job,
                    self._namespace,
                    label_selector=selector,
                    limit=_PAGE,
                    **more,
                )
                found |= {job["metadata"]["name"]: job for job in page["items"]}
                token = page["metadata"].get("continue")
                if not token:
                    return found
                more = {"_continue": token}

    def pods(self, name: str) -> list[Manifest]:
        """Pods of a Job."""
        with _asking():
            page = self._ask(
                self._core.list_namespaced_pod,
                self._namespace,
                label_selector=f"job-name={name}",
                limit=_PAGE,
            )
        pods: list[Manifest] = page["items"]
        return pods

    def delete(self, job: Manifest) -> None:
        """Have exactly this Job and its pods ended and removed; gone is good, too."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Foreground",
            "preconditions": {"uid": job["metadata"]["uid"]},
        }
        name = job["metadata"]["name"]
        with _asking():
            try:
                self._ask(
                    self._batch.delete_namespaced_job, name, self._namespace, body=body
                )
            except _status_error() as error:
                if error.status not in (_NOT_FOUND, _CONFLICT):
                    raise

    def _ask(self, call: Callable[..., Any], *words: str, **options: Any) -> Any:
        # A pair: releases before 36 pass over a single number that is not whole.
        limits = (self._limit_s, self._limit_s)
        response = call(
            *words, **options, _preload_content=False, _request_timeout=limits
        )
        try:
            return _checked(json.loads(response.data))
        except ValueError as error:
            raise AnswerError("its answer is no JSON") from error
        finally:
            response.release_conn()


def _checked(answer: Any) -> Any:
    """A Job, or a list, or the Status that a deletion may answer."""
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return answer
    jobs = answer.get("items", [answer]) if isinstance(answer, dict) else [None]
    for job in jobs if isinstance(jobs, list) else [None]:
        facts = job.get("metadata") if isinstance(job, dict) else None
        if not isinstance(facts, dict) or not {"name", "uid"} <= facts.keys():
            raise AnswerError("its answer is neither a Job nor a list")
    return answer


def _configuration(
    settings: Settings, environ: Mapping[str, str], workspace: Path
) -> Any:
    from kubernetes import client, config
    from yaml import YAMLError

    load_inside: Any = config.load_incluster_config
    load_file: Any = config.load_kube_config
    configuration = client.Configuration()
    # A request that is repeated unseen would make its time limit and its error lie.
    configuration.retries = False
    home = Path(environ.get("HOME", "/")) / ".kube" / "config"
    path = environ.get("KUBECONFIG")
    if settings.kubeconfig is not None:
        path = str(workspace / settings.kubeconfig)
    try:
        if path is None and not home.exists() and _is_inside(environ):
            load_inside(configuration)
        else:
            load_file(
                config_file=path or str(home),
                context=settings.context,
                client_configuration=configuration,
            )
    except (config.ConfigException, YAMLError, OSError, *_MALFORMED) as error:
        raise BackendError(f"no access to Kubernetes: {one_line(error)}") from error
    return configuration


def _is_inside(environ: Mapping[str, str]) -> bool:
    return "KUBERNETES_SERVICE_HOST" in environ


@contextmanager
def _submitting() -> Iterator[None]:
    """Say whether the order was taken."""
    from urllib3 import exceptions as http

    try:
        yield
    except _status_error() as error:
        raise _refusal(error) from error
    except (http.NewConnectionError, http.ConnectTimeoutError) as error:
        raise NotTakenError(f"Kubernetes: {one_line(error)}") from error
    except (http.HTTPError, OSError, AnswerError) as error:
        raise UncertainError(f"Kubernetes: {one_line(error)}") from error
    except _MALFORMED as error:  # by the client, before it sends
        raise RejectedError(f"Kubernetes: {one_line(error)}") from error


@contextmanager
def _asking() -> Iterator[None]:
    from urllib3 import exceptions as http

    try:
        yield
    except _status_error() as error:
        raise BackendError(_said(error)) from error
    except (http.HTTPError, OSError, AnswerError, *_MALFORMED) as error:
        raise BackendError(f"Kubernetes: {one_line(error)}") from error


def _refusal(error: Any) -> Exception:
    if error.status == _CONFLICT:
        return AlreadyThereError()
    if error.status in _REFUSED:
        return RejectedError(_said(error))
    if error.status in _NOT_NOW:
        return NotTakenError(_said(error))
    return UncertainError(_said(error))


def _status_error() -> Any:
    from kubernetes.client.exceptions import ApiException

    return ApiException


def _is_about_a_job(error: Any) -> bool:
    """Whether the Job is not there, rather than the API or a proxy's page."""
    details = _body(error).get("details")
    return isinstance(details, dict) and details.get("kind") in ("jobs", "Job")


def _said(error: Any) -> str:
    message = _body(error).get("message") or error.reason or "no reason given"
    return f"Kubernetes says {error.status}: {one_line(message)}"


def _body(error: Any) -> dict[str, Any]:
    try:
        body = json.loads(error.body or "")
    except (TypeError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}
