"""The Slurm back end on a real cluster, with its controller frozen and killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outputs.plan import Plan
from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.slurm import Slurm
from planner.executor.dispatch import run_once
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests.executor_kill_loop import SCRIPT, in_child, states
from tests.factories_executor import MADE, at, ledger_in, plan_of, row, until
from tests.factories_orders import order_of
from tests.slurm_cluster import SlurmCluster

OPEN = (Phase.WAITING, Phase.RUNNING)
PAST = timedelta(days=60)
LATER = datetime.now(UTC) + timedelta(days=1)


def counting(job_id: str = "job", *, seconds: float = 0) -> Order:
    """Appends its key to the file ``count`` of the workspace."""
    return order_of("/bin/sh", "-c", f"{SCRIPT}; sleep {seconds}", job_id=job_id)


def ran(workspace: Path) -> Counter[str]:
    count = workspace / "count"
    return Counter(count.read_text().split() if count.exists() else [])


def ended(slurm: Slurm, order: Order) -> Report:
    until(lambda: slurm.look_up(order.key).phase not in OPEN, pause=0.1)
    return slurm.look_up(order.key)


def test_a_job_runs_in_the_workspace_and_its_end_is_noted(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    order = order_of("/bin/sh", "-c", "pwd; echo $PLANNER_KEY; echo bad >&2")
    taken = slurm.submit(order)
    assert taken.phase is Phase.WAITING
    report = ended(slurm, order)
    assert (report.phase, report.exit_code) == (Phase.DONE, 0)
    assert report.handle == taken.handle
    logs = slurm.logs(order.key, None)
    assert Path(str(logs.stdout)).read_text() == f"{tmp_path}\n{order.key}\n"
    assert Path(str(logs.stderr)).read_text() == "bad\n"
    assert report.started_at is not None
    assert report.ended_at is not None
    assert report.started_at <= report.ended_at


def test_jobs_of_two_regions_run_in_their_partitions(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path, regions={"south": {"partition": "us"}})
    code = 'echo "$SLURM_JOB_PARTITION $SLURMD_NODENAME $SLURM_CPUS_PER_TASK"'
    for region, said in (("north", "eu n1 2\n"), ("south", "us n2 2\n")):
        order = order_of("/bin/sh", "-c", code, region=region, resources={"cpu": 1.5})
        slurm.submit(order)
        assert ended(slurm, order).phase is Phase.DONE
        assert Path(str(slurm.logs(order.key, None).stdout)).read_text() == said


def test_se09_jobs_see_neither_the_planners_secrets_nor_options_for_slurm(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm_cluster.environ |= {"WATTTIME_PASSWORD": "canary", "SBATCH_PARTITION": "no"}
    slurm = slurm_cluster.backend(tmp_path)
    order = order_of("env", env={"TOKEN": "secret"})
    slurm.submit(order)
    assert ended(slurm, order).phase is Phase.DONE
    folder = Path(str(slurm.logs(order.key, None).stdout)).parent
    seen = (folder / "stdout").read_text()
    assert "TOKEN=secret\n" in seen
    assert "canary" not in seen
    assert folder.stat().st_mode & 0o077 == 0
    shown = slurm_cluster.run("scontrol", "show", "job", "-d").stdout
    assert order.key in shown
    assert "secret" not in shown


def test_ex20_an_exit_status_and_a_signal_are_told(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    orders = [order_of("/bin/sh", "-c", "exit 7"), order_of("no-such-command")]
    for order in orders:
        slurm.submit(order)
    exits, missing = (ended(slurm, order) for order in orders)
    assert (exits.phase, exits.exit_code) == (Phase.FAILED, 7)
    assert exits.reason == "exit status 7"
    assert missing.reason == "exit status 127 (as of a command that is not found)"


def test_a_refusal_is_told_from_what_may_pass(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    with pytest.raises(RejectedError, match="nvalid partition"):
        slurm_cluster.backend(tmp_path, partition="nope").submit(order_of("true"))
    with pytest.raises(RejectedError, match="gres"):
        slurm_cluster.backend(tmp_path).submit(order_of("true", resources={"gpu": 1}))
    with pytest.raises(NotTakenError, match="sbatch"):
        slurm_cluster.backend(tmp_path, commands="/nowhere").submit(order_of("true"))


@pytest.mark.parametrize("limit_s", [pytest.param(0.5, marks=pytest.mark.slow), 20])
def test_ex05_a_frozen_controller_leaves_doubt_and_the_look_up_clears_it(
    slurm_cluster: SlurmCluster, tmp_path: Path, limit_s: float
) -> None:
    slurm = slurm_cluster.backend(tmp_path, limit_s=limit_s)
    order = counting()
    slurm_cluster.signal_controller(signal.SIGSTOP)
    try:
        with pytest.raises(UncertainError):
            slurm.submit(order)
        with pytest.raises(BackendError):
            slurm_cluster.backend(tmp_path, limit_s=0.3).look_up(order.key)
    finally:
        slurm_cluster.signal_controller(signal.SIGCONT)
    patient = slurm_cluster.backend(tmp_path)
    until(lambda: patient.look_up(order.key).phase is Phase.DONE, pause=0.1)
    assert ran(tmp_path) == {order.key: 1}


def test_ex02_an_order_that_was_sent_twice_runs_once(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    order = counting(seconds=0.5)
    for _ in range(3):
        slurm.submit(order)
    report = ended(slurm, order)
    assert report.phase is Phase.DONE
    until(lambda: slurm_cluster.jobs().count(order.key) == 3)
    until(slurm_cluster.is_quiet, pause=0.1)
    assert slurm.look_up(order.key) == report
    assert ran(tmp_path) == {order.key: 1}


def test_a_controller_killed_after_a_burst_loses_jobs_and_doubles_none(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    orders = [counting(f"j{n}") for n in range(20)]
    for order in orders:
        slurm.submit(order)
    slurm_cluster.kill_controller()
    slurm_cluster.start_controller()
    slurm_cluster.wait_for_controller()
    lost = [o for o in orders if slurm.look_up(o.key).phase is Phase.ABSENT]
    for order in lost:
        slurm.submit(order)
    slurm_cluster.settle()
    phases = {order.key: slurm.look_up(order.key).phase for order in orders}
    # Slurm cancels what it was about to launch when its controller was killed, and
    # what gets a number under which a node still has a lost job.
    assert set(phases.values()) <= {Phase.DONE, Phase.CANCELLED}
    done = [key for key, phase in phases.items() if phase is Phase.DONE]
    assert done
    assert ran(tmp_path) == dict.fromkeys(done, 1)


def test_ex16_finished_jobs_that_slurm_forgot_are_known_by_their_own_files(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    done, killed = counting("done"), order_of("/bin/sh", "-c", "kill -9 $PPID")
    for order in (done, killed):
        slurm.submit(order)
    before = {order.key: ended(slurm, order) for order in (done, killed)}
    assert before[killed.key].phase is Phase.FAILED
    slurm_cluster.forget()
    assert slurm_cluster.jobs() == []
    assert slurm.look_up(done.key) == before[done.key]
    assert slurm.look_up(killed.key).phase is Phase.LOST
    records = slurm_cluster.backend(
        tmp_path, completions=str(slurm_cluster.completions)
    )
    assert records.look_up(killed.key).phase is Phase.FAILED
    assert records.look_up(order_of("true").key).phase is Phase.ABSENT
    again = counting("takes over an id")
    slurm.submit(again)
    assert ended(slurm, again).phase is Phase.DONE
    assert slurm.look_up(done.key) == before[done.key]


def test_a_cancelled_job_ends_and_one_not_begun_never_begins(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    runs, waits = counting("runs", seconds=60), counting("waits")
    slurm.submit(runs)
    until(lambda: ran(tmp_path)[runs.key] == 1)
    assert slurm.cancel(runs.key, None).phase in (*OPEN, Phase.CANCELLED)
    assert ended(slurm, runs).phase is Phase.CANCELLED
    slurm.submit(order_of(*waits.command, key=waits.key, start=LATER))
    assert slurm.status(waits.key, None).phase is Phase.WAITING
    assert slurm.cancel(waits.key, None).phase is Phase.CANCELLED
    slurm.submit(waits)
    until(slurm_cluster.is_quiet, pause=0.1)
    assert slurm.look_up(waits.key).phase is Phase.CANCELLED
    assert ran(tmp_path) == {runs.key: 1}
    assert slurm.cancel(order_of("true").key, None).phase is Phase.ABSENT


def test_a_job_cancelled_by_slurms_own_command_is_seen_as_such(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    order = order_of("true", start=LATER)
    slurm.submit(order)
    slurm_cluster.run("scancel", f"--name={order.key}")
    report = ended(slurm, order)
    assert (report.phase, report.reason) == (
        Phase.CANCELLED,
        "cancelled in Slurm before it began",
    )


def past_plan(n_jobs: int) -> Plan:
    """Jobs that count themselves, due in the past: Slurm goes by the real clock."""
    script = ["/bin/sh", "-c", SCRIPT]
    rows = [row(f"j{n}", command=script, executor="slurm") for n in range(n_jobs)]
    for each in rows:
        each["start"], each["end"] = each["start"] - PAST, each["end"] - PAST
    return plan_of(*rows, created_at=MADE - PAST)


def tick(slurm: Slurm, folder: Path, plan: Plan) -> None:
    with ledger_in(folder) as ledger:
        run_once(
            plan=plan,
            ledger=ledger,
            backends={"slurm": slurm},
            now=at("02:00") - PAST,
            actor="test",
        )


class DiesAfterSending(Slurm):
    """Takes its executor with it as soon as Slurm has taken the order."""

    def submit(self, order: Order) -> Report:
        super().submit(order)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def test_ex02_an_executor_killed_between_sending_and_storing_doubles_nothing(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    plan, slurm = past_plan(4), slurm_cluster.backend(tmp_path)
    deadly = slurm_cluster.backend(tmp_path, kind=DiesAfterSending)
    for _ in range(4):
        assert os.WIFSIGNALED(in_child(lambda: tick(deadly, tmp_path, plan)))

    def all_done() -> bool:
        tick(slurm, tmp_path, plan)
        return states(tmp_path) == {"done": 4}

    until(all_done, pause=0.1)
    assert sorted(ran(tmp_path).values()) == [1] * 4


@pytest.mark.slow
def test_ex04_killed_executors_and_controllers_hide_and_double_nothing(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    n_jobs, chance = 60, random.Random(1)
    plan, slurm = past_plan(n_jobs), slurm_cluster.backend(tmp_path)
    kills = Counter[str]()

    def killed_tick() -> None:
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                tick(slurm, tmp_path, plan)
            os._exit(0)
        time.sleep(chance.uniform(0.1, 0.8))
        os.kill(pid, signal.SIGKILL)
        kills["executor"] += os.WIFSIGNALED(os.waitpid(pid, 0)[1])

    def all_done() -> bool:
        if sum(kills.values()) < 15:
            killed_tick()
            if kills["controller"] < 3 and chance.random() < 0.3:
                slurm_cluster.kill_controller()
                kills["controller"] += 1
                slurm_cluster.start_controller()
        else:
            slurm_cluster.wait_for_controller()
            tick(slurm, tmp_path, plan)
        return not states(tmp_path).keys() - {"done", "cancelled"}

    until(all_done, seconds=900)
    found = states(tmp_path)
    sys.stdout.write(f"{dict(found)}, killed: {dict(kills)}\n")
    # Slurm cancels what it was about to launch when its controller was killed.
    assert found.total() == n_jobs
    assert sorted(ran(tmp_path).values()) == [1] * found["done"]


@pytest.mark.slow
def test_a_job_over_its_time_limit_is_ended(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    order = order_of("sleep", "600", timeout_s=1)
    slurm.submit(order)
    until(lambda: slurm.look_up(order.key).phase not in OPEN, seconds=150, pause=1)
    report = slurm.look_up(order.key)
    assert report.phase is Phase.FAILED
    assert report.reason == "stopped: time limit of Slurm"


def test_one_look_at_the_queue_serves_many_questions(
    slurm_cluster: SlurmCluster, tmp_path: Path
) -> None:
    slurm = slurm_cluster.backend(tmp_path)
    orders = [order_of("true", job_id=f"j{n}", start=LATER) for n in range(30)]
    for order in orders:
        slurm.submit(order)
    began = time.monotonic()
    phases = Counter(slurm.status(order.key, None).phase for order in orders)
    assert phases == {Phase.WAITING: 30}
    one_look = time.monotonic()
    slurm_cluster.run("squeue", "--me")
    assert one_look - began < 10 * (time.monotonic() - one_look)
    slurm_cluster.run("scancel", "--me")
