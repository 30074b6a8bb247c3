"""CodeCarbon beside real shell jobs: whatever becomes of it, the job is untouched."""

from __future__ import annotations

import json
import os
import select
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from planner.executor import run_folder
from planner.executor.backends.backend import Phase, Report
from planner.executor.backends.settings import Regional
from planner.executor.backends.shell import Shell, ShellSettings
from planner.executor.processes import identify
from planner.executor.sampling import ANSWER_S, Sampler
from tests.factories_executor import until
from tests.factories_orders import order_of
from tests.stand_in_codecarbon import OUTLIVING_JOB, WATCHED_JOB, environ_with

KEY = "p20261122-" + "c" * 26 + "-1"
ASKED = Regional(name="shell", base=ShellSettings(energy="codecarbon"), regions={})
TRUE = ("true",)
WATCHED = (sys.executable, "-c", WATCHED_JOB)
OPTIONS = "options.json"


def outliving(status: int) -> tuple[str, ...]:
    return (sys.executable, "-c", OUTLIVING_JOB, str(status))


def shell_with(folder: Path, **says: Any) -> Shell:
    """Back end that asks a stand-in which behaves so."""
    return Shell(
        runs=folder / "runs",
        workspace=folder / "work",
        environ=environ_with(folder, **says),
        settings=ASKED,
    )


def ended(shell: Shell, *command: str, **facts: Any) -> Report:
    shell.submit(order_of(*command, key=KEY, **facts))
    until(lambda: shell.look_up(KEY).ended_at is not None)
    return shell.look_up(KEY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path


def in_run(folder: Path, name: str) -> Path:
    return folder / "runs/p20261122" / KEY / name


def test_the_energy_of_a_job_is_that_of_its_machine_meanwhile(folder: Path) -> None:
    report = ended(shell_with(folder, mode="intel_rapl"), *WATCHED)
    assert (report.phase, report.reason) == (Phase.DONE, None)
    assert report.energy is not None
    assert report.energy.source == "CodeCarbon (sensors)"
    # It watched between a half and all of the time.
    assert 0.4 <= report.energy.kwh <= 0.8


def test_a_job_among_others_gets_its_part_of_the_work(folder: Path) -> None:
    report = ended(shell_with(folder, mode="intel_rapl", busy=1e4), *WATCHED)
    assert report.energy is not None
    assert report.energy.label == "estimated"
    assert 0 < report.energy.kwh < 0.1


@pytest.mark.parametrize("named", [True, False])
def test_gpus_that_a_job_names_are_watched_and_counted_as_its_own(
    folder: Path, named: bool
) -> None:
    shell = shell_with(folder, mode="intel_rapl", gpu=1.0, busy=1e4)
    env = {"CUDA_VISIBLE_DEVICES": "1"} if named else {}
    report = ended(shell, *WATCHED, env=env)
    assert report.energy is not None
    assert (report.energy.kwh >= 1.0) is named
    watched = json.loads(in_run(folder, OPTIONS).read_text())["gpus"]
    assert watched == ("1" if named else None)


def test_codecarbon_is_told_to_send_write_and_scale_nothing(folder: Path) -> None:
    ended(shell_with(folder), *WATCHED)
    options = json.loads(in_run(folder, OPTIONS).read_text())
    assert options["output_methods"] == options["output_handlers"] == []
    assert options["emissions_endpoint"] is None
    assert options["pue"] == 1.0
    assert list((folder / "work").iterdir()) == []


def test_what_a_job_tells_itself_stands_first(folder: Path) -> None:
    tells = 'printf \'{"energy_kwh": 7}\' > "$PLANNER_ENERGY_FILE"'
    report = ended(shell_with(folder, start="hangs"), "sh", "-c", tells)
    assert report.energy is not None
    assert (report.energy.kwh, report.energy.label) == (7.0, "reported")


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ({"absent": True}, "pip install 'carbon-batch-planner[energy]'"),
        ({"start": "raises"}, "RuntimeError: no sensor"),
        ({"start": "fails in silence"}, "did not start"),
        ({"stop": "fails in silence"}, "gave no figure"),
        ({"cpu": "a lot"}, "unusable figure"),
        ({"cpu": None}, "unusable figure"),
    ],
    ids=lambda given: None if isinstance(given, str) else str(given),
)
def test_a_failure_of_codecarbon_is_a_note_and_no_more(
    folder: Path, says: dict[str, Any], why: str
) -> None:
    watches = "stop" in says or "cpu" in says
    shell = shell_with(folder, **says)
    report = ended(shell, *(WATCHED if watches else outliving(0)))
    assert (report.phase, report.exit_code, report.energy) == (Phase.DONE, 0, None)
    assert "its energy was not told" in (report.reason or "")
    assert why in (report.reason or "")


