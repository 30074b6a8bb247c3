"""SO-06: an engine that crashes, hangs or overeats harms nobody and leaves nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from solvers.errors import EngineError
from solvers.isolation import Limits, run_isolated
from tests import misbehaving_engines as engines
from tests.processes import with_this_program

SHORT = Limits(time_limit_s=10.0)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # gone before, or while reading
        return False
    return state not in "ZX"


def until(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    end = monotonic() + seconds
    while monotonic() < end:
        if condition():
            return True
    return False


def test_result_comes_back() -> None:
    assert run_isolated(engines.double, 21, limits=SHORT) == 42


def test_error_is_told_in_its_own_words() -> None:
    with pytest.raises(EngineError, match="no licence"):
        run_isolated(engines.raise_error, limits=SHORT)


@pytest.mark.parametrize(
    ("crash", "words"),
    [
        (engines.abort, "SIGABRT"),
        (engines.be_killed, "SIGKILL"),
        (engines.leave_without_answer, "exit status 0"),
    ],
)
def test_crash_becomes_an_error(crash: Callable[[], None], words: str) -> None:
    with pytest.raises(EngineError, match=words):
        run_isolated(crash, limits=SHORT)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_memory_is_limited() -> None:
    limits = Limits(time_limit_s=30.0, memory_bytes=400 * 2**20)
    with pytest.raises(EngineError, match=r"memory|SIGKILL|SIGABRT"):
        run_isolated(engines.allocate_without_end, limits=limits)


@pytest.mark.parametrize("hang", [engines.ignore_the_limit, engines.spin_for_ever])
def test_hanging_engine_is_stopped_at_its_limit(
    hang: Callable[[str], None], tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    began = monotonic()
    with pytest.raises(EngineError, match="did not end within"):
        run_isolated(hang, str(note), limits=Limits(time_limit_s=2.0))
    assert monotonic() - began < 4.0
    assert not is_alive(int(note.read_text()))


def test_what_the_engine_started_goes_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(EngineError, match="did not end within"):
        run_isolated(
            engines.start_a_grandchild_and_wait,
            str(note),
            limits=Limits(time_limit_s=2.0),
        )
    grandchild = int(note.read_text())
    assert until(lambda: not is_alive(grandchild))


def test_much_output_blocks_nothing() -> None:
    assert run_isolated(engines.flood_the_log, limits=SHORT) == 1


@pytest.mark.parametrize(
    "engine", ["ignore_the_limit", "spin_for_ever", "start_a_grandchild_and_wait"]
)
def test_no_child_outlives_a_killed_parent(engine: str, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = f"""
        from solvers.isolation import Limits, run_isolated
        from tests import misbehaving_engines as engines
        limits = Limits(time_limit_s=300)
        run_isolated(engines.{engine}, {str(note)!r}, limits=limits)
    """
    search_path = with_this_program()
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], env=search_path
    )
    assert until(lambda: note.exists() and note.read_text() != "", seconds=30.0)
    child = int(note.read_text())
    assert is_alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert until(lambda: not is_alive(child))
