"""Text from outside, as a reason or an error may quote it."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 300
"""Most characters quoted."""

HIDDEN = "***"


def one_line(text: object, *, hide: Iterable[str] = ()) -> str:
    r"""Printable, short, on one line, without some secrets.

    Examples
    --------
    >>> one_line("no such\n queue s3cret", hide=["s3cret"])
    'no such queue ***'
    """
    shown = str(text)
    for secret in hide:
        shown = shown.replace(secret, HIDDEN) if secret else shown
    shown = " ".join("".join(c if c.isprintable() else " " for c in shown).split())
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"


def ending(exit_code: int | None, *said: str | None) -> str | None:
    """Reason of an end: the exit status if it is not 0, and what the service says.

    Examples
    --------
    >>> ending(137, "task exited", None)
    'exit status 137: task exited'
    """
    status = f"exit status {exit_code}" if exit_code else None
    return one_line(": ".join(text for text in (status, *said) if text)) or None
