"""A real Kubernetes control plane on loopback: etcd, API server, controllers.

There are no nodes: a test plays the kubelet and says itself what becomes of a pod. The
two programs that no distribution packs come from ``servers/build-kube-apiserver.sh``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.kubernetes_access import (
    ADMIN,
    EXECUTOR,
    Administrator,
    eventually,
    kubeconfig,
    make_keys,
)
from tests.slurm_cluster import free_ports

FOLDER = "PLANNER_KUBERNETES_SERVER"
"""Variable that names the folder of the built programs."""

VERSION = "1.20.2"
ETCD, API, CONTROLLERS = "etcd", "kube-apiserver", "kube-controller-manager"
INSTALLED = (ETCD, "openssl", "setpriv")


def programs(environ: Mapping[str, str] = os.environ) -> Path:
    """Folder of the built programs, whether they are there or not."""
    if named := environ.get(FOLDER):
        return Path(named)
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "carbon-batch-planner" / f"kubernetes-{VERSION}"


def missing() -> str | None:
    """Why no server can be started here; None if one can."""
    absent = [name for name in INSTALLED if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    folder = programs()
    if not all(os.access(folder / name, os.X_OK) for name in (API, CONTROLLERS)):
        return f"not in {folder}; make kubernetes builds it"
    return None


class KubernetesServer:
    """Three child processes.

    Parameters
    ----------
    folder
        Takes in all state, keys and logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._etcd_port, self._peer_port, self._port = free_ports(3)
        self._url = f"https://127.0.0.1:{self._port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        make_keys(folder)
        self.admin = Administrator(self._url, folder)

    def start(self) -> None:
        """Return when Jobs are taken from the executor's user."""
        self._start_etcd()
        self.start_api()
        self._start_controllers()
        self.admin.allow(EXECUTOR)
        eventually(lambda: self.admin.may_list_jobs(EXECUTOR))

    def stop(self) -> None:
        """End every process."""
        self.admin.close()
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()

    def start_api(self) -> None:
        """Start the API server, and return when it says that it is ready."""
        keys = self._folder / "tls.key"
        options = {
            "etcd-servers": f"http://127.0.0.1:{self._etcd_port}",
            "bind-address": "127.0.0.1",
            "secure-port": self._port,
            "cert-dir": self._folder,
            "tls-cert-file": self._folder / "tls.pem",
            "tls-private-key-file": keys,
            "service-account-issuer": self._url,
            "service-account-key-file": keys,
            "service-account-signing-key-file": keys,
            "service-cluster-ip-range": "10.0.0.0/24",
            "authorization-mode": "RBAC",
            "token-auth-file": self._folder / "tokens",
            "disable-admission-plugins": "ServiceAccount",
            "feature-gates": "TTLAfterFinished=true",
        }
        self._start(API, str(programs() / API), **options)
        eventually(self._is_ready)

    def kill_api(self) -> None:
        """End the API server as a lost machine would."""
        process = self._processes.pop(API)
        process.kill()
        process.wait()

    @contextmanager
    def frozen(self, program: str) -> Iterator[None]:
        """Time in which one of the processes stands still."""
        self._processes[program].send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._processes[program].send_signal(signal.SIGCONT)

    def kubeconfig(self, user: str = EXECUTOR) -> Path:
        """File with a user's access to it."""
        return kubeconfig(self._folder, self._url, user)

    def _is_ready(self) -> bool:
        ended = self._processes[API].poll() is not None
        assert not ended, (self._folder / f"{API}.log").read_text()[-2000:]
        return self.admin.says_ready()

    def _start_etcd(self) -> None:
        client = f"http://127.0.0.1:{self._etcd_port}"
        peer = f"http://127.0.0.1:{self._peer_port}"
        options = {
            "data-dir": self._folder / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "unsafe-no-fsync": "true",
        }
        self._start(ETCD, ETCD, **options)

    def _start_controllers(self) -> None:
        options = {
            "kubeconfig": self.kubeconfig(ADMIN),
            "controllers": "job,ttl-after-finished,garbagecollector,namespace",
            "leader-elect": "false",
            "port": 0,
            "secure-port": 0,
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
            "feature-gates": "TTLAfterFinished=true",
        }
        self._start(CONTROLLERS, str(programs() / CONTROLLERS), **options)

    def _start(self, name: str, program: str, **options: object) -> None:
        # The kernel ends it with this process, however that one ends.
        command = ["setpriv", "--pdeathsig", "KILL", program]
        command += [f"--{option}={value}" for option, value in options.items()]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


@contextmanager
def running_kubernetes() -> Iterator[KubernetesServer]:
    """A fresh control plane."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="kube-", dir=memory))
    server = KubernetesServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
