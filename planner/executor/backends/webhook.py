"""Hands jobs to anything that speaks the protocol of docs/backends/webhook.md."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from planner.executor.backends import http_call, webhook_protocol
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.deadline import CallLimits
from planner.executor.backends.everywhere import first_known, longest_settle
from planner.executor.backends.http_call import Answer, Call, Network
from planner.executor.backends.order_checks import impossible_words
from planner.executor.backends.registry import Place
from planner.executor.backends.secret_variable import secret_text
from planner.executor.backends.settings import (
    Regional,
    SettingValueError,
    read_settings,
)
from planner.executor.backends.statuses import error_for
from planner.executor.backends.webhook_protocol import KEY, SIGNATURE, TIMESTAMP
from planner.executor.backends.wording import one_line
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from planner.executor.keys import KEY_PATTERN

NAME = "webhook"
VARIABLE = "PLANNER_WEBHOOK_KEY"
_SHORTEST_SECRET = 16
_TAKEN = frozenset({200, 201, 202})
_ANSWERED = frozenset({200, 202, 404})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Keys of ``[executor.webhook]``.

    Parameters
    ----------
    url
        Where orders are posted; ``/KEY`` is added for questions about one.
    allow
        Networks such as ``10.1.0.0/16`` that may be connected to though they are
        not public; only a loopback one may be spoken to without encryption.
    key_variable
        Environment variable with the secret that requests are signed with; or the
        same name and ``_FILE`` for a file.
    settle_s
        How long after a sending the receiver may still come to know of it. [s]
    """

    url: str
    allow: tuple[str, ...] = ()
    key_variable: str = VARIABLE
    settle_s: float = 60.0

    def __post_init__(self) -> None:
        """Check what no type can tell."""
        if not 0 <= self.settle_s <= 3600:
            raise SettingValueError("settle_s", "a number from 0 to 3600")
        if not self.key_variable.startswith(VARIABLE):
            raise SettingValueError("key_variable", f"a name that begins {VARIABLE}")
        try:
            allowed = self.networks
        except ValueError:
            expected = "networks such as 10.1.0.0/16"
            raise SettingValueError("allow", expected) from None
        if not http_call.is_usable(self.url, allowed):
            expected = (
                "an https address without user, query or fragment; http only for a "
                "loopback address in allow"
            )
            raise SettingValueError("url", expected)

    @property
    def networks(self) -> tuple[Network, ...]:
        """What ``allow`` says."""
        return tuple(ipaddress.ip_network(text) for text in self.allow)


class Webhook:
    """Back end ``webhook``.

    Parameters
    ----------
    settings
        Address of each region; never taken from a job.
    environ
        Holds the secret, and ``SSL_CERT_FILE`` if the receiver's certificate is
        signed by an authority of one's own.
    limits
        How long the receiver may take.
    clock
        Seconds since 1970, for the signature.
    """

    name = NAME
    refuses_repeats = False
    at_once = 8

    def __init__(
        self,
        settings: Regional[WebhookSettings],
        *,
        environ: Mapping[str, str],
        limits: CallLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._limits = limits or CallLimits()
        self._clock = clock

    @property
    def settle(self) -> timedelta:
        """The longest that any region asks for."""
        return longest_settle(self._settings)

    def submit(self, order: Order) -> Report:
        """Post the order; the receiver knows a second one by its key."""
        settings = self._settings.of(order.region)
        if not KEY_PATTERN.fullmatch(order.key):
            raise RejectedError(f"{one_line(order.key)!r} is not a key")
        if faults := list(impossible_words(order)):
            raise RejectedError(f'job "{order.job_id}": {"; ".join(faults)}')
        body = webhook_protocol.order_body(order)
        answer = self._send(settings, "POST", settings.url, order.key, body)
        if answer.status not in _TAKEN:
            raise _refusal(answer)
        try:
            report = webhook_protocol.report_of(answer.body, key=order.key)
        except webhook_protocol.ProtocolError as error:
            raise UncertainError(f"webhook: {error}") from error
        if report.phase is Phase.ABSENT:
            raise UncertainError("webhook: it answers that it does not know the key")
        return report

    def look_up(self, key: str) -> Report:
        """Ask every receiver of the settings."""
        return first_known(
            self._settings.distinct(), lambda place: self._ask(place, "GET", key)
        )

    def status(self, key: str, handle: str | None) -> Report:
        """Ask; the handle says nothing that the key does not."""
        return self.look_up(key)

    def cancel(self, key: str, handle: str | None) -> Report:
        """Have it ended, or closed for good by every receiver of the settings."""
        closed = Report(phase=Phase.ABSENT)
        for settings in self._settings.distinct():
            report = self._ask(settings, "DELETE", key)
            if report.phase not in (Phase.ABSENT, Phase.CANCELLED):
                return report
            closed = report
        return closed

    def logs(self, key: str, handle: str | None) -> Logs:
        """Where the receiver said that the output is; asks nobody."""
        stdout, stderr = webhook_protocol.outputs_of(handle)
        return Logs(stdout=stdout, stderr=stderr)

    def _ask(self, settings: WebhookSettings, method: str, key: str) -> Report:
        url = f"{settings.url.rstrip('/')}/{key}"
        answer = self._send(settings, method, url, key, b"")
        if answer.status not in _ANSWERED:
            raise BackendError(_said(answer))
        try:
            return webhook_protocol.report_of(answer.body, key=key)
        except webhook_protocol.ProtocolError as error:
            raise BackendError(f"webhook: HTTP {answer.status}, {error}") from error

    def _send(
        self, settings: WebhookSettings, method: str, url: str, key: str, body: bytes
    ) -> Answer:
        secret = _secret(self._environ, settings.key_variable)
        timestamp = str(int(self._clock()))
        signed = webhook_protocol.signature(
            secret,
            timestamp=timestamp,
            method=method,
            path=urlsplit(url).path or "/",
            body=body,
        )
        call = Call(
            method=method,
            url=url,
            headers={
                "Content-Type": "application/json",
                KEY: key,
                TIMESTAMP: timestamp,
                SIGNATURE: signed,
            },
            body=body,
            allowed=settings.networks,
            certificates=self._environ.get("SSL_CERT_FILE") or None,
        )
        return http_call.send(call, self._limits)


def in_workspace(place: Place) -> Webhook:
    """The back end as ``[executor.webhook]`` sets it up."""
    settings = read_settings(WebhookSettings, place.settings, NAME)
    return Webhook(settings, environ=place.environ)


def _secret(environ: Mapping[str, str], name: str) -> bytes:
    """The shared secret, from its variable or its file."""
    secret = (secret_text(environ, name) or "").encode()
    if len(secret) < _SHORTEST_SECRET:
        raise NotTakenError(
            f"webhook: set {name}, or {name}_FILE to a file, to a secret of "
            f"{_SHORTEST_SECRET} characters or more"
        )
    return secret


def _refusal(answer: Answer) -> BackendError:
    """What an answer to an order that is not a good one tells."""
    said = _said(answer)
    try:
        not_taken = webhook_protocol.content_of(answer.body).get("taken") is False
    except webhook_protocol.ProtocolError:
        not_taken = False
    if answer.status >= 500 and not_taken:
        return NotTakenError(said)
    return error_for(answer.status, said)


def _said(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"webhook: HTTP {answer.status}; redirects are not followed, mend url"
    text = one_line(answer.body.decode("utf-8", errors="replace"))
    return f"webhook: HTTP {answer.status}, {text or 'nothing'}"
