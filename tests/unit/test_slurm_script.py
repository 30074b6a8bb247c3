"""The batch script of Slurm jobs, run by sh itself: no cluster is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from planner.executor import run_folder
from planner.executor.backends.backend import Order
from planner.executor.backends.slurm_script import (
    NO_FOLDER,
    NOT_MINE,
    batch_script,
)
from planner.executor.errors import RejectedError
from tests.factories_orders import order_of

MARKS = ["; touch x", "$(touch x)", "`touch x`", "| touch x", "> x", "*", "", "a\nb"]
MARKS += ["'", '"', "\\", "#SBATCH --uid=1", "-n", "é", "$HOME", "%j"]


class Node:
    """Stands for a compute node: runs a script as slurmd would."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "a 'run' folder"
        self.run.mkdir()
        self.workspace = folder / "work $space"
        self.workspace.mkdir()

    def start(
        self, order: Order, *, job: int = 1, restarts: int = 0, repeatable: bool = False
    ) -> int:
        text = batch_script(
            order, folder=self.run, workspace=self.workspace, repeatable=repeatable
        )
        environ = {"PATH": os.defpath, "SLURM_JOB_ID": str(job)}
        environ |= {"SLURMD_NODENAME": "n1", "SLURM_RESTART_COUNT": str(restarts)}
        done = subprocess.run(
            ["/bin/sh", "-s"], input=text.encode(), env=environ, check=False
        )
        return done.returncode

    def file(self, name: str) -> dict[str, Any]:
        found = run_folder.read_json(self.run / name)
        assert found is not None
        return found

    @property
    def stdout(self) -> str:
        return (self.run / run_folder.STDOUT).read_text()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_claim_output_and_result_are_stored(node: Node) -> None:
    order = order_of("/bin/sh", "-c", "pwd; echo $PLANNER_KEY; cat; exit 7")
    assert node.start(order) == 7
    assert node.stdout == f"{node.workspace}\n{order.key}\n"
    claim, result = node.file(run_folder.CLAIM), node.file(run_folder.RESULT)
    assert (claim["slurm_job"], claim["node"]) == ("1", "n1")
    assert (result["outcome"], result["exit_code"]) == ("exited", 7)
    assert result["started_at"].endswith("+00:00")
    names = {path.name for path in node.run.iterdir()}
    assert names == {"claim.json", "result.json", "stdout", "stderr"}


def test_in09_shell_marks_reach_the_command_as_they_are(node: Node) -> None:
    code = (
        "import json, os, sys; json.dump([sys.argv[1:], os.environ['X']], sys.stdout)"
    )
    for value in MARKS:
        (node.run / run_folder.CLAIM).unlink(missing_ok=True)
        (node.run / run_folder.STDOUT).unlink(missing_ok=True)
        order = order_of(sys.executable, "-c", code, *MARKS, env={"X": value})
        assert node.start(order) == 0
        assert json.loads(node.stdout) == [MARKS, value]
    assert list(node.workspace.iterdir()) == []


def test_a_second_start_of_the_key_leaves_without_running(node: Node) -> None:
    order = order_of("echo", "ran")
    assert node.start(order, job=1) == 0
    assert node.start(order, job=2) == NOT_MINE
    assert node.start(order, job=1, restarts=1) == NOT_MINE
    assert node.stdout == "ran\n"


def test_ex19_only_a_job_that_is_safe_to_repeat_goes_on_after_a_requeue(
    node: Node,
) -> None:
    order = order_of("echo", "ran")
    assert node.start(order, job=12, repeatable=True) == 0
    assert node.start(order, job=12, restarts=1, repeatable=True) == 0
    assert node.start(order, job=1, repeatable=True) == NOT_MINE
    assert node.stdout == "ran\nran\n"


def test_a_closed_key_never_begins(node: Node) -> None:
    assert run_folder.claim(node.run, {"closed": "cancelled"})
    assert node.start(order_of("echo", "ran"), repeatable=True) == NOT_MINE
    assert not (node.run / run_folder.STDOUT).exists()


def test_the_jobs_own_path_does_not_keep_the_result_from_being_noted(
    node: Node,
) -> None:
    order = order_of("/bin/true", env={"PATH": "/nowhere", "run": "x", "me": "y"})
    assert node.start(order) == 0
    assert node.file(run_folder.RESULT)["exit_code"] == 0


@pytest.mark.parametrize("word", ["exit", "cd", "export", ":", "set"])
def test_a_builtin_of_the_shell_is_only_a_command_that_is_not_there(
    node: Node, word: str
) -> None:
    assert node.start(order_of(f"{word}", "0", env={"PATH": "/nowhere"})) == 127
    assert node.file(run_folder.RESULT)["exit_code"] == 127


def test_ex20_a_signal_and_an_unusable_file_are_noted(node: Node) -> None:
    assert node.start(order_of("/bin/sh", "-c", "kill -9 $$")) == 137
    assert node.file(run_folder.RESULT)["exit_code"] == 137
    (node.run / run_folder.CLAIM).unlink()
    (node.workspace / "file").write_text("")
    assert node.start(order_of("./file")) == 126


def test_an_end_that_finds_no_room_on_the_disk_is_left_to_slurm(node: Node) -> None:
    full = node.run / f".{run_folder.RESULT}.1.0"
    assert node.start(order_of("ln", "-s", "/dev/full", str(full))) == 0
    names = {path.name for path in node.run.iterdir()}
    assert names == {"claim.json", "stdout", "stderr"}


def test_a_missing_run_folder_starts_nothing(node: Node) -> None:
    node.run.rmdir()
    assert node.start(order_of("touch", str(node.workspace / "x"))) == NO_FOLDER
    assert list(node.workspace.iterdir()) == []


def test_a_missing_workspace_is_told_in_the_result(node: Node) -> None:
    node.workspace.rmdir()
    assert node.start(order_of("true")) == 72
    assert node.file(run_folder.RESULT)["outcome"] == "not_started"


def test_the_end_is_noted_though_the_shell_gets_sigterm_too(
    node: Node,
) -> None:
    order = order_of("/bin/sh", "-c", "kill -TERM $PPID; exit 3")
    assert node.start(order) == 3
    assert node.file(run_folder.RESULT)["exit_code"] == 3


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (order_of(), "no command"),
        (order_of(""), "no command"),
        (order_of("--wrap=touch x"), "command not found: --wrap"),
        (order_of("echo", "a\0b"), "NUL"),
        (order_of("echo", "a\r\nb"), "CR LF"),
        (order_of("echo", "\ud800"), "half of a character"),
        (order_of("echo", env={"A;touch x": "b"}), "not a variable's name"),
    ],
)
def test_what_no_script_can_say_is_refused(
    order: Order, words: str, tmp_path: Path
) -> None:
    with pytest.raises(RejectedError, match=words):
        batch_script(order, folder=tmp_path, workspace=tmp_path, repeatable=False)
