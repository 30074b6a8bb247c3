"""Which folders of runs are removed, and which never."""

from __future__ import annotations

import errno
import os
from datetime import date, timedelta
from pathlib import Path, PosixPath

import pytest

from planner.executor.backends.backend import Phase
from planner.executor.keys import dispatch_key
from planner.executor.retention import remove_old_runs
from tests.executor_site import Site
from tests.factories_executor import DAY, plan_of, row

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def site(site_of_each_store: Site) -> Site:
    return site_of_each_store


def run_folder(site: Site, key: str) -> Path:
    folder = site.folder / "runs" / key.partition("-")[0] / key
    folder.mkdir(parents=True)
    (folder / "claim.json").write_text("{}")
    return folder


def ended_and_open(site: Site) -> tuple[Path, Path]:
    """Folders of a job that is done and of one that is still at work."""
    site.tick(plan_of(row("done"), row("open", region="r2")), "02:00")
    site.ends("done", Phase.DONE, exit_code=0)
    site.tick(None, "02:30")
    keys = dict(site.ledger.query("select job_id, key from dispatches"))
    return run_folder(site, keys["done"]), run_folder(site, keys["open"])


def removed(site: Site, before: date, most: int = 500) -> int:
    return remove_old_runs(site.folder / "runs", site.ledger, before=before, most=most)


def test_only_ended_runs_of_old_dates_go(site: Site) -> None:
    done, still = ended_and_open(site)
    assert removed(site, DAY) == 0
    assert removed(site, NEXT) == 1
    assert (done.exists(), still.exists()) == (False, True)


def test_a_key_that_the_ledger_does_not_hold_stays(site: Site) -> None:
    key = dispatch_key(site="other", day=DAY, job_id="x", segment=0, attempt=1)
    stranger = run_folder(site, key)
    (site.folder / "runs" / "p99999999").mkdir()
    (site.folder / "runs" / "notes").mkdir()
    assert removed(site, date(2100, 1, 1)) == 0
    assert stranger.exists()


def test_a_link_is_not_followed(site: Site) -> None:
    done, _ = ended_and_open(site)
    target = site.folder / "precious"
    done.rename(target)
    done.symlink_to(target)
    assert removed(site, NEXT) == 0
    assert (target / "claim.json").exists()


def test_the_folder_of_a_date_goes_with_its_last_run(site: Site) -> None:
    done, still = ended_and_open(site)
    site.ends("open", Phase.FAILED, exit_code=1)
    site.tick(None, "02:40")
    assert removed(site, NEXT, most=1) == 1
    assert removed(site, NEXT, most=1) == 1
    assert not done.parent.exists()
    assert not still.exists()


class Busy(PosixPath):
    """A folder that the system does not let go, such as one that is mounted."""

    def rmdir(self) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self))


def test_a_folder_that_cannot_be_removed_keeps_no_run_from_ending_well(
    site: Site,
) -> None:
    (site.folder / "runs" / "p20200101").mkdir(parents=True)
    done, _ = ended_and_open(site)
    runs = Busy(site.folder / "runs")
    assert remove_old_runs(runs, site.ledger, before=NEXT) == 1
    assert not done.exists()


def test_a_removed_run_is_never_begun_again(site: Site) -> None:
    ended_and_open(site)
    removed(site, NEXT)
    site.tick(plan_of(row("done", "04:00"), serial=2), "04:00")
    assert site.states()["done"] == "done"
    assert site.sent().count("done") == 1


def test_without_any_run_there_is_nothing_to_remove(site: Site) -> None:
    assert removed(site, NEXT) == 0
