"""Figures over HTTP, for the daemon: what the last run found, and whether it is alive.

A request is answered from memory. It never touches the ledger, so no client, however
slow or numerous, can delay a dispatch.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from planner.operations.errors import MetricsEndpointError
from planner.operations.metrics.exposition import CONTENT_TYPE

MOST_CLIENTS = 16
"""Requests that are answered at the same time; further ones are turned away."""

REQUEST_S = 5.0
"""After this long a request that is not whole is given up. [s]"""

DEAD_AFTER_S = 180.0
"""Without a run for so long the health page says so. [s]"""


@dataclass(kw_only=True)
class Latest:
    """What the endpoint shows.

    Parameters
    ----------
    steady
        Time that nobody sets. [s]
    text
        Figures of the last run.
    """

    steady: Callable[[], float]
    text: bytes = b""
    _ran_at: float | None = field(default=None)

    def ran(self) -> None:
        """A run has ended in order."""
        self._ran_at = self.steady()

    @property
    def alive(self) -> bool:
        """Whether a run ended in order lately."""
        return self._ran_at is not None and self.steady() - self._ran_at <= DEAD_AFTER_S


@contextmanager
def serving(address: tuple[str, int], latest: Latest) -> Iterator[int]:
    """Answer requests while the block lasts; yields the port.

    Raises
    ------
    MetricsEndpointError
        If nothing can listen there.
    """
    try:
        server = _Server(address, latest)
    except OSError as error:
        raise MetricsEndpointError(
            f"metrics.listen: {address[0]}:{address[1]}: {error.strerror}"
        ) from error
    thread = threading.Thread(
        target=server.serve_forever, args=(0.1,), name="metrics", daemon=True
    )
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], latest: Latest) -> None:
        if ipaddress.ip_address(address[0]).version == 6:
            self.address_family = socket.AF_INET6
        self.latest = latest
        self._free = threading.Semaphore(MOST_CLIENTS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking for this machine's name, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name = str(self.server_address[0])
        self.server_port = self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, if there are not too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one request, bounded in time as a whole."""
        timer = threading.Timer(REQUEST_S, _shut, [request])
        timer.daemon = True
        timer.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            timer.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_S
    server_version = "planner"
    sys_version = ""

    def do_GET(self) -> None:
        latest = self.server.latest
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._say(200, latest.text, CONTENT_TYPE)
        elif path == "/healthz":
            good = latest.alive
            said = b"ok\n" if good else b"no run has ended in order lately\n"
            self._say(200 if good else 503, said)
        else:
            self._say(404, b"/metrics and /healthz are here\n")

    do_HEAD = do_GET

    def _say(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests come every few seconds."""


def _shut(request: socket.socket) -> None:
    try:
        request.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