def test_a_job_that_fails_says_why_before_anything_of_energy(folder: Path) -> None:
    report = ended(shell_with(folder, absent=True), *outliving(3))
    assert (report.phase, report.exit_code) == (Phase.FAILED, 3)
    assert (report.reason or "").startswith("exit status 3; its energy was not told")


def test_codecarbon_that_hangs_at_its_start_delays_nothing(folder: Path) -> None:
    began = time.monotonic()
    report = ended(shell_with(folder, start="hangs"), *TRUE)
    assert time.monotonic() - began < ANSWER_S
    assert report.phase is Phase.DONE
    assert "before CodeCarbon was ready" in (report.reason or "")


def test_codecarbon_that_dies_does_not_take_the_job_along(folder: Path) -> None:
    report = ended(shell_with(folder, start="dies"), *outliving(0))
    assert report.phase is Phase.DONE
    assert "ended without an answer" in (report.reason or "")


def test_an_end_is_stored_before_codecarbon_is_waited_for(folder: Path) -> None:
    shell = shell_with(folder, stop="hangs")
    shell.submit(order_of(*WATCHED, key=KEY))
    until(lambda: in_run(folder, "stopping").exists())
    result = json.loads(in_run(folder, "result.json").read_text())
    assert (result["exit_code"], result[run_folder.ENERGY_PENDING]) == (0, True)
    assert shell.look_up(KEY).phase is Phase.RUNNING
    # The supervisor is killed meanwhile: the end is known all the same.
    claim = json.loads(in_run(folder, "claim.json").read_text())
    os.kill(claim["pid"], 9)
    until(lambda: identify(claim["pid"]) is None)
    report = shell.look_up(KEY)
    assert (report.phase, report.exit_code, report.energy) == (Phase.DONE, 0, None)


@pytest.mark.skipif(find_spec("codecarbon") is None, reason="codecarbon is not there")
def test_the_real_codecarbon_gives_a_figure_with_an_honest_label(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a user has set for other programs must not make files or scale figures here.
    theirs = "[codecarbon]\noutput_methods = csv\nsave_to_file = true\npue = 1e9\n"
    (folder / ".codecarbon.config").write_text(theirs)
    monkeypatch.setenv("HOME", str(folder))
    sampler = Sampler(folder / "work", {})
    process = sampler._process
    assert process is not None
    began = time.monotonic()
    select.select([process.stdout], [], [], 60)
    ready_s = time.monotonic() - began
    until(lambda: time.monotonic() - began > 2 * ready_s + 1)
    run_s = time.monotonic() - began
    figure, problem = sampler.answer(run_s=run_s, cpu_s=run_s)
    assert problem is None
    assert figure is not None
    assert 1e-7 < figure["kwh"] < 1
    by_sensor = figure["source"] == "CodeCarbon (sensors)"
    assert by_sensor or figure["label"] == "estimated"
    assert list((folder / "work").iterdir()) == []
    assert not list(folder.rglob("*.csv"))
