"""Every export is accepted by the tool that it is for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from outputs.export import ExportFile, load
from outputs.export.services import Service, crontab, systemd
from outputs.export.writing import write_file, write_folder
from outputs.plan_file import write_plan
from planner.executor.backends.registry import Place
from planner.exporting import export_plan
from tests.factories_executor import MADE, until
from tests.factories_export import (
    PRINTF,
    kubernetes_expands,
    placed,
    sheet_of,
    task_of,
    uncommented,
)
from tests.factories_plan import small_plan
from tests.slurm_cluster import SlurmCluster

WORDS = ["50 %", "a\\%b", "it's", '"$HOME"', "${{ x }}", "two\nlines", "yes", "%i", "é"]
ROWS = [
    placed("plain", 2, ["python", "embed.py"], timeout_s=90),
    placed("part[0]", 2.25, ["echo", *WORDS], on_missed="skip", image="etl:1"),
    placed("wide", 22.5, ["true"], replicas=2, env={"A": "1 % \\"}),
]


def tool(name: str) -> str:
    """Path of a program; the test is skipped where it is not installed."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def accepts(*command: str | Path, **options: Any) -> str:
    """What a tool prints about something that it accepts."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def exported(
    folder: Path, format_name: str, settings: dict[str, Any] | None = None
) -> Sequence[ExportFile]:
    """Files of a plan that holds what is hard to write down."""
    path = folder / "plan.parquet"
    write_plan(small_plan(ROWS, slot_minutes=15), path)
    place = Place(workspace=folder, outputs=folder, environ={}, settings=settings or {})
    export = export_plan(
        path, format_name, now=MADE, environment={}, place=place, directory=folder
    )
    assert export.left_out == ()
    return export.files


def test_crontab_is_accepted_by_cron(tmp_path: Path) -> None:
    program = tool("crontab")
    (file,) = exported(tmp_path, "crontab")
    path = write_file(tmp_path / "jobs.crontab", file)
    assert len(uncommented(file.text)) == len(ROWS)
    accepts(program, "-n", path)


def test_lines_as_long_as_cron_takes_are_exported_and_longer_ones_are_not(
    tmp_path: Path,
) -> None:
    program = tool("crontab")
    exporter = load("crontab")

    def sheet(length: int) -> Any:
        return sheet_of(task_of("echo", "x" * length))

    longest = max(
        n for n in range(1000) if exporter.refusal(sheet(n), sheet(n).tasks[0]) is None
    )
    (file,) = exporter.files(sheet(longest))
    accepts(program, "-n", write_file(tmp_path / "c", file))
    reason = exporter.refusal(sheet(longest + 1), sheet(longest + 1).tasks[0])
    assert reason is not None
    assert reason.startswith("999 bytes, cron takes 998")
    (file,) = exporter.files(sheet(longest + 10))
    done = subprocess.run([program, "-n", write_file(tmp_path / "c", file)])
    assert done.returncode != 0


def test_units_are_accepted_by_systemd(tmp_path: Path) -> None:
    program = tool("systemd-analyze")
    paths = write_folder(tmp_path / "units", exported(tmp_path, "systemd"))
    assert len(paths) == 2 * len(ROWS)
    said = accepts(program, "verify", *paths)
    assert not any(path.name in said for path in paths), said
    for path in paths:
        for when in calendars(path):
            said = accepts(program, "calendar", when)
            assert "Normalized form: 2026-11-22 " in said


def calendars(path: Path) -> list[str]:
    key, lines = "OnCalendar=", path.read_text().splitlines()
    return [line.removeprefix(key) for line in lines if line.startswith(key)]


def test_a_broken_unit_would_have_been_noticed(tmp_path: Path) -> None:
    program = tool("systemd-analyze")
    paths = write_folder(tmp_path / "units", exported(tmp_path, "systemd"))
    broken = paths[0].read_text().replace("ExecStart=", "ExecStart=relative/")
    paths[0].write_text(broken)
    done = subprocess.run(
        [program, "verify", *paths], capture_output=True, text=True, check=False
    )
    assert paths[0].name in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["plain", "work %n $space"])
def test_units_of_the_executor_are_accepted_by_systemd(
    tmp_path: Path, name: str
) -> None:
    program = tool("systemd-analyze")
    workspace = tmp_path / name
    workspace.mkdir()
    service = Service(
        program=Path("/bin/true"),
        workspace=workspace,
        timezone="Europe/Berlin",
        user="daemon",
    )
    paths = write_folder(tmp_path / "units", systemd(service))
    said = accepts(program, "verify", *paths)
    assert not any(path.name in said for path in paths), said
    units = {path.name: path.read_text() for path in paths}
    assert "\nUser=daemon\n" in units["planner-solve.service"]
    assert "KillMode=process" in units["planner-execute.service"]
    assert "execute" in units["planner-execute.service"]
    for path in paths:
        for when in calendars(path):
            accepts(program, "calendar", when)


def test_lines_of_the_executor_are_accepted_by_cron(tmp_path: Path) -> None:
    service = Service(
        program=Path("/opt/100%/planner"), workspace=tmp_path, timezone="UTC"
    )
    (file,) = crontab(service)
    solve, execute = uncommented(file.text)
    assert solve.startswith("0 20 * * * cd ")
    assert execute.startswith("* * * * * cd ")
    assert r"/opt/100\%/planner execute --once" in execute
    accepts(tool("crontab"), "-n", write_file(tmp_path / "c", file))


def test_batch_scripts_are_read_by_shells(tmp_path: Path) -> None:
    for path in write_folder(tmp_path / "batch", exported(tmp_path, "slurm")):
        accepts("/bin/sh", "-n", path)
        accepts(tool("bash"), "-n", path)


def test_batch_scripts_are_accepted_by_slurm(
    tmp_path: Path, slurm_cluster: SlurmCluster
) -> None:
    settings = {"slurm": {"regions": {"north": {"partition": "us"}}}}
    files = exported(tmp_path, "slurm", settings)
    environ = slurm_cluster.environ
    for path in write_folder(tmp_path / "batch", files[:2]):
        said = accepts(tool("sbatch"), "--test-only", path, env=environ)
        assert "partition us" in said


def test_submit_hands_each_job_to_slurm_once(
    tmp_path: Path, slurm_cluster: SlurmCluster
) -> None:
    options = ("--job-name=k", "--comment=k part[0]", "--output=said", "--begin=now")
    task = task_of(PRINTF, "%s|", *WORDS, sbatch_options=options)
    folder = tmp_path / "batch"
    *_, submit = write_folder(
        folder, load("slurm").files(sheet_of(task, directory=None))
    )
    assert "Submitted batch job" in accepts(submit, env=slurm_cluster.environ)
    assert "Submitted" not in accepts(submit, env=slurm_cluster.environ)
    expected = "".join(f"{word}|" for word in WORDS)
    said = folder / "said"
    until(lambda: said.exists() and said.read_text() == expected)


@pytest.mark.parametrize("version", ["1.28", "1.33", "1.37"])
def test_manifests_keep_to_the_schemas_of_kubernetes(
    tmp_path: Path, version: str
) -> None:
    validate = pytest.importorskip("kubernetes_validate").validate
    (file,) = exported(tmp_path, "kubernetes", KUBERNETES)
    documents = list(yaml.safe_load_all(file.text))
    assert len(documents) == len(ROWS)
    for document in documents:
        validate(document, version, strict=True)
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": document["spec"]["jobTemplate"]["metadata"],
            "spec": document["spec"]["jobTemplate"]["spec"],
        }
        validate(job, version, strict=True)


def test_manifests_are_read_alike_by_kubernetes_own_tool(tmp_path: Path) -> None:
    program = tool("kubectl")
    (file,) = exported(tmp_path, "kubernetes", KUBERNETES)
    write_file(tmp_path / "jobs.yaml", file)
    (tmp_path / "kustomization.yaml").write_text("resources: [jobs.yaml]\n")
    said = accepts(program, "kustomize", tmp_path)
    read = {job["metadata"]["name"]: job for job in yaml.safe_load_all(said)}
    written = list(yaml.safe_load_all(file.text))
    assert [read[job["metadata"]["name"]] for job in written] == written
    pod = written[1]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert [kubernetes_expands(w) for w in container["command"]] == ["echo", *WORDS]


KUBERNETES = {"kubernetes": {"image": "busybox", "queue": "nightly"}}


def test_workflow_keeps_to_the_schema_of_github(tmp_path: Path) -> None:
    program = os.environ.get("PLANNER_CHECK_JSONSCHEMA", "check-jsonschema")
    (file,) = exported(tmp_path, "github-actions")
    path = write_file(tmp_path / "planner.yml", file)
    schema = "vendor.github-workflows"
    accepts(tool(program), "--builtin-schema", schema, path)


def test_dag_is_loaded_and_run_by_airflow(tmp_path: Path) -> None:
    python = os.environ.get("PLANNER_AIRFLOW_PYTHON")
    if python is None:
        pytest.skip("PLANNER_AIRFLOW_PYTHON names no interpreter with Airflow")
    dags, said = tmp_path / "dags", tmp_path / "said"
    dags.mkdir()
    code = "import sys; open(sys.argv[1], 'w').write('|'.join(sys.argv[2:]))"
    task = task_of(python, "-c", code, str(said), *WORDS)
    sheet = sheet_of(task, horizon_start=task.start)
    (file,) = load("airflow").files(sheet)
    write_file(dags / file.name, file)
    environ = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
    }
    airflow = [python, "-m", "airflow"]
    accepts(*airflow, "db", "migrate", env=environ)
    errors = accepts(*airflow, "dags", "list-import-errors", env=environ)
    assert "No data found" in errors
    accepts(*airflow, "dags", "test", "planner-2026-11-22", env=environ)
    assert said.read_text() == "|".join(WORDS)
