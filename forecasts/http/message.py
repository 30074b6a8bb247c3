"""What is sent to a service and what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

from forecasts.http.secret import HIDDEN, Secret, spellings

SHOWN = 80
"""Characters of an answer that messages and logs quote at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A GET request.

    Parameters
    ----------
    url
        Address without query.
    params
        Query; holds no secret.
    headers
        Sent with it; keys and passwords are a ``Secret``.
    gives_key
        Whether the answer is a key, perhaps one that is known already, and must
        come as it was sent.
    """

    url: str
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, str | Secret] = field(
        default_factory=lambda: MappingProxyType({})
    )
    gives_key: bool = False

    @property
    def address(self) -> str:
        """Address with its query, as it may be shown and kept."""
        return f"{self.url}?{urlencode(self.params)}" if self.params else self.url

    @property
    def origin(self) -> str:
        """Scheme, host and port: whom a redirect must not leave."""
        return origin_of(self.url)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not be shown of it."""
        return tuple(v for v in self.headers.values() if isinstance(v, Secret))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """A whole answer.

    Parameters
    ----------
    status
        HTTP status.
    headers
        By lower-case name.
    body
        Decoded from any transfer coding.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """Content type without its parameters; empty if there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_markup(self) -> bool:
        """Whether this is a page for people or XML, whatever it calls itself."""
        named = self.media_type.endswith(("html", "xml"))
        return named or self.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, the port spelt out."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def without_secrets(answer: HttpAnswer, secrets: Iterable[Secret]) -> HttpAnswer:
    """Answer whose body does not echo what was sent in confidence."""
    hidden = HIDDEN.encode()
    body = answer.body
    for spelling in spellings(secrets):
        body = body.replace(spelling.encode(), hidden)
    return replace(answer, body=body)


def beginning(answer: HttpAnswer) -> str:
    """First characters of an answer, on one line."""
    text = answer.body[: 16 * SHOWN].decode("utf-8", errors="replace")
    return one_line(text) or "nothing"


def one_line(text: str) -> str:
    """Text from outside as messages may quote it: printable, short, on one line."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"
