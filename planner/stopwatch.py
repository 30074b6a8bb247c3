"""Elapsed time of each stage of a run, and where a run stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from solvers.progress import Report


class Stopwatch:
    """Measures named stages with a steady clock that is passed in.

    Parameters
    ----------
    timer
        Steady clock. [s]
    say
        Called with one line when a stage begins, to show progress.
    tell
        Told where a solve stands while it runs.
    """

    def __init__(
        self,
        timer: Callable[[], float],
        say: Callable[[str], None] | None = None,
        tell: Report | None = None,
    ) -> None:
        self._timer = timer
        self.tell = tell
        self._say = say or (lambda _: None)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, line: str) -> Iterator[None]:
        """Add the time spent inside to a stage; stages may be entered again."""
        self._say(line)
        began = self._timer()
        try:
            yield
        finally:
            spent = self._timer() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
