"""Standard streams that always take what is written to them."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_BLOCKS = "▁█"
_PLAIN = {
    "─": "-",
    "–": "-",
    "−": "-",  # the sign of a figure, which must not be lost
    "…": "...",
    "≤": "<=",
    "₂": "2",
    "·": "-",
    "→": "->",
}
_ERRORS = "planner.plain"


def make_sure() -> None:
    """Open what was closed on the null device, and let no character be refused.

    A scheduler may start a program without some of its streams; the next file that
    is opened would then take their place, and be written to by whatever prints. What
    a locale cannot show is written plainly: a plan that is written does not fail
    because of how it is told.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, nowhere)
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error(_ERRORS, _plainly)
        sys.stdout.reconfigure(errors=_ERRORS)  # stderr has a way of its own


@contextmanager
def on_full_disks() -> Iterator[None]:
    """Go on where what is told cannot be stored: work matters more than its record."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise


def is_refused() -> bool:
    """Whether standard output takes nothing, as on a full disk; one more line tells.

    Then it is given up: Python would try again at the end, and change the exit status.
    """
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
        return True
    return False


def shows_blocks() -> bool:
    """Whether stdout's encoding has the characters that strips are drawn with."""
    encoding = sys.stdout.encoding or "utf-8"
    if encoding.lower() == "ascii":  # which is nobody's choice; click writes UTF-8
        return True
    try:
        _BLOCKS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_PLAIN.get(char, "?") for char in lost), error.end
