"""The schema of what watches over a site: ``[metrics]`` and ``[[alerts]]``."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from inputs.settings_table import Duration, Table

ALERT_VARIABLE = r"env:PLANNER_ALERT_[A-Z0-9_]{1,100}"
"""Jobs inherit the executor's variables except those that begin ``PLANNER_``."""

_MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}"
)
_SERVER = re.compile(r"[A-Za-z0-9.-]{1,253}:(\d{1,5})")

Address = Annotated[str, Field(max_length=2048)]
Texts = Annotated[tuple[str, ...], Field(strict=False, max_length=64)]
Trouble = Literal["failed", "missed", "unknown", "degraded", "refused", "budget"]


class MetricsTable(Table):
    """``[metrics]``: figures for Prometheus, as a file and as an endpoint.

    ``listen`` is an address of this machine and a port. One that other machines can
    reach is refused unless ``allow_public`` is set, because the figures name jobs'
    regions and plans to anybody who asks.
    """

    textfile: str | None = None
    listen: str | None = None
    allow_public: bool = False

    @field_validator("textfile")
    @classmethod
    def _collected(cls, textfile: str | None) -> str | None:
        if textfile is not None and not textfile.endswith(".prom"):
            raise ValueError("a file ending in .prom, or it is not collected")
        return textfile

    @field_validator("listen")
    @classmethod
    def _address_and_port(cls, listen: str | None) -> str | None:
        if listen is not None and host_and_port(listen) is None:
            raise ValueError('an IP address and a port, such as "127.0.0.1:9464"')
        return listen

    @property
    def endpoint(self) -> tuple[str, int] | None:
        """Address and port to listen at, None for no endpoint."""
        return None if self.listen is None else host_and_port(self.listen)


class AlertTable(Table):
    """``[[alerts]]``: who is told of which trouble, and how.

    Passwords, and addresses that are secret themselves, stand in the environment:
    ``env:PLANNER_ALERT_…``.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = (
        None
    )
    kind: Literal["webhook", "slack", "email"]
    on: Annotated[tuple[Trouble, ...], Field(strict=False, min_length=1)] = (
        "failed",
        "missed",
        "unknown",
        "degraded",
        "refused",
    )
    url: Annotated[SecretStr, Field(max_length=2048)] | None = None
    server: str | None = None
    sender: str | None = None
    to: Texts = ()
    user: str | None = None
    password: str | None = None
    starttls: bool = True
    allow: Texts = ()
    repeat: Duration = timedelta(hours=6)
    per_hour: Annotated[int, Field(ge=1, le=3600)] = 20
    budget_share: Annotated[float, Field(gt=0, le=1)] = 0.9

    @field_validator("allow")
    @classmethod
    def _networks(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for text in allow:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                raise ValueError("networks such as 10.1.0.0/16") from None
        return allow

    @field_validator("server")
    @classmethod
    def _host_with_port(cls, server: str | None) -> str | None:
        found = None if server is None else _SERVER.fullmatch(server)
        if server is not None and not (found and 0 < int(found[1]) < 65536):
            raise ValueError('a host and a port, such as "smtp.example.org:587"')
        return server

    @field_validator("to", "sender")
    @classmethod
    def _mail_addresses(
        cls, value: tuple[str, ...] | str | None
    ) -> tuple[str, ...] | str | None:
        for text in (value,) if isinstance(value, str) else value or ():
            if not _MAIL_ADDRESS.fullmatch(text):
                raise ValueError("plain mail addresses such as ops@example.org")
        return value

    @field_validator("password")
    @classmethod
    def _from_environment(cls, password: str | None) -> str | None:
        if password is not None and not re.fullmatch(ALERT_VARIABLE, password):
            raise ValueError("env:PLANNER_ALERT_… , never the password itself")
        return password

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What does not fit together: key, what was found, what was expected."""
        mail = {"server": self.server, "sender": self.sender, "to": self.to}
        for key, value in mail.items():
            if self.kind == "email" and not value:
                yield key, "nothing", "a value, because kind is email"
            if self.kind != "email" and value:
                yield key, "a value", f"none, because kind is {self.kind}"
        if self.kind == "email":
            if self.url is not None:
                yield "url", "a value", "none, because kind is email"
            if (self.user is None) != (self.password is None):
                yield "user", "user or password alone", "both or neither"
            if self.password is not None and not self.starttls:
                yield "starttls", "false", "true where there is a password"
            if self.server and not self.starttls and not _is_here(self.server):
                yield "starttls", "false", "true, unless the server is 127.0.0.1"
        elif self.url is None:
            yield "url", "nothing", "an https address, or env:PLANNER_ALERT_…"
        elif not _may_be_address(self.url.get_secret_value()):
            yield "url", "something else", "an https address, or env:PLANNER_ALERT_…"


def host_and_port(text: str) -> tuple[str, int] | None:
    """An IP address and a port as they are written, ``[::1]:9464`` for IPv6."""
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    bracketed = host.startswith("[")
    if bracketed != (address.version == 6) or not re.fullmatch(r"\d{1,5}", port):
        return None
    return (str(address), int(port)) if int(port) < 65536 else None


def is_public(host: str) -> bool:
    """Whether an address of this machine can be reached from others."""
    return not ipaddress.ip_address(host).is_loopback


def _is_here(server: str) -> bool:
    found = host_and_port(server)
    return found is not None and not is_public(found[0])


def _may_be_address(text: str) -> bool:
    if text.startswith("env:"):
        return re.fullmatch(ALERT_VARIABLE, text) is not None
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
