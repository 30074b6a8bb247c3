"""Shell jobs whose beginning, end or folder is not as it should be."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from planner.executor import run_folder
from planner.executor.backends.backend import Phase
from planner.executor.backends.shell import Shell
from planner.executor.errors import BackendError
from planner.executor.processes import ProcessIdentity, identify
from planner.executor.run_folder import read_json, write_json
from tests.factories_executor import at, order, shell_in, until
from tests.processes import python

JOB = order()

TOLD_WHILE_STARTING = """
import os, signal, sys
from pathlib import Path
from planner.executor import runner

def tell(event, _):
    if event == "subprocess.Popen":
        os.kill(os.getpid(), signal.SIGTERM)

sys.addaudithook(tell)
sys.exit(runner.main(Path(sys.argv[1])))
"""

OUTLIVED = """
import subprocess, sys
from planner.executor.supervision import Supervision, EndWish

child = subprocess.Popen(["/bin/sh", "-c", sys.argv[1]], start_new_session=True)
wish = EndWish(made=True)
sys.stdin.read(1)
Supervision(child, timeout_s=None, wish=wish, grace_s=0.5).until_end()
"""

OF_ANOTHER_USER = """
import os, subprocess
from planner.executor.supervision import Supervision, EndWish

child = subprocess.Popen(["sleep", "0.5"], start_new_session=True)
os.setuid(65534)
Supervision(child, timeout_s=None, wish=EndWish(made=True)).until_end()
print(child.returncode)
"""


def folder_of(shell: Shell) -> Path:
    return Path(str(shell.logs(JOB.key, None).stdout)).parent


def claimed(shell: Shell, *, boot: str) -> Path:
    folder = folder_of(shell)
    folder.mkdir(parents=True)
    process = ProcessIdentity(pid=os.getpid(), started="1", boot=boot)
    run_folder.claim(folder, {**asdict(process), "claimed_at": at("02:00").isoformat()})
    return folder


def test_a_restart_that_left_half_a_file_does_not_hide_that_the_job_failed(
    tmp_path: Path,
) -> None:
    shell = shell_in(tmp_path)
    (claimed(shell, boot="another boot") / run_folder.JOB).touch()
    assert shell.look_up(JOB.key).phase is Phase.FAILED


def test_a_run_folder_that_cannot_be_written_fails_one_wish_and_no_more(
    tmp_path: Path,
) -> None:
    shell = shell_in(tmp_path)
    (folder_of(shell) / f".{run_folder.CLAIM}.{os.getpid()}").mkdir(parents=True)
    with pytest.raises(BackendError, match="directory"):
        shell.cancel(JOB.key, None)


@pytest.mark.parametrize("content", [{}, {"outcome": "exited"}, {"outcome": []}])
def test_a_file_of_the_jobs_own_in_its_folder_stops_no_other_job(
    tmp_path: Path, content: dict[str, object]
) -> None:
    shell = shell_in(tmp_path)
    write_json(claimed(shell, boot="another boot") / run_folder.RESULT, content)
    with pytest.raises(BackendError, match="not ours"):
        shell.status(JOB.key, None)


def test_a_job_whose_output_finds_no_place_runs_all_the_same(tmp_path: Path) -> None:
    shell = shell_in(tmp_path)
    (folder_of(shell) / run_folder.STDOUT).mkdir(parents=True)
    shell.submit(order(command=("/bin/sh", "-c", "echo said && touch ran")))
    until(lambda: shell.look_up(JOB.key).phase is Phase.DONE)
    assert (tmp_path / "ran").exists()


def test_a_job_told_to_end_while_it_is_being_started_is_cancelled(
    tmp_path: Path,
) -> None:
    facts = {"timeout_s": None, "output_limit": 1000, "energy": "none"}
    facts |= {"command": ["sleep", "60"], "cwd": str(tmp_path), "env": {}}
    write_json(tmp_path / run_folder.ORDER, facts)
    runner = python("-c", TOLD_WHILE_STARTING, str(tmp_path))
    assert runner.wait() == 0
    result = read_json(tmp_path / run_folder.RESULT)
    assert result is not None
    assert result["outcome"] == "cancelled"


def test_no_child_outlives_a_job_that_was_told_to_end(tmp_path: Path) -> None:
    number = tmp_path / "number"
    deaf = f"trap : TERM; echo $$ > {number}; while :; do sleep 0.1; done"
    runner = python("-c", OUTLIVED, f"sh -c '{deaf}' & sleep 60", stdin=subprocess.PIPE)
    until(lambda: number.exists() and number.read_text().endswith("\n"))
    runner.communicate(b"x")
    assert runner.returncode == 0
    until(lambda: identify(int(number.read_text())) is None)


def test_a_job_that_became_another_users_does_not_bring_its_supervisor_down() -> None:
    if os.geteuid():
        pytest.skip("only root can become another user")
    runner = python("-c", OF_ANOTHER_USER, stdout=subprocess.PIPE)
    said, _ = runner.communicate()
    assert said.split() == [b"0"]
