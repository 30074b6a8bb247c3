"""One order as a batch/v1 Job: names, labels, limits, and what a pod may use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from planner.executor.backends.backend import Order
from planner.executor.backends.fingerprint import fingerprint
from planner.executor.backends.settings import SettingValueError
from planner.executor.errors import RejectedError

DOMAIN = "carbon-batch-planner"
KEY = f"{DOMAIN}/key"
DIGEST = f"{DOMAIN}/spec-digest"
MANAGED_BY = "app.kubernetes.io/managed-by"
QUEUE = "kueue.x-k8s.io/queue-name"
SAFE_TO_REPEAT = "safe-to-repeat"
"""Label of jobs that may begin again after their pod was evicted."""

_SECONDS_PER_DAY = 86_400
_MIB_PER_GIB = 1024
_RESERVED = ("kubernetes.io", "k8s.io", DOMAIN)

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``[executor.kubernetes]``.

    Parameters
    ----------
    namespace, service_account, priority_class, image_pull_secret
        Names in the cluster; without a service account pods get no token.
    queue
        Kueue's local queue; jobs are then made suspended, for Kueue to start.
    context, kubeconfig
        Which cluster; None for the current context of KUBECONFIG or
        ``~/.kube/config``, or inside a cluster that one.
    image
        For jobs that name none.
    resources
        Which resources of jobs are asked for besides ``cpu`` and ``memory_gib``,
        under which name.
    node_selector
        Labels that a node must have.
    time_factor
        Time limit of a job without ``timeout``, as a multiple of its planned running
        time; None for no limit.
    keep_days
        How long the cluster keeps finished jobs. [d]
    limit_s
        Longest time to wait for one answer. [s]
    """

    namespace: str = "default"
    service_account: str | None = None
    priority_class: str | None = None
    image_pull_secret: str | None = None
    queue: str | None = None
    context: str | None = None
    kubeconfig: str | None = None
    image: str | None = None
    resources: dict[str, str] = field(default_factory=lambda: {"gpu": "nvidia.com/gpu"})
    node_selector: dict[str, str] = field(default_factory=dict)
    time_factor: float | None = None
    keep_days: float = 7.0
    limit_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.time_factor is not None and self.time_factor < 1:
            raise SettingValueError("time_factor", "a number of 1 or more")
        if self.keep_days < 1:
            raise SettingValueError("keep_days", "a number of 1 or more")
        if self.limit_s <= 0:
            raise SettingValueError("limit_s", "a number above 0")
        if not self.namespace:
            raise SettingValueError("namespace", "a name")


def manifest_of(order: Order, settings: Settings) -> Manifest:
    """The Job of an order; its name is the key.

    Raises
    ------
    RejectedError
        If the order cannot be run in a container.
    """
    meta = {"labels": _labels(order, settings), "annotations": _annotations(order)}
    spec: Manifest = {
        "backoffLimit": 0,
        "completions": order.replicas,
        "parallelism": order.replicas,
        "podReplacementPolicy": "Failed",
        "ttlSecondsAfterFinished": round(settings.keep_days * _SECONDS_PER_DAY),
        "template": {"metadata": meta, "spec": _pod(order, settings)},
    }
    if order.replicas > 1:
        spec["completionMode"] = "Indexed"
    if (limit_s := _time_limit_s(order, settings)) is not None:
        spec["activeDeadlineSeconds"] = limit_s
    if settings.queue is not None:
        spec["suspend"] = True
    if order.labels.get(SAFE_TO_REPEAT) == "true":
        spec["podFailurePolicy"] = _REPEAT_AFTER_DISRUPTION
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": order.key, "namespace": settings.namespace, **meta},
        "spec": spec,
    }


_REPEAT_AFTER_DISRUPTION = {
    "rules": [
        {
            "action": "Ignore",
            "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
        }
    ]
}


def _labels(order: Order, settings: Settings) -> dict[str, str]:
    for name in order.labels:
        domain = name.rpartition("/")[0]
        if domain.endswith(_RESERVED):
            raise RejectedError(
                f'job "{order.job_id}": label {name} belongs to the cluster; '
                "a queue is named in planner.toml"
            )
    labels = {**order.labels, KEY: order.key, MANAGED_BY: DOMAIN}
    return labels if settings.queue is None else {**labels, QUEUE: settings.queue}


def _annotations(order: Order) -> dict[str, str]:
    return {
        f"{DOMAIN}/job-id": order.job_id,
        f"{DOMAIN}/segment": str(order.segment),
        f"{DOMAIN}/region": order.region,
        DIGEST: fingerprint(order),
    }


def _pod(order: Order, settings: Settings) -> Manifest:
    pod: Manifest = {
        "restartPolicy": "Never",
        "containers": [_container(order, settings)],
    }
    if settings.service_account is None:
        pod["automountServiceAccountToken"] = False
    else:
        pod["serviceAccountName"] = settings.service_account
    if settings.priority_class is not None:
        pod["priorityClassName"] = settings.priority_class
    if settings.image_pull_secret is not None:
        pod["imagePullSecrets"] = [{"name": settings.image_pull_secret}]
    if settings.node_selector:
        pod["nodeSelector"] = dict(settings.node_selector)
    return pod


def _container(order: Order, settings: Settings) -> Manifest:
    image = order.image or settings.image
    if image is None:
        raise RejectedError(
            f'job "{order.job_id}" names no image, nor does [executor.kubernetes]'
        )
    words = [*order.command, *order.env.values()]
    if any("\0" in word for word in words):
        raise RejectedError(f'job "{order.job_id}": a command or variable holds NUL')
    container: Manifest = {
        "name": "job",
        "image": image,
        "env": [
            {"name": name, "value": _literal(value)}
            for name, value in order.env.items()
        ],
        "resources": _resources(order.resources, settings),
    }
    if order.command:
        container["command"] = [_literal(word) for word in order.command]
    return container


def _literal(text: str) -> str:
    """Text that Kubernetes leaves as it is: it would expand $(NAME), and read $$ as $.

    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return text.replace("$", "$$")


def _resources(amounts: Mapping[str, float], settings: Settings) -> Manifest:
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    if cpu := amounts.get("cpu"):
        requests["cpu"] = f"{math.ceil(cpu * 1000)}m"
    if gib := amounts.get("memory_gib"):
        limits["memory"] = f"{math.ceil(gib * _MIB_PER_GIB)}Mi"
    for resource, name in settings.resources.items():
        if amount := amounts.get(resource):
            limits[name] = str(math.ceil(amount))
    return {"requests": {**requests, **limits}, "limits": limits}


def _time_limit_s(order: Order, settings: Settings) -> int | None:
    seconds = order.timeout_s
    if seconds is None and settings.time_factor is not None:
        seconds = (order.end - order.start).total_seconds() * settings.time_factor
    return None if seconds is None else math.ceil(seconds)
