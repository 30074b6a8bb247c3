"""Real shell jobs tell their energy; the ledger keeps it, whatever became of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.executor.backends.backend import Phase, Report
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import Regional
from planner.executor.backends.shell import Shell, ShellSettings, in_workspace
from planner.executor.energy import REPORTED, Energy
from tests.executor_site import a_site
from tests.factories_executor import plan_of, row, shell_in, until
from tests.factories_orders import order_of

KEY = "p20261122-" + "e" * 26 + "-1"


def ended(shell: Shell, script: str) -> Report:
    """Report of a shell script that was run to its end."""
    shell.submit(order_of("sh", "-c", script, key=KEY))
    until(lambda: shell.look_up(KEY).ended_at is not None)
    return shell.look_up(KEY)


def writes(**figures: Any) -> str:
    return f"printf '%s' '{json.dumps(figures)}' > \"$PLANNER_ENERGY_FILE\""


def test_the_figure_of_a_job_is_in_the_report_of_its_end(tmp_path: Path) -> None:
    report = ended(shell_in(tmp_path), writes(energy_kwh=0.5, units=7))
    assert report.phase is Phase.DONE
    assert report.energy == Energy(kwh=0.5, label=REPORTED, source="the job", units=7.0)


def test_the_energy_of_a_job_that_fails_counts_as_well(tmp_path: Path) -> None:
    report = ended(shell_in(tmp_path), writes(energy_kwh=0.25) + "; exit 3")
    assert report.phase is Phase.FAILED
    assert report.energy is not None
    assert report.energy.kwh == 0.25


def test_an_unusable_figure_is_told_and_changes_nothing_else(tmp_path: Path) -> None:
    report = ended(shell_in(tmp_path), writes(energy_kwh=-1))
    assert (report.phase, report.energy) == (Phase.DONE, None)
    assert "energy file is unusable" in (report.reason or "")


def test_where_nobody_asks_the_job_is_told_no_file(tmp_path: Path) -> None:
    silent = Regional(name="shell", base=ShellSettings(energy="none"), regions={})
    shell = shell_in(tmp_path, settings=silent)
    report = ended(shell, 'test -z "$PLANNER_ENERGY_FILE"')
    assert (report.phase, report.energy) == (Phase.DONE, None)


def test_an_unknown_way_of_telling_is_refused_by_its_key(tmp_path: Path) -> None:
    place = Place(
        workspace=tmp_path,
        outputs=tmp_path,
        environ={},
        settings={"shell": {"energy": "guess"}},
    )
    with pytest.raises(Exception, match="none or report") as refused:
        in_workspace(place)
    assert "executor.shell.energy" in str(refused.value)


def test_the_ledger_keeps_the_figure_and_the_first_one_stays() -> None:
    with a_site() as site:
        site.tick(plan_of(row("a")), "02:00")
        site.ends("a", Phase.DONE, energy=Energy(kwh=2.0, label=REPORTED, source="x"))
        site.tick(None, "03:00")
        found = site.ledger.query("select key, kwh, label, source from energies")
        assert [row[1:] for row in found] == [(2.0, "reported", "x")]
        again = Energy(kwh=9.0, label=REPORTED, source="y")
        site.ledger.keep_energy(found[0][0], again, at_us=1)
        assert site.ledger.query("select kwh from energies") == [(2.0,)]
