"""Runs jobs in a Kubernetes cluster: one batch/v1 Job for each order."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.fingerprint import fingerprint
from planner.executor.backends.kubernetes_client import (
    AlreadyThereError,
    KubernetesClient,
)
from planner.executor.backends.kubernetes_manifest import (
    DIGEST,
    KEY,
    Manifest,
    Settings,
    manifest_of,
)
from planner.executor.backends.kubernetes_report import is_finished, report_of
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import Regional, read_settings
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)

FRESH_S = 1.0
"""One list of Jobs serves all questions of at least this long. [s]"""


class Kubernetes:
    """Back end ``kubernetes``: the Job's name is the key, so there is at most one.

    The name is free again once the cluster has removed a finished Job
    (``keep_days``); until then a second sending finds it taken.

    Parameters
    ----------
    settings
        By region.
    place
        The executor's environment, for credentials.
    timer
        A steady clock. [s]
    """

    name = "kubernetes"
    # An API server may work on a request for 60 s after its client has left.
    settle = timedelta(seconds=90)
    refuses_repeats = False
    at_once = 8

    def __init__(
        self,
        *,
        settings: Regional[Settings],
        place: Place,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._place = place
        self._timer = timer
        self._clients: list[tuple[Settings, KubernetesClient]] = []
        self._lock = threading.Lock()
        self._seen: dict[KubernetesClient, tuple[float, dict[str, Manifest]]] = {}

    def submit(self, order: Order) -> Report:
        """Make the Job; one that is there already is taken over if it is ours."""
        settings = self._settings.of(order.region)
        manifest = manifest_of(order, settings)
        try:
            client = self._client(settings)
        except BackendError as error:
            raise NotTakenError(str(error)) from error
        try:
            job = client.create(manifest)
        except AlreadyThereError:
            return self._taken_over(client, order)
        if settings.queue is not None and job["spec"].get("suspend") is not True:
            client.delete(job)
            raise RejectedError(
                "this Kubernetes is too old for a queue: it dropped spec.suspend; "
                "the Job was deleted, though its pod may have begun"
            )
        return report_of(job, [])

    def look_up(self, key: str) -> Report:
        """The Job of that name, in every namespace of the settings."""
        for settings in self._settings.distinct():
            client = self._client(settings)
            job = client.job(key)
            if job is not None and _is_ours(job, key):
                return report_of(job, client.pods(key))
        return Report(phase=Phase.ABSENT)

    def status(self, key: str, handle: str | None) -> Report:
        """As ``look_up``; one list of Jobs serves many."""
        for settings in self._settings.distinct():
            client = self._client(settings)
            job = self._jobs(client).get(key)
            if job is not None and _is_ours(job, key):
                pods = [] if _has_no_pods(job) else client.pods(key)
                return report_of(job, pods)
        return self.look_up(key)

    def cancel(self, key: str, handle: str | None) -> Report:
        """Delete the Job and its pods, unless it has ended."""
        for settings in self._settings.distinct():
            client = self._client(settings)
            job = client.job(key)
            if job is None or not _is_ours(job, key):
                continue
            if is_finished(job):
                return report_of(job, client.pods(key))
            client.delete(job)
            uid = job["metadata"]["uid"]
            return Report(phase=Phase.CANCELLED, handle=uid, reason="deleted")
        return Report(phase=Phase.ABSENT)

    def logs(self, key: str, handle: str | None) -> Logs:
        """The command that shows them; the cluster keeps both streams as one."""
        settings = self._settings.distinct()[0]
        context = f" --context={settings.context}" if settings.context else ""
        command = f"kubectl{context} --namespace={settings.namespace} logs job/{key}"
        return Logs(stdout=command, stderr=None)

    def _taken_over(self, client: KubernetesClient, order: Order) -> Report:
        job = client.job(order.key)
        if job is None:
            raise UncertainError(f"a Job {order.key} was there, and is gone")
        if not _is_ours(job, order.key):
            raise RejectedError(f"a Job {order.key} is there that is not ours")
        annotations = job["metadata"].get("annotations") or {}
        if annotations.get(DIGEST) != fingerprint(order):
            raise RejectedError(
                f"a Job {order.key} is there that was made to run something else"
            )
        return report_of(job, client.pods(order.key))

    def _client(self, settings: Settings) -> KubernetesClient:
        with self._lock:
            for known, client in self._clients:
                if known == settings:
                    return client
            client = KubernetesClient(
                settings, environ=self._place.environ, workspace=self._place.workspace
            )
            self._clients.append((settings, client))
            return client

    def _jobs(self, client: KubernetesClient) -> dict[str, Manifest]:
        # Whoever asks meanwhile waits for the same list.
        with self._lock:
            until, jobs = self._seen.get(client, (-math.inf, {}))
            began = self._timer()
            if began >= until:
                jobs = client.jobs()
                ended = self._timer()
                # A slow server is asked less often.
                fresh_s = max(FRESH_S, 5 * (ended - began))
                self._seen[client] = (ended + fresh_s, jobs)
            return jobs


def in_workspace(place: Place) -> Kubernetes:
    """The back end of a workspace, as ``[executor.kubernetes]`` has it."""
    settings = read_settings(Settings, place.settings, "kubernetes")
    return Kubernetes(settings=settings, place=place)


def _is_ours(job: Manifest, key: str) -> bool:
    return (job["metadata"].get("labels") or {}).get(KEY) == key


def _has_no_pods(job: Manifest) -> bool:
    """Whether asking for pods is no use: it is suspended or not yet begun."""
    status = job.get("status") or {}
    return not status.get("active") and not is_finished(job)
