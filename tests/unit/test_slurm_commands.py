"""What the Slurm back end says to Slurm's commands, and makes of their answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inputs.errors import SettingsError
from planner.executor.backends.backend import Order, Phase
from planner.executor.backends.registry import BACKENDS, Place, load_all
from planner.executor.backends.slurm import Slurm
from planner.executor.backends.slurm_records import Entry, completions
from planner.executor.backends.slurm_report import report_of
from planner.executor.energy import Energy
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests.factories_orders import order_of
from tests.slurm_commands import FakeSlurm

CLAIM = {"slurm_job": "7", "claimed_at": "2026-11-22T02:00:00+00:00"}
END = {"started_at": "2026-11-22T02:00:00+00:00", "ended_at": "2026-11-22T03:00:00Z"}


@pytest.fixture
def fake(tmp_path: Path) -> FakeSlurm:
    return FakeSlurm(tmp_path)


def test_an_order_becomes_options_of_sbatch(fake: FakeSlurm) -> None:
    order = order_of(
        "true",
        job_id="etl",
        timeout_s=61,
        resources={"cpu": 1.5, "memory_gib": 0.5, "gpu": 2, "licence": 1},
    )
    slurm = fake.backend(partition="eu", account="ml", qos="low", constraint="a&b")
    assert slurm.submit(order).handle == "17"
    [argv] = fake.calls("sbatch")
    assert argv == [
        "--parsable",
        f"--job-name={order.key}",
        f"--comment={order.key} etl",
        f"--begin=uts{int(order.start.timestamp())}",
        "--export=ALL",
        "--output=/dev/null",
        "--partition=eu",
        "--account=ml",
        "--qos=low",
        "--constraint=a&b",
        "--time=2",
        "--no-requeue",
        "--nodes=1",
        "--ntasks-per-node=1",
        "--cpus-per-task=2",
        "--mem=512M",
        "--gres=gpu:2",
        str(fake.folder / f"outputs/runs/{order.key[:9]}/{order.key}/job.sh"),
    ]


def test_ex19_only_a_job_marked_safe_to_repeat_may_be_requeued(
    fake: FakeSlurm,
) -> None:
    slurm = fake.backend()
    for label, option in (
        ({}, "--no-requeue"),
        ({"safe-to-repeat": "false"}, "--no-requeue"),
        ({"safe-to-repeat": "true"}, "--requeue"),
    ):
        slurm.submit(order_of("true", labels=label))
        assert [w for w in fake.calls("sbatch")[-1] if "requeue" in w] == [option]


def test_se11_no_field_of_a_job_adds_an_option(fake: FakeSlurm) -> None:
    evil = "--uid=0 --wrap=x\n#SBATCH --uid=0"
    order = order_of(
        "true",
        evil,
        job_id=evil,
        env={"X": evil},
        labels={evil: evil},
        resources={evil: 1.0},
        image=evil,
    )
    fake.backend().submit(order)
    [argv] = fake.calls("sbatch")
    assert not [word for word in argv if word.startswith(("--uid", "--wrap"))]
    assert len(argv) == len({word.partition("=")[0] for word in argv})


def test_slurm_itself_reads_no_directive_from_a_jobs_words(fake: FakeSlurm) -> None:
    order = order_of("true", "\n#SBATCH --uid=0\n", env={"X": "\n#SBATCH -p x\n"})
    fake.backend().submit(order)
    script = Path(fake.calls("sbatch")[0][-1])
    first_command = script.read_text().splitlines()[1]
    assert not first_command.startswith("#")


def test_variables_that_slurm_reads_as_options_are_left_out(fake: FakeSlurm) -> None:
    environ = {"SBATCH_PARTITION": "x", "SLURM_CLUSTERS": "y", "SLURM_CONF": "/c"}
    slurm = fake.backend({**environ, "PLANNER_SIGNING_KEY": "k", "HOME": "/h"})
    slurm.submit(order_of("true"))
    seen = fake.environ()
    assert (seen["HOME"], seen["SLURM_CONF"]) == ("/h", "/c")
    assert not {"SBATCH_PARTITION", "SLURM_CLUSTERS", "PLANNER_SIGNING_KEY"} & {*seen}


def test_a_time_limit_may_come_from_the_planned_time(fake: FakeSlurm) -> None:
    fake.backend(time_factor=1.5).submit(order_of("true"))
    assert "--time=90" in fake.calls("sbatch")[0]
    fake.backend().submit(order_of("true"))
    assert not [w for w in fake.calls("sbatch")[1] if w.startswith("--time")]


def test_replicas_are_nodes_and_other_names_of_resources_are_heeded(
    fake: FakeSlurm,
) -> None:
    slurm = fake.backend(gres={"gpu": "gpu:a100", "fpga": "fpga"})
    slurm.submit(order_of("true", replicas=3, resources={"gpu": 1, "fpga": 2}))
    argv = fake.calls("sbatch")[0]
    assert {"--nodes=3", "--ntasks-per-node=1", "--gres=gpu:a100:1,fpga:2"} <= {*argv}


F = "sbatch: error: Batch job submission failed: "


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (F + "Invalid partition name specified", RejectedError),
        (F + "Requested node configuration is not available", RejectedError),
        (F + "Invalid account or account/partition combination", RejectedError),
        (F + "User's group not permitted to use this partition", RejectedError),
        (
            F + "Unable to contact slurm controller (connect failure)",
            NotTakenError,
        ),
        (F + "Job violates accounting/QOS policy (job submit)", NotTakenError),
        (F + "Invalid authentication credential", NotTakenError),
        (F + "Socket timed out on send/recv operation", UncertainError),
        (F + "Zero Bytes were transmitted or received", UncertainError),
        (F + "Unexpected message received", UncertainError),
        (F + "words of a later release", UncertainError),
        ("", UncertainError),
    ],
)
def test_ex05_an_error_says_whether_the_order_was_taken(
    fake: FakeSlurm, said: str, error: type[BackendError]
) -> None:
    fake.answer(sbatch=["", said, 1])
    with pytest.raises(BackendError) as raised:
        fake.backend().submit(order_of("true"))
    assert type(raised.value) is error


def test_an_answer_that_is_no_number_leaves_doubt(fake: FakeSlurm) -> None:
    fake.answer(sbatch=["done\n", "", 0])
    with pytest.raises(UncertainError):
        fake.backend().submit(order_of("true"))


def test_ex16_what_slurmctld_forgot_is_asked_of_accounting(fake: FakeSlurm) -> None:
    fake.answer(sacct=["9|CANCELLED by 0|0:0|1795300000|1795300060\n", "", 0])
    order = order_of("true")
    assert fake.backend().look_up(order.key).phase is Phase.ABSENT
    report = fake.backend(accounting=True).look_up(order.key)
    assert (report.phase, report.handle) == (Phase.CANCELLED, "9")
    assert report.ended_at == datetime.fromtimestamp(1795300060, UTC)
    [argv] = fake.calls("sacct")
    assert {f"--name={order.key}", "--starttime=2026-11-20"} <= {*argv}


def test_ex06_a_look_up_that_cannot_be_made_is_an_error(fake: FakeSlurm) -> None:
    fake.answer(squeue=["", "slurm_load_jobs error: Unable to contact", 1])
    with pytest.raises(BackendError, match="Unable to contact"):
        fake.backend().look_up(order_of("true").key)
    fake.answer(sacct=["", "Slurm accounting storage is disabled", 1])
    with pytest.raises(BackendError, match="accounting storage"):
        fake.backend(accounting=True).look_up(order_of("true").key)
    with pytest.raises(BackendError, match="No such file"):
        fake.backend(completions="/nowhere").look_up(order_of("true").key)


def test_only_whole_lines_of_a_completion_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "jobcomp.txt"
    path.write_bytes(b"")
    assert completions(path, "k") == []
    path.write_text(
        "JobId=1 Name=k JobState=FAILED Partition=eu ExitCode=7:0 \n"
        "JobId=2 Name=kk JobState=COMPLETED ExitCode=0:0 \n"
        "JobId=3 Name=k JobState=COMPL"
    )
    assert completions(path, "k") == [
        Entry(job="1", state="FAILED", exit_code=7, signal=0)
    ]


def test_many_jobs_that_slurm_forgot_cost_one_look_at_the_queue(
    fake: FakeSlurm,
) -> None:
    slurm = fake.backend()
    orders = [order_of("true", job_id=f"j{n}") for n in range(5)]
    for order in orders:
        slurm.submit(order)
        folder = Path(str(slurm.logs(order.key, None).stdout)).parent
        result = {"outcome": "exited", "exit_code": 0, **END}
        for name, content in (("claim", CLAIM), ("result", result)):
            (folder / f"{name}.json").write_text(json.dumps(content))
    assert {slurm.status(o.key, "7").phase for o in orders} == {Phase.DONE}
    assert len(fake.calls("squeue")) == 1


def test_partitions_of_one_cluster_are_looked_up_at_once(fake: FakeSlurm) -> None:
    regions = {name: {"partition": name} for name in ("a", "b", "c")}
    order = order_of("true", region="b")
    slurm = fake.backend(regions=regions)
    slurm.submit(order)
    slurm.look_up(order.key)
    assert len(fake.calls("squeue")) == 1
    assert slurm.cancel(order.key, None).phase is Phase.CANCELLED
    assert [argv[-1] for argv in fake.calls("scancel")] == [f"--name={order.key}"]


def test_regions_of_two_clusters_are_looked_up_in_both(fake: FakeSlurm) -> None:
    slurm = fake.backend(regions={"far": {"conf": "far.conf", "runs": "far"}})
    order = order_of("true", region="far")
    slurm.submit(order)
    assert fake.environ()["SLURM_CONF"] == str(fake.folder / "far.conf")
    script = Path(fake.calls("sbatch")[0][-1])
    assert script.is_relative_to(fake.folder / "far")
    slurm.look_up(order.key)
    assert len(fake.calls("squeue")) == 2
    assert Path(str(slurm.logs(order.key, None).stdout)).parent == script.parent


def test_a_look_is_repeated_in_time_and_less_often_where_it_takes_long(
    fake: FakeSlurm,
) -> None:
    order = order_of("true")
    line = f"{'7':<21}{order.key:<49}{'PENDING':<21}{'0':<13}"
    fake.answer(squeue=[line + "\n", "", 0])

    def looks(clock: Iterator[float]) -> int:
        slurm = fake.backend(timer=lambda: next(clock))
        before = len(fake.calls("squeue")) if fake.called else 0
        for _ in range(4):
            assert slurm.status(order.key, "7").phase is Phase.WAITING
        return len(fake.calls("squeue")) - before

    # Twice for a look: before and after it.
    assert looks(iter([0.0, 0.1, 0.9, 1.2, 1.3, 1.4])) == 2
    assert looks(iter([0.0, 10.0, 20.0, 59.0, 61.0, 71.0])) == 2


@pytest.mark.parametrize(
    ("claim", "result", "entries", "phase", "reason"),
    [
        (None, None, [], Phase.ABSENT, None),
        (None, None, ["PENDING"], Phase.WAITING, None),
        (None, None, ["RUNNING"], Phase.WAITING, None),
        (None, None, ["CANCELLED"], Phase.CANCELLED, "cancelled in Slurm before"),
        (None, None, ["BOOT_FAIL"], Phase.FAILED, "its node did not start"),
        ({"closed": "x"}, None, ["PENDING"], Phase.CANCELLED, "cancelled before it"),
        (CLAIM, None, ["RUNNING"], Phase.RUNNING, None),
        (CLAIM, None, ["PENDING"], Phase.WAITING, None),
        (CLAIM, None, ["NODE_FAIL"], Phase.FAILED, "its node failed"),
        (CLAIM, None, ["OUT_OF_MEMORY"], Phase.FAILED, "out of memory"),
        (CLAIM, None, [], Phase.LOST, "its end was not noted"),
        (CLAIM, 0, [], Phase.DONE, None),
        (CLAIM, 0, ["COMPLETING"], Phase.DONE, None),
        (CLAIM, 143, ["COMPLETING"], Phase.RUNNING, None),
        (CLAIM, 143, ["CANCELLED"], Phase.CANCELLED, "cancelled"),
        (CLAIM, 143, ["TIMEOUT"], Phase.FAILED, "time limit"),
        (CLAIM, 7, [], Phase.FAILED, "exit status 7"),
    ],
)
def test_files_and_queue_together_tell_what_became_of_a_key(
    claim: dict[str, Any] | None,
    result: int | None,
    entries: list[str],
    phase: Phase,
    reason: str | None,
) -> None:
    ended = {"outcome": "exited", "exit_code": result, **END}
    report = report_of(
        claim=claim,
        result=None if result is None else ended,
        entries=[Entry(job="7", state=state) for state in entries],
    )
    assert report.phase is phase
    assert (reason is None) == (report.reason is None)
    assert (reason or "") in (report.reason or "")


def test_a_second_job_of_a_key_does_not_speak_for_the_first() -> None:
    stranger = Entry(job="8", state="COMPLETED", exit_code=0)
    assert report_of(claim=CLAIM, result=None, entries=[stranger]).phase is Phase.LOST
    turned_away = Entry(job="8", state="FAILED", exit_code=75)
    report = report_of(claim=None, result=None, entries=[turned_away])
    assert report.phase is Phase.ABSENT


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"partitoin": "x"}, "did you mean partition"),
        ({"partition": "a\nb"}, "expected a name"),
        ({"time_factor": 0.5}, "1 or more"),
        ({"limit_s": 0}, "above 0"),
        ({"regions": {"north": {"user": "root"}}}, "unknown key"),
    ],
)
def test_unusable_settings_are_told_when_the_executor_starts(
    tmp_path: Path, table: dict[str, Any], words: str
) -> None:
    place = Place(
        workspace=tmp_path, outputs=tmp_path, environ={}, settings={"slurm": table}
    )
    with pytest.raises(SettingsError, match=words):
        load_all(place)


def test_setting_up_every_back_end_imports_no_client_library(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from planner.executor.backends.registry import *;"
        "here = Path();"
        "load_all(Place(workspace=here, outputs=here, environ={}));"
        "print(*sys.modules)"
    )
    argv = [sys.executable, "-c", code]
    loaded = subprocess.run(argv, capture_output=True, text=True, check=True)
    heavy = {"kubernetes", "boto3", "google.cloud", "azure", "requests"}
    assert not heavy & {*loaded.stdout.split()}
    assert {"shell", "slurm"} <= {*BACKENDS}


def test_a_job_is_planned_no_earlier_than_its_start(fake: FakeSlurm) -> None:
    order = order_of("true")
    start = order.start + timedelta(milliseconds=700)
    fake.backend().submit(order_of("true", start=start))
    assert f"--begin=uts{int(start.timestamp())}" in fake.calls("sbatch")[0]


def ended(slurm: Slurm) -> Order:
    """An order whose job, number 7, has run for an hour and noted its end."""
    order = order_of("true")
    slurm.submit(order)
    folder = Path(str(slurm.logs(order.key, None).stdout)).parent
    result = {"outcome": "exited", "exit_code": 0, **END}
    for name, content in (("claim", CLAIM), ("result", result)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return order


def accounts(
    order: Order, energy: str, *, job: str = "7", state: str = "COMPLETED"
) -> list[Any]:
    """Answer of ``sacct`` about one job."""
    return [f"{job}|{state}|0:0|1795300000|1795300060|{energy}|{order.key}\n", "", 0]


def test_the_accounting_tells_the_energy_of_a_job_in_joules(fake: FakeSlurm) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=accounts(order, "7200000"))
    report = slurm.status(order.key, "7")
    assert report.phase is Phase.DONE
    assert report.energy == Energy(kwh=2.0, label="measured", source="Slurm")
    [argv] = fake.calls("sacct")
    assert "--allocations" in argv
    assert [w for w in argv if "ConsumedEnergyRaw" in w]


@pytest.mark.parametrize(
    "energy",
    [
        *("", "0", "-1", "7.2M", "7200000.0", "1e9", " 5", "٣"),
        "16777216000000000",
        "18446744073709551614",
        "18446744073709551615",
        "9" * 400,
    ],
)
def test_what_slurm_says_where_nothing_is_metered_is_no_figure(
    fake: FakeSlurm, energy: str
) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=accounts(order, energy))
    report = slurm.status(order.key, "7")
    assert (report.phase, report.energy) == (Phase.DONE, None)


@pytest.mark.parametrize(
    "facts", [{"job": "8"}, {"state": "RUNNING"}], ids=["another job", "not over"]
)
def test_energy_of_another_job_or_of_an_unfinished_record_is_not_taken(
    fake: FakeSlurm, facts: dict[str, str]
) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=accounts(order, "7200000", **facts))
    assert slurm.status(order.key, "7").energy is None


def test_an_end_does_not_depend_on_the_accounting(fake: FakeSlurm) -> None:
    slurm = fake.backend(accounting=True)
    order = ended(slurm)
    fake.answer(sacct=["", "Slurm accounting storage is disabled", 1])
    report = slurm.status(order.key, "7")
    assert (report.phase, report.energy) == (Phase.DONE, None)


def test_nobody_is_asked_for_energy_where_the_settings_say_so(fake: FakeSlurm) -> None:
    for table in ({}, {"accounting": True, "energy": "none"}):
        slurm = fake.backend(**table)
        assert slurm.status(ended(slurm).key, "7").phase is Phase.DONE
    assert fake.calls("sacct") == []
    with pytest.raises(SettingsError, match="none or accounting"):
        fake.backend(energy="guess")


def test_many_ends_cost_one_look_at_the_accounting(fake: FakeSlurm) -> None:
    slurm = fake.backend(accounting=True)
    orders = [ended(slurm) for _ in range(5)]
    lines = "".join(accounts(order, "3600000")[0] for order in orders)
    fake.answer(sacct=[lines, "", 0])
    energies = [slurm.status(order.key, "7").energy for order in orders]
    assert [energy and energy.kwh for energy in energies] == [1.0] * 5
    assert len(fake.calls("sacct")) == 1


def test_a_job_that_slurm_still_counts_is_not_told_as_ended_yet(
    fake: FakeSlurm,
) -> None:
    slurm = fake.backend(accounting=True, timer=iter(range(0, 100, 10)).__next__)
    order = ended(slurm)
    line = f"{'7':<21}{order.key:<49}{'RUNNING':<21}{'0':<13}"
    fake.answer(squeue=[line + "\n", "", 0])
    report = slurm.status(order.key, "7")
    assert (report.phase, report.ended_at) == (Phase.RUNNING, None)
    fake.answer(sacct=accounts(order, "3600000"))
    report = slurm.look_up(order.key)
    assert report.energy == Energy(kwh=1.0, label="measured", source="Slurm")
