"""The Job of an order, checked against the schemas of several Kubernetes releases."""

from __future__ import annotations

from typing import Any

import pytest

from planner.executor.backends.backend import Order
from planner.executor.backends.fingerprint import fingerprint
from planner.executor.backends.kubernetes_manifest import (
    Settings,
    manifest_of,
)
from planner.executor.errors import RejectedError
from tests.factories_orders import order_of

FULL = {
    "namespace": "batch",
    "service_account": "runner",
    "priority_class": "low",
    "image_pull_secret": "registry",
    "queue": "nightly",
    "node_selector": {"pool": "spot"},
}


def full_order(**changes: Any) -> Order:
    given: dict[str, Any] = {
        "image": "registry/etl:1",
        "resources": {"cpu": 1.5, "memory_gib": 0.5, "gpu": 2, "licence": 1},
        "labels": {"team": "search", "safe-to-repeat": "true"},
        "timeout_s": 61.2,
        "replicas": 3,
    }
    return order_of("python", "etl.py", **{**given, **changes})


@pytest.mark.parametrize("version", ["1.28", "1.33", "1.37"])
@pytest.mark.parametrize(
    ("order", "settings"),
    [
        (full_order(), Settings(**FULL)),
        (order_of(image="etl"), Settings()),
        (order_of("true"), Settings(image="busybox", time_factor=1.5)),
    ],
)
def test_every_manifest_keeps_to_the_schema(
    version: str, order: Order, settings: Settings
) -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    validate(manifest_of(order, settings), version, strict=True)


def test_a_job_never_begins_again_by_itself() -> None:
    spec = manifest_of(full_order(labels={}), Settings())["spec"]
    assert spec["backoffLimit"] == 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert "podFailurePolicy" not in spec
    assert spec["ttlSecondsAfterFinished"] == 7 * 86_400
    repeatable = manifest_of(full_order(), Settings())["spec"]
    assert repeatable["podFailurePolicy"]["rules"][0]["action"] == "Ignore"


def test_resources_limits_and_replicas_are_asked_for() -> None:
    spec = manifest_of(full_order(), Settings())["spec"]
    [container] = spec["template"]["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "1500m", "memory": "512Mi", "nvidia.com/gpu": "2"},
        "limits": {"memory": "512Mi", "nvidia.com/gpu": "2"},
    }
    assert spec["activeDeadlineSeconds"] == 62
    assert (spec["completions"], spec["parallelism"]) == (3, 3)
    assert spec["completionMode"] == "Indexed"


def test_the_name_is_the_key_and_fits_dns() -> None:
    order = full_order()
    metadata = manifest_of(order, Settings())["metadata"]
    assert metadata["name"] == order.key
    assert len(order.key) <= 63
    assert metadata["annotations"]["carbon-batch-planner/job-id"] == "job"


def test_se11_account_queue_and_namespace_come_from_settings_alone() -> None:
    pod = manifest_of(full_order(), Settings())["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    named = manifest_of(full_order(), Settings(**FULL))
    assert named["metadata"]["namespace"] == "batch"
    assert named["spec"]["template"]["spec"]["serviceAccountName"] == "runner"
    for label in (
        "kueue.x-k8s.io/queue-name",
        "kubernetes.io/arch",
        "carbon-batch-planner/key",
    ):
        with pytest.raises(RejectedError, match="belongs to the cluster"):
            manifest_of(full_order(labels={label: "x"}), Settings())


def test_an_order_without_image_or_with_nul_is_refused() -> None:
    with pytest.raises(RejectedError, match="names no image"):
        manifest_of(order_of("true"), Settings())
    with pytest.raises(RejectedError, match="NUL"):
        manifest_of(order_of("a\0b"), Settings(image="i"))


def test_ex17_the_digest_tells_what_is_run_and_not_where() -> None:
    order = full_order()
    assert fingerprint(order) == fingerprint(full_order(key=order.key, env=order.env))
    for changes in ({"command": ("x",)}, {"image": "y"}, {"env": {}}, {"labels": {}}):
        other = full_order(**{"key": order.key, "env": order.env, **changes})
        assert fingerprint(other) != fingerprint(order)
