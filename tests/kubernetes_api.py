"""A small Kubernetes API over plain HTTP: Jobs and pods in memory, and its faults."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from planner.executor.backends.kubernetes import Kubernetes
from planner.executor.backends.kubernetes_manifest import Settings
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import read_settings

TOKEN = "canary-token"
NOW = "2026-11-22T02:00:05Z"
LATER = "2026-11-22T02:30:00Z"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
JOBS = "/apis/batch/v1/namespaces/"
PODS = "/api/v1/namespaces/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What becomes of the next request of a method.

    Parameters
    ----------
    status
        Answered in place of the true answer; 0 closes the connection.
    takes
        Whether the request is carried out all the same.
    delay_s
        Waited before anything is answered. [s]
    text
        Body of the answer, in place of a Status object.
    """

    method: str
    status: int = 0
    takes: bool = False
    delay_s: float = 0.0
    text: str | None = None


@dataclass(kw_only=True)
class Cluster:
    """State of the fake; tests look into it and change it.

    Parameters
    ----------
    url
        Where it listens.
    jobs, pods
        By namespace and name.
    faults
        Used up by the next requests, one each.
    requests
        Method and path of every request.
    drops
        Fields of a Job's spec that this server is too old to know.
    """

    url: str = ""
    jobs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    pods: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[tuple[str, str]] = field(default_factory=list)
    drops: tuple[str, ...] = ()
    page: int = 500

    def job(self, key: str, namespace: str = "default") -> dict[str, Any]:
        return self.jobs[namespace, key]

    def run(self, key: str, **state: Any) -> None:
        """Give a Job its pod, whose container is in the given state."""
        state = state or {"running": {"startedAt": NOW}}
        container = {"name": "job", "state": state}
        metadata = {"name": f"{key}-abcde", "uid": str(uuid.uuid4())}
        status = {"containerStatuses": [container]}
        self.pods["default", key] = [{"metadata": metadata, "status": status}]
        self.job(key)["status"] = {"active": 1, "startTime": NOW}

    def end(self, key: str, exit_code: int = 0, reason: str = "") -> None:
        """End a Job's pod, and the Job as its controller would."""
        end = {"exitCode": exit_code, "startedAt": NOW, "finishedAt": LATER}
        self.run(key, terminated={**end, "reason": reason})
        condition = {"type": "Complete", "status": "True", "lastTransitionTime": LATER}
        if exit_code:
            condition |= {"type": "Failed", "reason": "BackoffLimitExceeded"}
        self.job(key)["status"] = {"startTime": NOW, "conditions": [condition]}

    def kubeconfig(self, folder: Path, token: str = TOKEN) -> Path:
        """A file with access to it."""
        names = {"cluster": "fake", "user": "fake", "namespace": "default"}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": token}}],
            "contexts": [{"name": "fake", "context": names}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(content))
        return path

    def backend(self, folder: Path, **table: Any) -> Kubernetes:
        """The back end of a workspace with access to it."""
        environ = {"KUBECONFIG": str(self.kubeconfig(folder))}
        table = {"image": "busybox", "limit_s": 5.0, **table}
        return kubernetes_in(folder, environ, **table)


def kubernetes_in(
    folder: Path,
    environ: dict[str, str],
    *,
    kind: type[Kubernetes] = Kubernetes,
    **table: Any,
) -> Kubernetes:
    """The back end of a workspace with the settings of a table."""
    place = Place(
        workspace=folder,
        outputs=folder / "outputs",
        environ=environ,
        settings={"kubernetes": table},
    )
    settings = read_settings(Settings, place.settings, "kubernetes")
    return kind(settings=settings, place=place)


@contextmanager
def kubernetes_api() -> Iterator[Cluster]:
    """A running fake."""
    cluster = Cluster()

    class Handler(_Handler):
        state = cluster

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Cluster

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        self.state.requests.append((self.command, self.path))
        fault = self._fault()
        if fault is None or fault.takes:
            status, answer = self._answer(body)
        if fault is not None:
            time.sleep(fault.delay_s)
        if fault is not None and (fault.status or not fault.takes or not fault.delay_s):
            self._break(fault)
        else:
            self._send(status, json.dumps(answer))

    def _fault(self) -> Fault | None:
        faults = self.state.faults
        if faults and faults[0].method == self.command:
            return faults.popleft()
        return None

    def _break(self, fault: Fault) -> None:
        if fault.status == 0:
            self.close_connection = True
            self.connection.close()
            return
        text = fault.text
        self._send(fault.status, text or json.dumps(_status(fault.status, "fault")))

    def _send(self, status: int, text: str) -> None:
        data = text.encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client has left
            self.close_connection = True

    def _answer(self, body: Any) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, _status(401, "Unauthorized")
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith(PODS):
            namespace = parts.path.removeprefix(PODS).partition("/")[0]
            name = query["labelSelector"].removeprefix("job-name=")
            pods = self.state.pods.get((namespace, name), [])
            return 200, {"metadata": {}, "items": pods}
        namespace, _, rest = parts.path.removeprefix(JOBS).partition("/")
        name = rest.partition("/")[2]
        if self.command == "POST":
            return self._create(namespace, body)
        if not name:
            return self._list(namespace, query)
        if (namespace, name) not in self.state.jobs:
            return 404, _status(404, f'jobs.batch "{name}" not found', name)
        if self.command == "DELETE":
            return self._delete(namespace, name, body)
        return 200, self.state.jobs[namespace, name]

    def _create(self, namespace: str, job: dict[str, Any]) -> tuple[int, Any]:
        name = job["metadata"]["name"]
        if namespace == "missing":
            return 404, _status(404, 'namespaces "missing" not found')
        if not NAME.fullmatch(name):
            return 422, _status(422, f"Job {name} is invalid: metadata.name")
        if (namespace, name) in self.state.jobs:
            return 409, _status(409, f'jobs.batch "{name}" already exists', name)
        for dropped in self.state.drops:
            job["spec"].pop(dropped, None)
        job["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": NOW}
        self.state.jobs[namespace, name] = {**job, "status": {}}
        return 201, self.state.jobs[namespace, name]

    def _list(self, namespace: str, query: dict[str, str]) -> tuple[int, Any]:
        label, _, value = query["labelSelector"].partition("=")
        every = [
            job
            for (there, _), job in sorted(self.state.jobs.items())
            if there == namespace and job["metadata"]["labels"].get(label) == value
        ]
        begin = int(query.get("continue", 0))
        end = begin + min(self.state.page, int(query["limit"]))
        metadata = {"continue": str(end)} if end < len(every) else {}
        return 200, {"metadata": metadata, "items": every[begin:end]}

    def _delete(self, namespace: str, name: str, body: Any) -> tuple[int, Any]:
        job = self.state.jobs[namespace, name]
        if body["preconditions"]["uid"] != job["metadata"]["uid"]:
            return 409, _status(409, "the UID in the precondition does not match")
        assert body["propagationPolicy"] == "Foreground"
        if (namespace, name) in self.state.pods:
            job["metadata"]["deletionTimestamp"] = NOW
        else:
            del self.state.jobs[namespace, name]
        return 200, job


def _status(code: int, message: str, name: str | None = None) -> dict[str, Any]:
    details = {} if name is None else {"name": name, "group": "batch", "kind": "jobs"}
    return {"kind": "Status", "code": code, "message": message, "details": details}
