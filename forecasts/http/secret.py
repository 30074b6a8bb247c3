"""Keys and passwords: taken from the environment, shown nowhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from forecasts.errors import ForecastUnavailableError

HIDDEN = "***"
_MAX_BYTES = 16_384
_SHORTEST = 8
"""Shorter texts are not looked for: they would blot out innocent words."""


class Secret:
    """A text that is sent, and never shown.

    Parameters
    ----------
    value
        What is sent.
    parts
        Secrets that this one was made from, such as a password; hidden as well.
    """

    __slots__ = ("_parts", "_value")

    def __init__(self, value: str, parts: Iterable[str] = ()) -> None:
        self._value = value
        self._parts = (value, *parts)

    def reveal(self) -> str:
        """Give the text itself, for the moment of sending."""
        return self._value

    def spellings(self) -> set[str]:
        """Forms in which the secret or a part of it may appear in a text."""
        plain = {part for part in self._parts if len(part) >= _SHORTEST}
        quoted = {
            coding(part, safe="") for part in plain for coding in (quote, quote_plus)
        }
        return plain | quoted

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"


def bearer(token: str) -> Secret:
    """Value of an ``Authorization`` header for a token."""
    return Secret(f"Bearer {token}", (token,))


def basic(user: Secret, password: Secret) -> Secret:
    """Value of an ``Authorization`` header for a user and a password."""
    pair = f"{user.reveal()}:{password.reveal()}".encode()
    coded = base64.b64encode(pair).decode()
    return Secret(f"Basic {coded}", (coded, password.reveal()))


def from_environment(environment: Mapping[str, str], name: str) -> Secret:
    """Secret in a variable, or in the file that the variable ``NAME_FILE`` names.

    Raises
    ------
    ForecastUnavailableError
        If neither is set, or what is there cannot be sent in a header.
    """
    text = environment.get(name) or _from_file(environment, f"{name}_FILE")
    if text is None:
        raise ForecastUnavailableError(
            f"no key: set the environment variable {name}, or {name}_FILE to a file"
        )
    text = text.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise ForecastUnavailableError(
            f"{name} holds no key: expected visible ASCII characters on one line"
        )
    return Secret(text)


def optional_from_environment(
    environment: Mapping[str, str], name: str
) -> Secret | None:
    """Secret as ``from_environment`` gives it; None if neither variable is set.

    Raises
    ------
    ForecastUnavailableError
        If one is set, and what is there cannot be sent.
    """
    if not (environment.get(name) or environment.get(f"{name}_FILE")):
        return None
    return from_environment(environment, name)


def _from_file(environment: Mapping[str, str], name: str) -> str | None:
    path = environment.get(name)
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise ForecastUnavailableError(
            f"the file that {name} names cannot be read: {reason}"
        ) from None


def spellings(secrets: Iterable[Secret]) -> list[str]:
    """Every text to be hidden, longest first, so that none is hidden by halves."""
    every = {spelling for secret in secrets for spelling in secret.spellings()}
    return sorted(every, key=lambda text: (-len(text), text))
