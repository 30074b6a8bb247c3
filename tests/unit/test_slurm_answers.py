"""What Slurm's queue, accounting and files tell of a job, and at what price."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from planner.executor.backends.backend import Phase
from planner.executor.backends.slurm_records import Entry, completions
from planner.executor.backends.slurm_report import report_of
from planner.executor.errors import BackendError
from tests.factories_orders import order_of
from tests.slurm_commands import CLAIM, END, FakeSlurm, ended


@pytest.fixture
def fake(tmp_path: Path) -> FakeSlurm:
    return FakeSlurm(tmp_path)


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
    orders = [ended(slurm) for _ in range(5)]
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
    told = {"outcome": "exited", "exit_code": result, **END}
    report = report_of(
        claim=claim,
        result=None if result is None else told,
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
