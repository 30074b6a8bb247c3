"""The one way to ask a service: bounded, patient within reason, and discreet."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import MappingProxyType
from urllib.parse import urlsplit

from forecasts.http.cool_down import CoolDowns
from forecasts.http.errors import (
    AnswerRefusedError,
    HttpError,
    KeyRefusedError,
    PassingFaultError,
    RestingError,
)
from forecasts.http.limits import (
    MAX_COOL_DOWN_S,
    UNTOLD_COOL_DOWN_S,
    Limits,
    retry_after_s,
    wait_s,
)
from forecasts.http.message import (
    HttpAnswer,
    HttpRequest,
    beginning,
    without_secrets,
)
from forecasts.http.redirects import redirected
from forecasts.http.secret import Secret

logger = logging.getLogger(__name__)

_GOOD = frozenset({200, 204})
_KEY = frozenset({401, 403})
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_BUSY = frozenset({429, 503})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
EXTRAS_SHARE = 1 / 6
"""Part of the time for a host that goes to what can be done without."""

_NO_MORE_S = 0.01
"""Time left below which nothing is begun. [s]"""


@dataclass
class _Host:
    """What one run has spent on a host, and why it no longer asks it."""

    spent_s: float = 0.0
    given_up: str | None = None
    extras_s: float = 0.0
    no_extras: bool = False


class HttpClient:
    """Asks services for one run; no library is loaded before the first request.

    It promises, for each host and whatever that host does: an end within
    ``limits.total_s`` in one run, over all requests together; nothing sent while
    the host rests, in this run or a later one; only passing faults retried, never
    sooner than was asked; no redirect to another host, no untrusted certificate; no
    key in a message, a log, or on an unencrypted way to another machine.

    Parameters
    ----------
    now
        The clock when the run began, aware; later instants count from it.
    environment
        Says how to get out: ``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``.
    memory
        Folder where resting hosts are remembered; None forgets them after the run.
    limits
        Bounds, where a request has none of its own.
    sleep, timer, rng
        How to wait, a steady clock [s], and where the spread of waits comes from.
    """

    def __init__(
        self,
        *,
        now: datetime,
        environment: Mapping[str, str] = MappingProxyType({}),
        memory: Path | None = None,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._begun, self._now = timer(), now
        self._environment = environment
        self._cool_downs = CoolDowns(memory)
        self._sleep, self._timer = sleep, timer
        self._rng = rng or Random()
        self._hosts: dict[str, _Host] = {}
        self._secrets: list[Secret] = []

    def get(self, request: HttpRequest, limits: Limits | None = None) -> HttpAnswer:
        """Ask, again if need be, and give the answer of status 200 or 204.

        A key that the service echoes is not in it, unless ``request.gives_key``.

        Parameters
        ----------
        request
            What to ask.
        limits
            Instead of those of the client.

        Raises
        ------
        HttpError
            If no usable answer comes within the limits.
        """
        limits = limits or self.limits
        self._secrets += request.secrets
        _refuse_open_secrets(request)
        host = self._hosts.setdefault(request.origin, _Host())
        self._refuse_resting(request.origin, host)
        for attempt in range(limits.attempts):
            try:
                return self._follow(request, host, limits)
            except PassingFaultError as fault:
                logger.info("%s", fault)
                asked_s = fault.retry_after_s
                wait = wait_s(attempt, asked_s=asked_s, limits=limits, rng=self._rng)
                used_up = host.spent_s + wait >= limits.total_s
                if used_up or attempt == limits.attempts - 1:
                    raise self._given_up(request, host, fault, attempt + 1) from None
            with self._spending(host):
                self._sleep(wait)
        raise AnswerRefusedError("limits allow no attempt")

    def get_if_easy(
        self, request: HttpRequest, limits: Limits | None = None
    ) -> HttpAnswer:
        """Ask once for what can be done without.

        All such requests together take a sixth of the time for a host at most. When
        one fails, no other is made to that host in this run; what must be had is
        still asked for, and the host is not remembered as one to be left alone.

        Raises
        ------
        HttpError
            If no usable answer comes at once.
        """
        limits = limits or self.limits
        host = self._hosts.setdefault(request.origin, _Host())
        left_s = limits.total_s * EXTRAS_SHARE - host.extras_s
        if host.no_extras or left_s < _NO_MORE_S:
            raise RestingError(f"{request.origin} is asked no extras in this run")
        self._secrets += request.secrets
        _refuse_open_secrets(request)
        self._refuse_resting(request.origin, host)
        before_s, host.no_extras = host.spent_s, True
        short = replace(limits, answer_s=min(limits.answer_s, left_s))
        try:
            answer = self._follow(request, host, short)
        finally:
            host.extras_s += host.spent_s - before_s
        host.no_extras = False
        return answer

    def _follow(self, request: HttpRequest, host: _Host, limits: Limits) -> HttpAnswer:
        """One attempt, with redirects within the host."""
        for _ in range(limits.redirects + 1):
            with self._spending(host):
                answer = self._send(request, host, limits)
            if answer.status not in _REDIRECTS:
                return self._judged(answer, request)
            request = redirected(request, answer)
        raise AnswerRefusedError(
            f"{request.url}: more than {limits.redirects} redirects"
        )

    def _send(self, request: HttpRequest, host: _Host, limits: Limits) -> HttpAnswer:
        from forecasts.http.transfer import Route, transfer

        seconds = min(limits.answer_s, limits.total_s - host.spent_s)
        if seconds < _NO_MORE_S:
            raise PassingFaultError(
                f"{request.url}: the {limits.total_s:g} s for this host are used up"
            )
        return transfer(
            request,
            connect_s=limits.connect_s,
            seconds=seconds,
            max_bytes=limits.max_bytes,
            route=Route.of(self._environment),
        )

    @contextmanager
    def _spending(self, host: _Host) -> Iterator[None]:
        begun = self._timer()
        try:
            yield
        finally:
            host.spent_s += self._timer() - begun

    def _judged(self, answer: HttpAnswer, request: HttpRequest) -> HttpAnswer:
        """The answer if its status and type are those of an answer."""
        clean = without_secrets(answer, self._secrets)
        status = answer.status
        said = f"{request.url}: HTTP {status}, {beginning(clean)}"
        if status in _PASSING:
            busy = status in _BUSY
            asked = self._asked_s(answer, request, busy=busy)
            raise PassingFaultError(said, retry_after_s=asked, busy=busy)
        if status in _KEY:
            raise KeyRefusedError(f"{said}; check the key and what it is for")
        if status not in _GOOD | request.answers:
            raise AnswerRefusedError(said)
        if answer.is_other_than(request.media):
            kind = answer.media_type or "no content type"
            raise AnswerRefusedError(f"{said}; this is a page ({kind}), not data")
        return answer if request.gives_key else clean

    def _asked_s(
        self, answer: HttpAnswer, request: HttpRequest, *, busy: bool
    ) -> float | None:
        """Wait that a refusal asks for, in its header or its body. [s]"""
        now = self._current()
        asked_s = retry_after_s(answer.headers.get("retry-after"), now)
        if asked_s is not None or not busy or request.busy_until is None:
            return asked_s
        until = request.busy_until(answer, now)
        if until is None:
            return None
        return min(max((until - now).total_seconds(), 0.0), MAX_COOL_DOWN_S)

    def _given_up(
        self, request: HttpRequest, host: _Host, fault: PassingFaultError, tried: int
    ) -> HttpError:
        """Remember that the host failed, for this run or as long as it asked for."""
        host.given_up = f"{fault}; gave up after {tried} attempts"
        if not fault.busy:
            return HttpError(host.given_up)
        rest_s = (
            UNTOLD_COOL_DOWN_S if fault.retry_after_s is None else (fault.retry_after_s)
        )
        until = self._current() + timedelta(seconds=rest_s)
        self._cool_downs.begin(request.origin, until)
        return HttpError(f"{host.given_up}; left alone until {_shown(until)}")

    def _refuse_resting(self, origin: str, host: _Host) -> None:
        until = self._cool_downs.until(origin, self._current())
        if until is not None:
            raise RestingError(f"{origin} asked to be left alone until {_shown(until)}")
        if host.given_up is not None:
            raise RestingError(f"not asked again in this run: {host.given_up}")

    def _current(self) -> datetime:
        return self._now + timedelta(seconds=self._timer() - self._begun)


def _refuse_open_secrets(request: HttpRequest) -> None:
    """A key goes over an encrypted way, or stays on this machine."""
    parts = urlsplit(request.url)
    if parts.scheme == "https" or not request.secrets:
        return
    if not _is_this_machine(parts.hostname or ""):
        raise AnswerRefusedError(
            f"{request.url}: a key is only sent over https; change base_url"
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
