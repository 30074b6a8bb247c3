"""Leaving when told to: the call that is under way is finished, jobs live on."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from planner.cli.exit_codes import ExitCode

LEAVE_WITHIN_S = 30.0
"""After this long a call that does not end is given up. What was being sent is looked
up by its key at the next start, as after any other sudden end. [s]"""


class Leaving:
    """Whether this process was told to leave, and by which signal.

    Parameters
    ----------
    within_s
        How long the call under way may still take after the first signal. [s]
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        # Not an Event: a signal that comes while the same thread waits for one, and
        # holds its lock, would wait for that lock for ever.
        self._reader, self._writer = os.pipe()
        self._by: int | None = None

    @property
    def exit_code(self) -> ExitCode:
        """Being interrupted is told from being asked to end."""
        if self._by == signal.SIGINT:
            return ExitCode.INTERRUPTED
        return ExitCode.DONE

    def told(self) -> bool:
        """Whether to leave as soon as the call under way has ended."""
        return self._by is not None

    def wait(self, seconds: float) -> bool:
        """Sleep for some seconds, or until told to leave; whether it was told."""
        if not self.told():
            select.select([self._reader], [], [], seconds)
        return self.told()

    def handle(self, number: int, _: FrameType | None) -> None:
        """Take in a signal; the second one ends the process like Ctrl-C."""
        if self.told():
            raise KeyboardInterrupt
        self._by = number
        os.write(self._writer, b"x")
        last_resort = threading.Timer(self._within_s, os._exit, [128 + number])
        last_resort.daemon = True
        last_resort.start()

    def close(self) -> None:
        """Give back what waiting needed."""
        os.close(self._reader)
        os.close(self._writer)


@contextmanager
def leaving_on_signals(within_s: float = LEAVE_WITHIN_S) -> Iterator[Leaving]:
    """Take in SIGTERM and SIGINT while the block lasts."""
    leaving = Leaving(within_s)
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, leaving.handle) for number in numbers]
    try:
        yield leaving
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        leaving.close()
