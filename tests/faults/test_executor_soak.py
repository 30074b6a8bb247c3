"""EX-04: executors that are killed at random moments, counted at the end."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres_server import running_server
from tests.processes import python

MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        yield Path(name)


def outcome(folder: Path, *options: object) -> dict[str, Any]:
    """What the soak found; its figures are shown by ``pytest -s``."""
    words = (str(folder), *(str(option) for option in options))
    with python("-m", "tests.executor_soak", *words, stdout=-1) as process:
        said, _ = process.communicate()
    assert process.returncode == 0
    os.write(1, said)
    found: dict[str, Any] = json.loads(said)
    return found


def judge(found: dict[str, Any], *, dispatches: int, kills: int) -> None:
    assert found["finished"]
    assert found["kills"] == kills
    assert found["unasked_ends"] == 0
    assert (found["lost"], found["doubled"], found["strangers"]) == (0, 0, 0)
    assert found["states"] == {"done": dispatches}
    assert found["wrong"] == []


def test_ex04_killed_executors_lose_and_double_nothing(folder: Path) -> None:
    options = ("--dispatches", 400, "--executors", 4, "--kills", 8, "--steps", 4)
    judge(outcome(folder, *options), dispatches=400, kills=8)


@pytest.mark.slow
def test_ex04_500_kills_in_100000_dispatches_lose_and_double_nothing(
    folder: Path,
) -> None:
    judge(outcome(folder), dispatches=100_000, kills=500)


@pytest.mark.slow
def test_ex04_killed_executors_of_several_hosts_lose_and_double_nothing(
    folder: Path,
) -> None:
    with running_server():  # skipped where there is none
        pass
    options = ("--dispatches", 2_000, "--kills", 30, "--steps", 10, "--postgres")
    judge(outcome(folder, *options), dispatches=2_000, kills=30)
