"""The shell back end over real processes and real files."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from planner.executor.backends.backend import Order, Phase, Report
from planner.executor.backends.job_environment import job_environment
from planner.executor.backends.shell import Shell
from planner.executor.errors import RejectedError
from planner.executor.keys import dispatch_key
from planner.executor.processes import ProcessIdentity, boot_identity, identify
from planner.executor.run_folder import claim, read_json
from tests.factories_executor import DAY, at, shell_in, until


def order_of(
    *command: str, job_id: str = "job", timeout_s: float | None = None
) -> Order:
    key = dispatch_key(site="s", day=DAY, job_id=job_id, segment=0, attempt=1)
    return Order(
        key=key,
        job_id=job_id,
        segment=0,
        region="north",
        replicas=1,
        start=at("02:00"),
        end=at("03:00"),
        command=command,
        env={"PLANNER_JOB_ID": job_id},
        timeout_s=timeout_s,
    )


def run(shell: Shell, order: Order) -> Report:
    handle = shell.submit(order).handle
    return ended(shell, order, handle)


def ended(shell: Shell, order: Order, handle: str | None = None) -> Report:
    open_phases = (Phase.WAITING, Phase.RUNNING, Phase.ABSENT)
    until(lambda: shell.status(order.key, handle).phase not in open_phases)
    return shell.status(order.key, handle)


def folder_of(shell: Shell, order: Order) -> Path:
    return Path(str(shell.logs(order.key, None).stdout)).parent


def stdout_of(shell: Shell, order: Order) -> bytes:
    return (folder_of(shell, order) / "stdout").read_bytes()


def test_a_job_runs_in_the_workspace_and_its_output_is_kept(tmp_path: Path) -> None:
    shell = shell_in(tmp_path)
    order = order_of("/bin/sh", "-c", "pwd; echo $PLANNER_JOB_ID; echo bad >&2")
    report = run(shell, order)
    assert (report.phase, report.exit_code) == (Phase.DONE, 0)
    assert stdout_of(shell, order).decode() == f"{tmp_path}\njob\n"
    assert (folder_of(shell, order) / "stderr").read_text() == "bad\n"
    assert report.started_at is not None
    assert report.ended_at is not None
    assert report.started_at <= report.ended_at


def test_in09_shell_marks_reach_the_command_as_they_are(tmp_path: Path) -> None:
    marks = ["; touch x", "$(touch x)", "`touch x`", "| touch x", "> x", "*", "", "a b"]
    shell = shell_in(tmp_path)
    code = "import sys, json; json.dump(sys.argv[1:], sys.stdout)"
    order = order_of(sys.executable, "-c", code, *marks)
    assert run(shell, order).phase is Phase.DONE
    assert json.loads(stdout_of(shell, order)) == marks
    assert not (tmp_path / "x").exists()


def test_se11_option_like_words_are_only_a_command_that_is_not_there(
    tmp_path: Path,
) -> None:
    shell = shell_in(tmp_path)
    report = run(shell, order_of("--wrap=touch x", "-c", "pass"))
    assert report.phase is Phase.FAILED
    assert report.reason == "command not found: --wrap=touch x"


def test_a_file_of_the_workspace_cannot_replace_a_module_of_the_runner(
    tmp_path: Path,
) -> None:
    for name in ("json.py", "planner.py", "select.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit(9)")
    assert run(shell_in(tmp_path), order_of("true")).phase is Phase.DONE


def test_ex20_a_missing_command_fails_with_the_reason(tmp_path: Path) -> None:
    report = run(shell_in(tmp_path), order_of("no-such-command"))
    assert report.phase is Phase.FAILED
    assert report.reason == "command not found: no-such-command"


def test_ex20_a_file_that_is_not_executable_fails_with_the_reason(
    tmp_path: Path,
) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    report = run(shell_in(tmp_path), order_of(str(script)))
    assert report.reason == f"not executable: {script}"
    script.chmod(stat.S_IRWXU)
    script.write_text("#!/no/such/interpreter\n")
    report = run(shell_in(tmp_path), order_of(str(script), job_id="second"))
    assert report.phase is Phase.FAILED


def test_ex20_an_exit_status_and_a_signal_are_told_apart(tmp_path: Path) -> None:
    shell = shell_in(tmp_path)
    exits = run(shell, order_of("/bin/sh", "-c", "exit 7", job_id="exits"))
    assert (exits.phase, exits.exit_code) == (Phase.FAILED, 7)
    assert exits.reason == "exit status 7"
    killed = run(shell, order_of("/bin/sh", "-c", "kill -9 $$", job_id="killed"))
    assert (killed.phase, killed.exit_code) == (Phase.FAILED, None)
    assert killed.reason == "killed by signal 9 (Killed)"


def test_ex20_a_gigabyte_of_output_is_capped_without_deadlock(tmp_path: Path) -> None:
    shell = shell_in(tmp_path, output_limit=1 << 16)
    order = order_of(
        "/bin/sh",
        "-c",
        "echo first; head -c 1000000000 /dev/zero; echo last; echo e >&2",
    )
    assert run(shell, order).phase is Phase.DONE
    output = stdout_of(shell, order)
    assert len(output) < (1 << 16) + 100
    assert output.startswith(b"first\n")
    assert output.endswith(b"last\n")
    left_out = 1_000_000_000 + len(b"first\nlast\n") - (1 << 16)
    assert f"[... {left_out} bytes left out ...]".encode() in output


def test_ex20_a_job_that_waits_for_input_gets_none_and_ends(tmp_path: Path) -> None:
    assert run(shell_in(tmp_path), order_of("cat")).phase is Phase.DONE


def test_a_job_over_its_time_limit_is_ended(tmp_path: Path) -> None:
    report = run(shell_in(tmp_path), order_of("sleep", "60", timeout_s=0.2))
    assert (report.phase, report.reason) == (Phase.FAILED, "stopped: timeout")


def test_a_cancelled_job_and_its_children_end(tmp_path: Path) -> None:
    shell = shell_in(tmp_path)
    order = order_of("/bin/sh", "-c", "sleep 60 & echo $!; wait")
    handle = shell.submit(order).handle
    output = folder_of(shell, order) / "stdout"
    until(lambda: output.exists() and output.read_text().endswith("\n"))
    shell.cancel(order.key, handle)
    assert ended(shell, order, handle).phase is Phase.CANCELLED
    until(lambda: identify(int(output.read_text())) is None)


def test_a_key_that_was_cancelled_before_it_began_never_begins(tmp_path: Path) -> None:
    shell = shell_in(tmp_path)
    order = order_of("touch", "ran")
    folder_of(shell, order).mkdir(parents=True)
    assert shell.cancel(order.key, None).phase is Phase.CANCELLED
    shell.submit(order)
    shell.submit(order_of("touch", "other", job_id="other"))
    until((tmp_path / "other").exists)
    assert shell.look_up(order.key).phase is Phase.CANCELLED
    assert not (tmp_path / "ran").exists()


def test_the_same_key_started_eight_times_runs_once(tmp_path: Path) -> None:
    shell = shell_in(tmp_path)
    order = order_of("/bin/sh", "-c", "echo ran >> count")
    for _ in range(8):
        shell.submit(order)
    assert ended(shell, order).phase is Phase.DONE
    until(lambda: not runners_of(order.key))
    assert (tmp_path / "count").read_text() == "ran\n"


def runners_of(key: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if key.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return [pid for pid in found if identify(pid) is not None]


def test_only_one_of_many_claims_is_granted(tmp_path: Path) -> None:
    granted = [claim(tmp_path, {"pid": n}) for n in range(5)]
    assert granted == [True, False, False, False, False]
    assert read_json(tmp_path / "claim.json") == {"pid": 0}
    assert [path.name for path in tmp_path.iterdir()] == ["claim.json"]


def test_an_order_without_a_command_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="no command"):
        shell_in(tmp_path).submit(order_of())


def test_a_key_that_was_never_sent_is_absent(tmp_path: Path) -> None:
    assert shell_in(tmp_path).look_up(order_of("true").key).phase is Phase.ABSENT


def running(shell: Shell, tmp_path: Path) -> tuple[Order, ProcessIdentity]:
    order = order_of("sleep", "60")
    shell.submit(order)
    job = folder_of(shell, order) / "job.json"
    until(job.exists)
    facts = read_json(folder_of(shell, order) / "claim.json")
    assert facts is not None
    supervisor = identify(facts["pid"])
    assert supervisor is not None
    return order, supervisor


def test_the_outcome_of_a_job_whose_supervisor_was_killed_is_not_guessed(
    tmp_path: Path,
) -> None:
    shell = shell_in(tmp_path)
    order, supervisor = running(shell, tmp_path)
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: identify(supervisor.pid) is None)
    assert shell.look_up(order.key).phase is Phase.RUNNING
    job = read_json(folder_of(shell, order) / "job.json")
    assert job is not None
    os.kill(job["pid"], signal.SIGKILL)
    until(lambda: shell.look_up(order.key).phase is not Phase.RUNNING)
    assert shell.look_up(order.key).phase is Phase.LOST


def written(shell: Shell, process: ProcessIdentity) -> Order:
    order = order_of("true")
    folder = folder_of(shell, order)
    folder.mkdir(parents=True)
    claimed_at = at("02:00").isoformat()
    claim(folder, {**asdict(process), "claimed_at": claimed_at})
    return order


def test_ex09_a_process_number_used_again_is_not_taken_for_the_job(
    tmp_path: Path,
) -> None:
    shell = shell_in(tmp_path)
    myself = identify(os.getpid())
    assert myself is not None
    namesake = ProcessIdentity(pid=myself.pid, started="1", boot=myself.boot)
    assert shell.look_up(written(shell, namesake).key).phase is Phase.LOST


def test_a_job_that_ran_when_the_machine_restarted_has_failed(tmp_path: Path) -> None:
    shell = shell_in(tmp_path)
    earlier = ProcessIdentity(pid=os.getpid(), started="1", boot="another boot")
    report = shell.look_up(written(shell, earlier).key)
    assert report.phase is Phase.FAILED
    assert report.reason == "the machine restarted while it ran"


def test_a_process_that_waits_to_be_reaped_counts_as_ended() -> None:
    with subprocess.Popen(["true"]) as process:
        until(lambda: identify(process.pid) is None)
    assert boot_identity()


def test_se09_jobs_do_not_inherit_the_planners_secrets() -> None:
    environ = {"PATH": "/bin", "WATTTIME_PASSWORD": "x", "PLANNER_SEED": "1"}
    assert job_environment(environ) == {"PATH": "/bin"}


def test_a_supervisor_imports_little_so_that_it_starts_quickly_and_stays_small() -> (
    None
):
    code = (
        "import sys; before = set(sys.modules); import planner.executor.spawner;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    environ = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environ, capture_output=True, check=True
    )
    imported = set(done.stdout.decode().split())
    assert imported <= sys.stdlib_module_names | {"planner"}
    assert not imported & {"asyncio", "socket", "sqlite3", "ssl", "unittest"}
