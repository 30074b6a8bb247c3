"""What the Slurm back end says to Slurm's commands, and its settings."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inputs.errors import SettingsError
from planner.executor.backends.registry import BACKENDS, Place, load_all
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from tests.factories_orders import order_of
from tests.slurm_commands import FakeSlurm


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
