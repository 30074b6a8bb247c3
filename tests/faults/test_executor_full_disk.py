"""EX-11 on a real file system that fills up, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from outputs.plan import Plan
from planner.executor.backends.backend import Phase
from planner.executor.errors import LedgerError
from planner.executor.verification import verify
from tests.executor_site import Site
from tests.factories_executor import plan_of, row

HOURS = range(1, 8)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, *, but: int) -> Path:
    """Take all room of a disk except for some bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while (room := os.statvfs(disk).f_bavail * 4096 - but) > 0:
            file.write(bytes(room))
    return ballast


def an_hour(site: Site, plan: Plan, hour: int) -> None:
    with site.opened() as site.ledger:
        for minute in range(60):
            site.tick(plan, f"{hour:02}:{minute:02}")


@pytest.mark.parametrize("left", [0, 4096, 8192, 16384])
def test_ex11_on_a_full_disk_nothing_is_sent_and_then_all_once(
    tiny_disk: Path, left: int
) -> None:
    plan = plan_of(*(row(f"j{n}", f"{n:02}:00", minutes=30) for n in HOURS))
    site = Site(tiny_disk)
    site.tick(plan, "00:30")
    site.ledger.close()
    ballast = fill(tiny_disk, but=left)
    for n in HOURS:
        # The intent is stored before the sending, so no more than one can be ahead.
        with pytest.raises((LedgerError, OSError), match=r"full|space"):
            an_hour(site, plan, n)
        assert len(site.backend.submitted) <= n
    ballast.unlink()
    with site.opened() as site.ledger:
        intents = site.ledger.query(
            "select distinct key from transitions where after_state = 'intent'"
        )
        assert set(site.backend.submitted) <= {key for (key,) in intents}
        for n in HOURS:
            for job in site.sent():
                site.ends(job, Phase.DONE, exit_code=0)
            site.tick(plan, f"{n + 8:02}:00")
        assert sorted(site.sent()) == [f"j{n}" for n in HOURS]
        assert verify(site.ledger) == ()
