"""Processes that keep issue after issue and are killed at random moments.

Run as ``python -m tests.drivers_history FOLDER ROUNDS SEED``; prints the number of
issues after each round as JSON. It runs on its own so that forking and killing do not
touch the test process. Issue number ``n`` is fetched ``n`` seconds after ``NOW`` and
all its values are ``100 + n``.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from random import Random

import numpy as np

from forecasts.history import keep_issue
from tests.factories_forecast import observations_of
from tests.replay_services import NOW

VALUES = 2_000
"""Values of an issue: enough that writing one takes a while."""

PATIENCE_S = 20.0


def keep_number(folder: Path, n: int) -> Path:
    """Keep the issue of a number."""
    values = np.full(VALUES, 100.0 + n)
    at = NOW + timedelta(seconds=n)
    said = observations_of(values, issued_at=at, step_us=60_000_000)
    return keep_issue(folder, said, provider="test", fetched_at=at)


def count(folder: Path) -> int:
    return len(list(folder.glob("*.parquet")))


def kill_keeper(folder: Path, *, wanted: int, delay_s: float) -> None:
    """Kill a process a moment after it has kept so many issues."""
    first = count(folder) + 1
    child = os.fork()
    if child == 0:
        for number in itertools.count(first):
            keep_number(folder, number)
    deadline = time.monotonic() + PATIENCE_S
    while count(folder) < wanted:
        assert time.monotonic() < deadline, "the keeper keeps nothing"
    # a busy wait: the kill may fall anywhere in the writing of the next issue
    moment = time.monotonic() + delay_s
    while time.monotonic() < moment:
        pass
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def main(folder: Path, rounds: int, seed: int) -> list[int]:
    """Kill keepers again and again; issues after each round."""
    rng, counts = Random(seed), [0]
    folder.mkdir()
    keep_number(folder.parent / "warm", 1)  # loads what each child would load anew
    for _ in range(rounds):
        wanted = counts[-1] + rng.randint(1, 3)
        kill_keeper(folder, wanted=wanted, delay_s=rng.uniform(0, 0.01))
        counts.append(count(folder))
    return counts


if __name__ == "__main__":
    told = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(told))
