"""One HTTP request to an address of the settings; no redirect, proxy or private host.

Names are looked up first, each address is checked, and the connection goes to a checked
address and nowhere else. The request is sent once and its answer ends at a deadline.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from planner.executor.backends.deadline import CallLimits, within
from planner.executor.backends.wording import one_line
from planner.executor.errors import NotTakenError, RejectedError, UncertainError

MAX_BYTES = 64 << 10
"""Largest answer that is read."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LATE = "no whole answer in time"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, whole.

    Parameters
    ----------
    method, url, headers, body
        As they are sent.
    allowed
        Networks that may be connected to though they are not public.
    certificates
        File of trusted certificates instead of the system's.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    allowed: tuple[Network, ...] = ()
    certificates: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and body of an answer."""

    status: int
    body: bytes = field(repr=False)


def send(call: Call, limits: CallLimits) -> Answer:
    """Send a request once, and read its whole answer.

    Raises
    ------
    RejectedError
        If the address may not be connected to; nothing was sent.
    NotTakenError
        If there was no connection; nothing was sent.
    UncertainError
        If no whole answer came within the limits.
    """
    with _connected(urlsplit(call.url), call, limits) as (connection, clock):
        try:
            answer, rest = _exchange(connection, call)
        except (HTTPException, OSError) as error:
            raise UncertainError(_LATE if clock.over else _said(error)) from error
    if clock.over:
        raise UncertainError(_LATE)
    if len(answer.body) > MAX_BYTES:
        raise UncertainError(f"the answer is longer than {MAX_BYTES:,} bytes")
    if rest:
        raise UncertainError("the answer broke off")
    return answer


def _exchange(connection: HTTPConnection, call: Call) -> tuple[Answer, int]:
    """The answer, and how many bytes of it were announced but never came."""
    parts = urlsplit(call.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request(call.method, path, call.body, dict(_headers(call)))
    with connection.getresponse() as response:
        body = response.read(MAX_BYTES + 1)
        return Answer(status=response.status, body=body), response.length or 0


class _Clock:
    """Shuts a socket down at the deadline."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.over = False
        self.sock = sock
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def _shut(self) -> None:
        self.over = True
        with suppress(OSError):
            # Not SSLSocket.shutdown, which would drop the encryption first.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def stop(self) -> None:
        self._timer.cancel()


@contextmanager
def _connected(
    parts: SplitResult, call: Call, limits: CallLimits
) -> Iterator[tuple[HTTPConnection, _Clock]]:
    begun = time.monotonic()
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    sock = connect(host, port, allowed=call.allowed, limits=limits)
    clock = _Clock(sock, max(0.0, limits.total_s - (time.monotonic() - begun)))
    try:
        if parts.scheme == "https":
            _encrypt(clock, host, call.certificates)
        clock.sock.settimeout(limits.silent_s)
        connection = HTTPConnection(host, port)
        connection.auto_open = 0
        connection.sock = clock.sock
        yield connection, clock
    finally:
        clock.stop()
        clock.sock.close()


def connect(
    host: str, port: int, *, allowed: tuple[Network, ...], limits: CallLimits
) -> socket.socket:
    """Connection to an address that was checked, and to no other.

    Raises
    ------
    RejectedError
        If none of the host's addresses may be connected to.
    NotTakenError
        If there is no connection.
    """
    return _connect(_checked(_addresses(host, port, limits), allowed), port, limits)


def is_usable(url: str, allowed: tuple[Network, ...], *, query: bool = False) -> bool:
    """Whether an address may be spoken to at all, as it is written.

    It is https without user or fragment, and without a query unless that is allowed;
    http only to a loopback address in an allowed network.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    extras = parts.fragment or "@" in parts.netloc or port == 0
    if extras or (parts.query and not query):
        return False
    if not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        return False
    if parts.scheme == "http":
        return _is_allowed_loopback(parts.hostname, allowed)
    return parts.scheme == "https"


def _is_allowed_loopback(host: str, allowed: tuple[Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and is_open(address, allowed)


def _addresses(host: str, port: int, limits: CallLimits) -> list[Address]:
    try:
        found = within(
            limits.connect_s,
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM),
        )
    except OSError as error:
        raise NotTakenError(f"{host} cannot be looked up: {_said(error)}") from error
    texts = (str(address[0]).partition("%")[0] for *_, address in found)
    return [ipaddress.ip_address(text) for text in dict.fromkeys(texts)]


def _checked(found: list[Address], allowed: tuple[Network, ...]) -> list[Address]:
    """Addresses that may be connected to."""
    good = [one for one in found if is_open(one, allowed)]
    if not good:
        names = ", ".join(str(one) for one in found)
        raise RejectedError(
            f"{names} is not a public address; if it is meant, add its network to allow"
        )
    return good


def is_open(address: Address, allowed: tuple[Network, ...]) -> bool:
    """Whether an address is public, or in an allowed network."""
    real = _embedded(address)
    if any(real.version == net.version and real in net for net in allowed):
        return True
    return real.is_global and not real.is_multicast


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _connect(addresses: list[Address], port: int, limits: CallLimits) -> socket.socket:
    failed: OSError | None = None
    for address in addresses[:2]:
        try:
            return socket.create_connection((str(address), port), limits.connect_s)
        except OSError as error:
            failed = error
    assert failed is not None
    raise NotTakenError(f"no connection: {_said(failed)}") from failed


def _encrypt(clock: _Clock, host: str, certificates: str | None) -> None:
    """Put encryption around the clock's socket; the clock bounds the handshake."""
    try:
        context = ssl.create_default_context(cafile=certificates)
        sock = context.wrap_socket(
            clock.sock, server_hostname=host, do_handshake_on_connect=False
        )
        clock.sock = sock
        sock.do_handshake()
    except OSError as error:
        raise NotTakenError(f"no trusted connection: {_said(error)}") from error


def _headers(call: Call) -> Iterator[tuple[str, str]]:
    yield "Host", urlsplit(call.url).netloc
    yield "User-Agent", "carbon-batch-planner"
    yield "Accept", "application/json"
    yield "Accept-Encoding", "identity"
    yield "Connection", "close"
    yield from call.headers.items()


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    return one_line(getattr(error, "strerror", None) or type(error).__name__)
