"""What a node would do with the pods of a real control plane that has no nodes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.executor.backends.kubernetes import Kubernetes
from tests.kubernetes_access import EXECUTOR, eventually, jobs_path, pods_path
from tests.kubernetes_api import kubernetes_in
from tests.kubernetes_server import KubernetesServer

NODE = "n1"


@dataclass(frozen=True)
class Namespace:
    """One namespace: its Jobs, and its pods under the test's hand."""

    server: KubernetesServer
    name: str

    def backend(
        self, folder: Path, *, user: str = EXECUTOR, **table: Any
    ) -> Kubernetes:
        """The back end of a workspace that sends its Jobs here."""
        environ = {"KUBECONFIG": str(self.server.kubeconfig(user))}
        table = {"image": "busybox", "namespace": self.name, **table}
        return kubernetes_in(folder, environ, **table)

    @property
    def path(self) -> str:
        """Where the namespace itself is found."""
        return f"/api/v1/namespaces/{self.name}"

    def jobs(self) -> dict[str, dict[str, Any]]:
        """All Jobs, by name."""
        return self.server.admin.items(jobs_path(self.name))

    def uids(self) -> dict[str, str]:
        """What tells each Job from another one of its name."""
        return {key: job["metadata"]["uid"] for key, job in self.jobs().items()}

    def pods(self, key: str) -> list[dict[str, Any]]:
        """The pods that the Job controller has made for a Job."""
        pods = self.server.admin.items(pods_path(self.name)).values()
        return [p for p in pods if p["metadata"]["labels"].get("job-name") == key]

    def run(self, key: str, **state: Any) -> None:
        """Give the Job's pod a node; its container is in the given state."""
        pod = self._pod_at_a_node(key)
        state = state or {"running": {"startedAt": _now()}}
        status = {"name": "job", "state": state, "image": "i", "imageID": "i"}
        status |= {"ready": "running" in state, "restartCount": 0}
        phase = "Running" if "running" in state else "Pending"
        self._say(pod, {"phase": phase, "containerStatuses": [status]})

    def end(self, key: str, exit_code: int = 0, reason: str = "Error") -> None:
        """End the container of a running pod; the controller ends the Job."""
        pod = self._pod_at_a_node(key)
        running = pod["status"]["containerStatuses"][0]
        end = {"exitCode": exit_code, "finishedAt": _now()}
        end["startedAt"] = running["state"]["running"]["startedAt"]
        end["reason"] = reason if exit_code else "Completed"
        status = {**running, "ready": False, "state": {"terminated": end}}
        phase = "Failed" if exit_code else "Succeeded"
        self._say(pod, {"phase": phase, "containerStatuses": [status]})

    def evict(self, key: str) -> None:
        """Fail a pod as a node does that has run out of memory."""
        pod = self._pod_at_a_node(key)
        self._say(pod, {"phase": "Failed", "reason": "Evicted", "message": "memory"})

    def finish_deletion(self, key: str) -> None:
        """Confirm that the containers of deleted pods have ended, as a node does."""
        eventually(lambda: all(map(_is_deleted, self.pods(key))))
        for pod in self.pods(key):
            self.server.admin.ask("DELETE", _path(pod), {"gracePeriodSeconds": 0})

    def patch_job(self, key: str, spec: dict[str, Any]) -> None:
        """Change a Job as its administrator may."""
        path = f"{jobs_path(self.name)}/{key}"
        self.server.admin.ask("PATCH", path, {"spec": spec}, merge=True)

    def _pod_at_a_node(self, key: str) -> dict[str, Any]:
        eventually(lambda: self.pods(key) != [])
        [pod] = self.pods(key)
        if not pod["spec"].get("nodeName"):
            # With a node its deletion waits for that node, as everywhere.
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            binding = {"metadata": {"name": pod["metadata"]["name"]}, "target": target}
            self.server.admin.ask("POST", f"{_path(pod)}/binding", binding)
        return pod

    def _say(self, pod: dict[str, Any], status: dict[str, Any]) -> None:
        path = f"{_path(pod)}/status"
        self.server.admin.ask("PATCH", path, {"status": status}, merge=True)


def _path(pod: dict[str, Any]) -> str:
    return f"{pods_path(pod['metadata']['namespace'])}/{pod['metadata']['name']}"


def _is_deleted(pod: dict[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
