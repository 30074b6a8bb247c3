"""A job's output in a file of bounded size: its beginning and its end.

Standard library only: the runner of every shell job imports this.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class CappedOutput:
    """Takes any amount of output and keeps the first and last part of it.

    Neither opening nor writing fails: what a full disk cannot take is counted as left
    out, since a job must not die or hang because its log does not fit.

    Parameters
    ----------
    path
        File to write.
    limit
        Most bytes to keep; a quarter of it is kept for the end. [bytes]
    """

    def __init__(self, path: Path, *, limit: int) -> None:
        self.total = 0
        self._tail_limit = limit // 4
        self._head_left = limit - self._tail_limit
        self._tail = bytearray()
        self._left_out = 0
        self._handle: int | None = None
        with contextlib.suppress(OSError):
            self._handle = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )

    def write(self, data: bytes) -> None:
        """Take the next part of the output."""
        self.total += len(data)
        head, rest = data[: self._head_left], data[self._head_left :]
        self._head_left -= len(head)
        self._store(head)
        self._tail += rest
        if len(self._tail) > 2 * self._tail_limit:
            self._forget()

    def close(self) -> None:
        """Write the end of the output, and say what was left out before it."""
        self._forget()
        if self._left_out:
            self._store(f"\n[... {self._left_out} bytes left out ...]\n".encode())
        self._store(bytes(self._tail))
        if self._handle is not None:
            os.close(self._handle)

    def _forget(self) -> None:
        surplus = len(self._tail) - self._tail_limit
        if surplus > 0:
            del self._tail[:surplus]
            self._left_out += surplus

    def _store(self, data: bytes) -> None:
        view = memoryview(data)
        with contextlib.suppress(OSError):
            while view and self._handle is not None:
                view = view[os.write(self._handle, view) :]
        self._left_out += len(view)
