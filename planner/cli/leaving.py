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
AT_ONCE_S = 1.0
"""What the second signal leaves of that. [s]"""
TOLD_BY = (signal.SIGTERM, signal.SIGINT)


class Leaving:
    """Whether this process was told to leave, and by which signal.

    Parameters
    ----------
    within_s
        How long the call under way may still take after the first signal. [s]

    Notes
    -----
    Python runs a handler in the main thread, between any two steps of whatever that
    does, and not before a call into C returns. So the handler itself only notes what
    came. Everything else is up to a thread of its own that is there from the
    beginning: the interpreter writes each signal into a pipe the moment it comes, the
    thread reads it there, wakes who waits, and ends the process if it stays too long.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._by: int | None = None
        self._came = threading.Event()
        self._reader, self.wakeup = os.pipe()
        os.set_blocking(self.wakeup, False)
        self._thread = threading.Thread(target=self._see_to_it, daemon=True)
        self._thread.start()

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
        return self._came.wait(seconds) or self.told()

    def handle(self, number: int, _: FrameType | None) -> None:
        """Take in a signal; the second one ends the process like Ctrl-C."""
        if self.told():
            raise KeyboardInterrupt
        self._by = number

    def close(self) -> None:
        """Give back what waiting needed."""
        os.close(self.wakeup)
        self._thread.join()
        os.close(self._reader)

    def _see_to_it(self) -> None:
        number, limit_s = 0, None
        while select.select([self._reader], [], [], limit_s)[0]:
            said = os.read(self._reader, 1)
            if not said:
                return
            if said[0] in TOLD_BY:
                limit_s = AT_ONCE_S if number else self._within_s
                number = said[0]
                self._came.set()
        os._exit(128 + number)


@contextmanager
def leaving_on_signals(within_s: float = LEAVE_WITHIN_S) -> Iterator[Leaving]:
    """Take in SIGTERM and SIGINT while the block lasts."""
    leaving = Leaving(within_s)
    wakeup = signal.set_wakeup_fd(leaving.wakeup, warn_on_full_buffer=False)
    before = [signal.signal(number, leaving.handle) for number in TOLD_BY]
    try:
        yield leaving
    finally:
        for number, handler in zip(TOLD_BY, before, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        leaving.close()
