"""What is sent to a service and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote, urlencode, urlsplit

from forecasts.http.secret import HIDDEN, Secret, spellings

SHOWN = 80
"""Characters of an answer that messages and logs quote at most."""


class Media(StrEnum):
    """What an answer is written in; anything else is not the service speaking."""

    JSON = "application/json"
    XML = "application/xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A GET request.

    Parameters
    ----------
    url
        Address without query. ``***`` in it is where ``url_key`` goes.
    params
        Query; keys and passwords are a ``Secret``.
    headers
        Sent with it; keys and passwords are a ``Secret``.
    url_key
        Key that the service wants in the path of its address.
    gives_key
        Whether the answer is a key, perhaps one that is known already, and must
        come as it was sent.
    media
        What the answer must be written in.
    answers
        Statuses besides 200 and 204 whose body is an answer to be read.
    busy_until
        Reads from a 429 or 503 until when the service wants to be left alone, given
        the clock; None if it does not say. ``Retry-After`` goes first.
    """

    url: str
    params: Mapping[str, str | Secret] = field(
        default_factory=lambda: MappingProxyType({})
    )
    headers: Mapping[str, str | Secret] = field(
        default_factory=lambda: MappingProxyType({})
    )
    url_key: Secret | None = None
    gives_key: bool = False
    media: Media = Media.JSON
    answers: frozenset[int] = frozenset()
    busy_until: Callable[[HttpAnswer, datetime], datetime | None] | None = None

    @property
    def address(self) -> str:
        """Address with its query, as it may be shown and kept: ``***`` for keys."""
        return self._address(revealed=False)

    @property
    def secret_target(self) -> str | None:
        """Path and query as they go over the wire, if there are keys in them.

        Nothing but the connection itself may see it: libraries log and quote what
        they are given.
        """
        if self.url_key is None and not _secrets_in(self.params):
            return None
        parts = urlsplit(self._address(revealed=True))
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path

    def _address(self, *, revealed: bool) -> str:
        def text(value: str | Secret) -> str:
            if isinstance(value, str):
                return value
            return value.reveal() if revealed else HIDDEN

        url = self.url
        if revealed and self.url_key is not None:
            url = url.replace(HIDDEN, quote(self.url_key.reveal(), safe=""), 1)
        query = urlencode({k: text(v) for k, v in self.params.items()}, safe="*")
        return f"{url}?{query}" if query else url

    @property
    def origin(self) -> str:
        """Scheme, host and port: whom a redirect must not leave."""
        return origin_of(self.url)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must not be shown of it."""
        keys = () if self.url_key is None else (self.url_key,)
        return (*_secrets_in(self.headers), *_secrets_in(self.params), *keys)


def _secrets_in(values: Mapping[str, str | Secret]) -> tuple[Secret, ...]:
    return tuple(value for value in values.values() if isinstance(value, Secret))


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
        return named or self._beginning.startswith(b"<")

    @property
    def is_page(self) -> bool:
        """Whether this is a page for people, whatever it calls itself."""
        if self.media_type.endswith(("html", "xhtml+xml")):
            return True
        return self._beginning.lower().startswith((b"<!doctype html", b"<html"))

    @property
    def _beginning(self) -> bytes:
        return self.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")

    def is_other_than(self, media: Media) -> bool:
        """Whether this is clearly not what was asked for."""
        return self.is_page if media is Media.XML else self.is_markup


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
