"""One look at Slurm for many questions."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

from planner.executor.backends.slurm_looks import FRESH_S, Looks
from planner.executor.backends.slurm_records import Entry


class Seen(dict[str, list[Entry]]):
    """What a look has shown; unlike a plain dict it can be watched."""


def test_a_daemon_does_not_keep_what_it_saw_on_earlier_days() -> None:
    times: Iterator[float] = iter([0.0, 0.0, 2 * FRESH_S, 2 * FRESH_S])
    looks = Looks(timer=lambda: next(times))
    monday = weakref.ref(looks.recent("monday", Seen))
    assert monday() is not None
    looks.recent("tuesday", Seen)
    assert monday() is None
