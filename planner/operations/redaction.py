"""Secrets removed from whatever is about to be written, as the last line of defence.

Nothing writes a secret on purpose. But messages of services and libraries are quoted
in logs, and one of them may repeat what it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from urllib.parse import urlsplit

_NAMES = re.compile(
    r"(?:^|_)(?:KEY|KEYS|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS)(?:_|$)"
    r"|^PLANNER_ALERT_"
)
_NOT_SECRET = re.compile(r"_FILE$|_ID$")


class Redactor:
    """Blots out the values of variables whose names say that they are secret.

    Parameters
    ----------
    environment
        All environment variables. Passwords inside of addresses are secret, too.
    more
        Further secrets, such as addresses of channels.
    """

    def __init__(
        self, environment: Mapping[str, str], more: Iterable[str] = ()
    ) -> None:
        self._environment = environment
        self._more = tuple(more)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, "***")
        return text

    @cached_property
    def _spellings(self) -> list[str]:
        from forecasts.http.secret import Secret, spellings

        found = [*self._more]
        for name, value in self._environment.items():
            if _NAMES.search(name) and not _NOT_SECRET.search(name):
                found += [value, *value.split()]
            if "://" in value and "@" in value:
                found += _passwords(value)
        return spellings(Secret(value) for value in found if value)


def _passwords(address: str) -> list[str]:
    try:
        password = urlsplit(address).password
    except ValueError:
        return []
    return [password] if password else []
