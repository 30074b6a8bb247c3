"""Users of a real API server of Kubernetes, and what its administrator does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import requests

from tests.factories_executor import until

EXECUTOR, STRANGER, ADMIN = "executor", "stranger", "admin"

# What docs/executor.md says that the executor needs, and no more.
_RIGHTS = [
    {
        "apiGroups": ["batch"],
        "resources": ["jobs"],
        "verbs": ["create", "get", "list", "delete"],
    },
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
]
_TOKENS = f"""\
{ADMIN}-token,{ADMIN},{ADMIN},"system:masters"
{EXECUTOR}-token,{EXECUTOR},{EXECUTOR}
{STRANGER}-token,{STRANGER},{STRANGER}
"""
_RBAC = "rbac.authorization.k8s.io"
_numbers = count()


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a server to get there; on a busy machine that takes its time."""
    until(condition, seconds=120, pause=0.05)


def make_keys(folder: Path) -> None:
    """Write the server's certificate, its key, and the tokens of its users."""
    (folder / "tokens").write_text(_TOKENS)
    command = [
        "openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2",
        "-subj", "/CN=kube", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", "tls.key", "-out", "tls.pem",
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def kubeconfig(folder: Path, url: str, user: str) -> Path:
    """File with a user's access; it may be one that the server does not know."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": user,
        "clusters": [
            {
                "name": "real",
                "cluster": {"server": url, "certificate-authority": "tls.pem"},
            }
        ],
        "users": [{"name": user, "user": {"token": f"{user}-token"}}],
        "contexts": [{"name": user, "context": {"cluster": "real", "user": user}}],
    }
    path = folder / f"kubeconfig-{user}"
    path.write_text(json.dumps(content))
    return path


class Administrator:
    """May do everything, by plain requests.

    Parameters
    ----------
    url
        Of the server.
    folder
        Where ``make_keys`` has been.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._web = requests.Session()
        self._web.trust_env = False
        self._web.verify = str(folder / "tls.pem")

    def close(self) -> None:
        self._web.close()

    def says_ready(self) -> bool:
        """Whether the server calls itself ready."""
        try:
            return self.answer("GET", "/readyz").text == "ok"
        except requests.RequestException:
            return False

    def ask(
        self, method: str, path: str, body: Any = None, *, merge: bool = False
    ) -> Any:
        """What a request is answered, which must be granted."""
        answer = self.answer(method, path, body, merge=merge)
        assert answer.ok, f"{method} {path}: {answer.text}"
        return answer.json()

    def answer(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        merge: bool = False,
        user: str = ADMIN,
    ) -> requests.Response:
        """What a user's request is answered, whatever it is."""
        kind = "application/merge-patch+json" if merge else "application/json"
        return self._web.request(
            method,
            self._url + path,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": kind, "Authorization": f"Bearer {user}-token"},
            timeout=60,
        )

    def may_list_jobs(self, user: str) -> bool:
        """Whether a user's rights have come into force."""
        return self.answer("GET", jobs_path("default"), user=user).ok

    def items(self, path: str) -> dict[str, dict[str, Any]]:
        """Everything of a kind, by name."""
        return {
            item["metadata"]["name"]: item for item in self.ask("GET", path)["items"]
        }

    def new_namespace(self) -> str:
        """Name of an empty namespace."""
        name = f"test-{os.getpid()}-{next(_numbers)}"
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def allow(self, user: str) -> None:
        """Give a user the rights of the executor, in every namespace."""
        rules = f"/apis/{_RBAC}/v1/clusterrole"
        role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": user}
        subject = {"apiGroup": _RBAC, "kind": "User", "name": user}
        named = {"metadata": {"name": user}}
        self.ask("POST", f"{rules}s", {**named, "rules": _RIGHTS})
        binding = {**named, "roleRef": role, "subjects": [subject]}
        self.ask("POST", f"{rules}bindings", binding)


def jobs_path(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


def pods_path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"
