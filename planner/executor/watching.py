"""The executor as a daemon: one run at every full minute, until it is told to leave.

Each run is the same as one of cron's: it takes the lease, works, and lets it go. So
daemon, cron and the verbs may be used side by side, and when another executor is at
work this one waits for the next minute and takes over then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

MINUTE_S = 60.0
JUMP = timedelta(seconds=30)
"""A clock that moved so much more or less than a steady one was set, or the machine
slept."""


def watch(
    run: Callable[[datetime], None],
    *,
    clock: Callable[[], datetime],
    steady: Callable[[], float],
    wait: Callable[[float], bool],
    jumped: Callable[[timedelta], None] = lambda by: None,
) -> None:
    """Call ``run`` at once and then at every full minute of the clock.

    A wait is measured by a steady clock and lasts for a minute at most, so that a
    clock that is set back does not make it sleep until the old time.

    Parameters
    ----------
    run
        Does what is due at an instant. It must not raise: what it cannot do in this
        minute it tries in the next.
    clock
        The current instant, aware.
    steady
        Time that nobody sets. [s]
    wait
        Sleeps for some seconds, or until told to leave, which it returns.
    jumped
        Told by how much the clock moved apart from the steady one.
    """
    before = (clock(), steady())
    while True:
        run(before[0])
        if wait(seconds_to_wait(before[0], clock())):
            return
        now = (clock(), steady())
        by = (now[0] - before[0]) - timedelta(seconds=now[1] - before[1])
        if abs(by) >= JUMP:
            jumped(by)
        before = now


def seconds_to_wait(last: datetime, now: datetime) -> float:
    """How long it is until the next run; at most 60. [s]

    None, if a full minute began while the last run was still at work.
    """
    to_full_minute = MINUTE_S - now.second - now.microsecond / 1e6
    passed = last.replace(second=0, microsecond=0) < now.replace(
        second=0, microsecond=0
    )
    return 0.0 if passed else to_full_minute
