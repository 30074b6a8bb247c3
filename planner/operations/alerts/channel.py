"""A channel: the contract of everything that messages are sent over."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from planner.executor.backends.http_call import Network
from planner.executor.backends.secret_variable import secret_text
from planner.operations.alerts.message import Message
from planner.operations.errors import AlertRefusedError

if TYPE_CHECKING:
    from inputs.settings_operations import AlertTable
    from planner.executor.backends.deadline import CallLimits

_FROM_VARIABLE = "env:"


class Channel(Protocol):
    """Sends messages one way to one place."""

    def send(self, message: Message, limits: CallLimits) -> None:
        """Deliver a message within the limits, trying once.

        Raises
        ------
        AlertRefusedError
            If it surely was not taken and never will be.
        AlertError
            If it was not, or perhaps not, delivered.
        """


def channel_of(alert: AlertTable, environ: Mapping[str, str]) -> Channel:
    """The channel that a table of planner.toml describes.

    Parameters
    ----------
    alert
        Its table, checked.
    environ
        Holds its secrets, and ``SSL_CERT_FILE`` for certificates of one's own.
    """
    from planner.operations.alerts.mail import Mail
    from planner.operations.alerts.slack import Slack
    from planner.operations.alerts.webhook import Webhook

    if alert.kind == "email":
        return Mail(alert, environ)
    return (Webhook if alert.kind == "webhook" else Slack)(alert, environ)


def revealed(text: str, environ: Mapping[str, str]) -> str:
    """What a setting says, or the variable that it names.

    Raises
    ------
    AlertRefusedError
        If the variable is not set.
    """
    if not text.startswith(_FROM_VARIABLE):
        return text
    name = text.removeprefix(_FROM_VARIABLE)
    found = secret_text(environ, name)
    if found is None:
        raise AlertRefusedError(f"set {name}, or {name}_FILE to a file")
    return found


def networks(alert: AlertTable) -> tuple[Network, ...]:
    """What may be connected to though it is not public."""
    return tuple(ipaddress.ip_network(text) for text in alert.allow)


def secrets_of(alert: AlertTable, environ: Mapping[str, str]) -> list[str]:
    """Texts of a channel that no log line or message may hold."""
    found = [alert.password] if alert.password else []
    if alert.url is not None:
        found.append(alert.url.get_secret_value())
    texts = []
    for text in found:
        if text.startswith(_FROM_VARIABLE):
            texts.append(secret_text(environ, text.removeprefix(_FROM_VARIABLE)) or "")
        else:
            texts.append(text)
    return [text for text in texts if text]
