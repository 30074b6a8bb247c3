"""What a run is doing, on stderr: one living line on a terminal, else now and then."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # numpy and rich are not needed to show help
    from rich.console import RenderableType

    from solvers.progress import Progress

_REDRAWN_PER_S = 5

_log = logging.getLogger("planner")


class Line:
    """The stage of a run and where its solve stands, as one line of text.

    Parameters
    ----------
    timer
        A steady clock; the time left runs down between two reports. [s]
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._stage = "starting"
        self._heard: tuple[Progress, float] | None = None

    def say(self, stage: str) -> None:
        """Begin another stage."""
        self._stage, self._heard = stage, None
        _log.info("%s", stage)

    def tell(self, progress: Progress) -> None:
        """Take note of where the solve stands."""
        self._heard = progress, self._timer()

    def text(self) -> str:
        """What to show now."""
        heard = self._heard  # once: solvers report from threads of their own
        if heard is None:
            return self._stage
        progress, at = heard
        return solving(progress, max(progress.seconds_left - (self._timer() - at), 0.0))


def solving(progress: Progress, seconds_left: float) -> str:
    """Where a solve stands, in words; what is not known yet is left out."""
    from outputs.wording import amount, decimals, percent

    best, bound = progress.best, progress.bound
    places = decimals([bound if best is None else best]) + 2
    parts = []
    if progress.iteration:
        parts.append(f"iteration {progress.iteration:,}")
    if bound is not None:
        parts.append(f"bound {amount(bound, places)}")
    if best is not None:
        parts.append(f"best plan {amount(best, places)}")
    if progress.gap is not None:
        parts.append(f"gap {percent(progress.gap)}")
    parts.append(f"{seconds_left:,.0f} s left")
    return f"{progress.solver}: {', '.join(parts)}"


@contextmanager
def shown(
    timer: Callable[[], float],
    environment: Mapping[str, str],
    *,
    every_s: float,
    quiet: bool,
) -> Iterator[Line]:
    """Show a line on stderr while a block runs.

    Parameters
    ----------
    timer
        A steady clock. [s]
    environment
        ``TERM=dumb`` is a terminal that cannot redraw a line.
    every_s
        Time between two plain lines where stderr is no terminal. [s]
    quiet
        Whether to write no plain lines: a program is listening.
    """
    line = Line(timer)
    if sys.stderr.isatty() and environment.get("TERM") != "dumb":
        with _redrawn(line):
            yield line
    elif quiet:
        yield line
    else:
        with _repeated(line, every_s):
            yield line


@contextmanager
def _redrawn(line: Line) -> Iterator[None]:
    """One line that is drawn anew in its place, and gone at the end."""
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    spinner = Spinner("dots")

    def drawn() -> RenderableType:
        spinner.update(text=Text(line.text(), no_wrap=True, overflow="ellipsis"))
        return spinner

    with Live(
        console=Console(stderr=True),
        get_renderable=drawn,
        refresh_per_second=_REDRAWN_PER_S,
        transient=True,
        redirect_stdout=False,  # results go where they were sent
    ):
        yield


@contextmanager
def _repeated(line: Line, every_s: float) -> Iterator[None]:
    """A plain line every few seconds, for log files and the mail of cron."""
    done = threading.Event()

    def write() -> None:
        with suppress(OSError):  # who stops reading does not stop the planning
            while not done.wait(every_s):
                click.echo(line.text(), err=True)

    writer = threading.Thread(target=write, name="progress", daemon=True)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()
