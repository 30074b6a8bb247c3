"""One HTTP request over ``requests`` that ends at its deadline, whatever happens.

Timeouts of sockets bound the wait for the next byte, so a server that sends one byte
now and then never meets them; looking up a name has no timeout at all. The work is
therefore done by a thread, and at the deadline its sockets are shut down.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from forecasts.http.errors import AnswerRefusedError, PassingFaultError
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.http.secret import Secret

_CHUNK = 1 << 14
_HEADERS = {
    # nothing to unpack, so no small answer can unfold to a large one
    "Accept-Encoding": "identity",
    "User-Agent": "carbon-batch-planner",
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How to get out, from the environment.

    Parameters
    ----------
    proxy
        Address of a proxy for all encrypted requests but those to ``no_proxy``.
    no_proxy
        Hosts that are reached directly, as in the variable ``NO_PROXY``.
    certificates
        File of trusted certificates instead of the usual ones.
    """

    proxy: str | None = field(default=None, repr=False)
    no_proxy: str = ""
    certificates: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Route:
        """Route that ``HTTPS_PROXY``, ``NO_PROXY`` and ``SSL_CERT_FILE`` ask for."""
        first = next(
            (
                environment[n]
                for n in ("HTTPS_PROXY", "https_proxy")
                if n in environment
            ),
            None,
        )
        return cls(
            proxy=first or None,
            no_proxy=environment.get("NO_PROXY") or environment.get("no_proxy") or "",
            certificates=environment.get("REQUESTS_CA_BUNDLE")
            or environment.get("SSL_CERT_FILE")
            or None,
        )

    def proxy_for(self, url: str) -> str | None:
        """Proxy on the way to an address; None goes there directly."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        names = [name.strip() for name in self.no_proxy.split(",") if name.strip()]
        direct = any(
            name == "*" or f".{host}".endswith(f".{name.lstrip('*.')}")
            for name in names
        )
        return None if direct or parts.scheme != "https" else self.proxy


def transfer(
    request: HttpRequest,
    *,
    connect_s: float,
    seconds: float,
    max_bytes: int,
    route: Route,
) -> HttpAnswer:
    """Send a request and read the whole answer; redirects are not followed.

    Parameters
    ----------
    request
        What to send.
    connect_s
        Limit on connecting. [s]
    seconds
        Limit on everything, from looking up the name to the last byte. [s]
    max_bytes
        Limit on the answer.
    route
        Proxy and certificates.

    Raises
    ------
    PassingFaultError
        If there is no connection or it breaks, the answer is short, or time is up.
    AnswerRefusedError
        If the certificate is not trusted or the answer is too large.
    """
    sockets = _Sockets()

    def work() -> HttpAnswer:
        return _exchange(
            request, sockets, (min(connect_s, seconds), seconds), max_bytes, route
        )

    try:
        return _in_thread(work, seconds)
    except TimeoutError:
        sockets.shut()
        raise PassingFaultError(f"no whole answer within {seconds:.1f} s") from None
    except requests.exceptions.SSLError as error:
        raise AnswerRefusedError(f"not trusted: {_cause(error)}") from None
    except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
        raise PassingFaultError(_cause(error)) from None


def _in_thread(work: Callable[[], T], seconds: float) -> T:
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="http-transfer", daemon=True).start()
    return future.result(timeout=seconds)


class _Sockets:
    """Open sockets of one transfer, which another thread may shut down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._over = False

    def add(self, one: socket.socket) -> None:
        with self._lock:
            self._open.append(one)
        if self._over:
            self.shut()

    def shut(self) -> None:
        self._over = True
        with self._lock:
            for one in self._open:
                try:
                    # not SSLSocket.shutdown, which would drop the encryption first
                    socket.socket.shutdown(one, socket.SHUT_RDWR)
                except OSError:
                    continue


class _WatchingAdapter(HTTPAdapter):
    """Adapter whose connections tell which sockets they opened."""

    def __init__(self, sockets: _Sockets, secret_target: str | None) -> None:
        self._pools = _watching_pools(sockets, secret_target)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _watching_pools(
    sockets: _Sockets, secret_target: str | None
) -> dict[str, type[HTTPConnectionPool]]:
    """Pools whose connections tell their sockets and alone know keys in addresses."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

        def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            super().putrequest(method, secret_target or url, *args, **kwargs)

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

        def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            super().putrequest(method, secret_target or url, *args, **kwargs)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


def _exchange(
    request: HttpRequest,
    sockets: _Sockets,
    timeout: tuple[float, float],
    max_bytes: int,
    route: Route,
) -> HttpAnswer:
    proxy = route.proxy_for(request.url)
    with requests.Session() as session:
        # else ~/.netrc would replace the key, and os.environ choose the proxy
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, _WatchingAdapter(sockets, request.secret_target))
        with session.get(
            request.address,
            headers={"Accept": request.media} | _HEADERS | _revealed(request.headers),
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            verify=route.certificates or True,
            proxies={} if proxy is None else {"https": proxy},
        ) as response:
            return HttpAnswer(
                status=response.status_code,
                headers={k.lower(): v for k, v in response.headers.items()},
                body=_body(response, max_bytes),
            )


def _revealed(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    return {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in headers.items()
    }


def _body(response: requests.Response, max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise AnswerRefusedError(f"the answer is longer than {max_bytes:,} bytes")
    return bytes(body)


def _cause(error: BaseException) -> str:
    """What happened, in words of the system alone.

    Messages of HTTP libraries hold addresses and proxies, hence perhaps passwords.
    """
    seen: BaseException | None = error
    found = type(error).__name__
    while seen is not None:
        inner = getattr(seen, "reason", None)
        if isinstance(seen, OSError) and seen.strerror:
            found = seen.strerror
        elif isinstance(seen, HTTPError | HTTPException):
            found = type(seen).__name__
        following = inner if isinstance(inner, BaseException) else None
        args = (a for a in seen.args if isinstance(a, BaseException))
        seen = following or next(args, None) or seen.__cause__ or seen.__context__
    return found
