"""Seeing a job through: its output read, its end noticed, or brought about.

Standard library only: the runner of every shell job imports this.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from planner.executor.capped_output import CappedOutput

CHUNK = 1 << 18
LINGER_S = 1.0
"""How long output is still read after the job ended but left children writing."""
GRACE_S = 10.0
"""How long a job that is told to end has until it is killed."""
LOOK_AGAIN_S = 0.2
"""How often is looked whether children that outlive a job told to end are gone."""


@dataclass(slots=True)
class EndWish:
    """That the job shall end. It may come as soon as the claim tells whom to ask."""

    made: bool = False

    def make(self, *_: object) -> None:
        """Handle SIGTERM."""
        self.made = True


class Supervision:
    """Reads a job's output, ends it when told to, and notices its end.

    Parameters
    ----------
    child
        The job, leader of its own process group.
    timeout_s
        Longest running time, None for no limit. [s]
    wish
        Somebody's, that it shall end.
    grace_s
        How long it has from being told to end until it is killed. [s]
    """

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        *,
        timeout_s: float | None,
        wish: EndWish,
        grace_s: float = GRACE_S,
    ) -> None:
        self.stopped: str | None = None
        self._child, self._wish, self._grace_s = child, wish, grace_s
        self._times_out = None if timeout_s is None else time.monotonic() + timeout_s
        self._kills_at: float | None = None
        self._outputs: dict[int, CappedOutput] = {}
        self._poll = select.poll()
        self._wake, wake_end = os.pipe()
        for end in (self._wake, wake_end):
            os.set_blocking(end, False)
        self._poll.register(self._wake, select.POLLIN)
        signal.set_wakeup_fd(wake_end)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def watch(self, stream: Any, output: CappedOutput) -> None:
        """Keep what a stream of the job says."""
        os.set_blocking(stream.fileno(), False)
        self._outputs[stream.fileno()] = output
        self._poll.register(stream.fileno(), select.POLLIN)

    def until_end(self) -> None:
        """Return when the job has ended and its output is stored."""
        while self._child.poll() is None or self._is_outlived():
            self._stop_if_needed()
            self._wait(self._seconds_left())
        linger_until = time.monotonic() + LINGER_S
        while self._outputs and time.monotonic() < linger_until:
            self._wait(linger_until - time.monotonic())
        for handle in list(self._outputs):
            self._finish(handle)

    def _is_outlived(self) -> bool:
        """Whether processes that a job has started take longer to end when told to."""
        if self._kills_at is None:
            return False
        try:
            os.killpg(self._child.pid, 0)
        except OSError:
            return False
        return True

    def _seconds_left(self) -> float | None:
        if self._child.returncode is not None:
            return LOOK_AGAIN_S  # nobody tells when the last of its children has ended
        ends = self._kills_at if self.stopped else self._times_out
        return None if ends is None else max(0.0, ends - time.monotonic())

    def _stop_if_needed(self) -> None:
        now = time.monotonic()
        if self._kills_at is not None and now >= self._kills_at:
            self._signal(signal.SIGKILL)
            self._kills_at = None
        if self.stopped is not None:
            return
        if self._wish.made:
            self._stop("cancelled")
        elif self._times_out is not None and now >= self._times_out:
            self._stop("timeout")

    def _stop(self, reason: str) -> None:
        self.stopped = reason
        self._kills_at = time.monotonic() + self._grace_s
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        # A job that has become another user's (sudo) cannot be told; it ends by itself.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, number)

    def _wait(self, seconds: float | None) -> None:
        timeout_ms = None if seconds is None else seconds * 1000 + 1
        for handle, _ in self._poll.poll(timeout_ms):
            if handle == self._wake:
                os.read(self._wake, CHUNK)
            else:
                self._read(handle)

    def _read(self, handle: int) -> None:
        try:
            data = os.read(handle, CHUNK)
        except BlockingIOError:
            return
        if data:
            self._outputs[handle].write(data)
        else:
            self._finish(handle)

    def _finish(self, handle: int) -> None:
        self._poll.unregister(handle)
        self._outputs.pop(handle).close()
