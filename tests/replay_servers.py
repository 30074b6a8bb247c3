"""Forecast services replayed on loopback sockets, with misbehaviour on demand.

A ``Service`` knows one provider's documented requests and answers; a ``ReplayServer``
speaks for it, after the misbehaviours that a test puts before its good answers.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DRIP_S = 0.02


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


Answer = Callable[[Seen], Reply]
Fault = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One connection; the server's script decides what happens to it."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        query = dict(parse_qsl(parts.query))
        seen = Seen(parts.path, query, headers, self.command, body)
        self.close_connection = True
        self.server.seen.append(seen)
        fault = self.server.next_fault(seen)
        # a client that has gone away is what many tests are about
        with suppress(ConnectionError, ssl.SSLError):
            if fault is None:
                self.send(self.server.answer(seen))
            else:
                fault(self)

    do_POST = do_PUT = do_DELETE = do_GET

    def send(self, reply: Reply, *, announced: int | None = None) -> None:
        self.send_response(reply.status)
        # Said aloud, or a client may send its next request on a closed connection.
        usual = {"Content-Type": "application/json", "Connection": "close"}
        headers = {**usual, **reply.headers}
        length = len(reply.data) if announced is None else announced
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.data)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self.forever: Fault | None = None
        self.spared = ""
        self.stopping = threading.Event()

    def next_fault(self, seen: Seen) -> Fault | None:
        if self.spared and seen.path.endswith(self.spared):
            return None
        return self.faults.pop(0) if self.faults else self.forever

    def handle_error(self, *args: object) -> None:
        """Broken handshakes are what some tests want."""


class ReplayServer:
    """A service on a port of its own.

    Parameters
    ----------
    url
        Its address.
    seen
        Every request, in order.
    """

    def __init__(self, server: _Server, scheme: str = "http") -> None:
        self._server = server
        self.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        self.seen = server.seen

    def misbehave(
        self, *faults: Fault, forever: Fault | None = None, spare: str = ""
    ) -> None:
        """Answer with these faults first, then well or with one for ever.

        Paths that end in ``spare`` are always answered well.
        """
        self._server.faults[:] = faults
        self._server.forever, self._server.spared = forever, spare

    def answer_with(self, answer: Answer) -> None:
        self._server.answer = answer


@contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Any:
    server = _Server(answer)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield ReplayServer(server, "http" if tls is None else "https")
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> str:
    """Address at which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


@contextmanager
def full_backlog() -> Any:
    """Address of a listener that accepts nobody: connecting hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


# What services do wrong


def hang(handler: Handler) -> None:
    """Accept, read the request, say nothing."""
    handler.server.stopping.wait(10)


def drip_body(handler: Handler) -> None:
    handler.send(Reply(b""), announced=1_000_000)
    _drip(handler)


def drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler)


def _drip(handler: Handler) -> None:
    while not handler.server.stopping.wait(DRIP_S):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def reset(handler: Handler) -> None:
    """Break off in mid-body by a reset."""
    handler.send(Reply(b'{"data": ['), announced=1000)
    handler.wfile.flush()
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def short_body(handler: Handler) -> None:
    """Announce 1000 bytes and send ten, in good order."""
    handler.send(Reply(b'{"data": []'), announced=1000)


def endless(handler: Handler) -> None:
    """Send more than anybody wants to have."""
    handler.send(Reply(b""), announced=1 << 40)
    while not handler.server.stopping.is_set():
        handler.wfile.write(b" " * 65536)


def replying(
    status: int, body: Any = None, headers: Mapping[str, str] | None = None
) -> Fault:
    reply = Reply({"error": "no"} if body is None else body, status, headers or {})
    return lambda handler: handler.send(reply)


def page(content_type: str) -> Fault:
    html = b"<!DOCTYPE html><html><title>Down for maintenance</title></html>"
    return replying(200, html, {"Content-Type": content_type})


def redirect(location: str, status: int = 302) -> Fault:
    return replying(status, b"", {"Location": location})


def basic_pair(header: str) -> str:
    return base64.b64decode(header.removeprefix("Basic ")).decode()
