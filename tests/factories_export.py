"""Tasks and plans to be exported, and readers of what other tools would run."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from outputs.export import Sheet, Task, load
from planner.executor.keys import dispatch_key
from tests.factories_plan import at, planned_row
from tests.systemd_words import SystemdWords

LONG_AGO = datetime(1971, 1, 2, 3, 4, tzinfo=UTC)
FAR_AHEAD = datetime(2199, 1, 1, tzinfo=UTC)
_EXPRESSION = re.compile(r"\$\{\{\s*(?:'(?P<text>[^']*)'|.*?)\s*\}\}", re.DOTALL)
"""What GitHub puts a value in for: that of a text is the text, of all else nothing."""

PRINTF, ENV = shutil.which("printf") or "", shutil.which("env") or ""


def task_of(*command: str, job_id: str = "job", **changes: Any) -> Task:
    """A task whose time is always now, and whose options are the least."""
    day = date(2026, 11, 22)
    key = dispatch_key(site="site", day=day, job_id=job_id, segment=0, attempt=1)
    facts: dict[str, Any] = {
        "key": key,
        "job_id": job_id,
        "segment": 0,
        "region": "north",
        "start": LONG_AGO,
        "end": LONG_AGO + timedelta(hours=1),
        "latest_start": FAR_AHEAD,
        "command": command,
        "env": {"PLANNER_JOB_ID": job_id, "PLANNER_KEY": key},
        "kubernetes_job": _job(command),
    }
    return Task(**{**facts, **changes})


def sheet_of(*tasks: Task, **changes: Any) -> Sheet:
    """A sheet of tasks that run in the root folder."""
    facts: dict[str, Any] = {
        "plan_id": "2026-11-22-1",
        "digest": "0" * 64,
        "day": date(2026, 11, 22),
        "horizon_start": datetime(2026, 11, 22, tzinfo=UTC),
        "planner_version": "0.1.0",
        "tasks": tasks,
        "directory": Path("/"),
        "site_is_known": True,
    }
    return Sheet(**{**facts, **changes})


def placed(
    job_id: str,
    hour: float,
    command: Sequence[str],
    *,
    hours: float = 0.5,
    region: str = "north",
    replicas: int = 1,
    **spec: Any,
) -> dict[str, Any]:
    """A placed row of a plan; ``spec`` holds further keys of its spec."""
    facts = {"command": list(command), "resources": {}, **spec}
    return planned_row(
        job_id,
        start=at(hour),
        end=at(hour + hours),
        region=region,
        replicas=replicas,
        command=list(command),
        spec=json.dumps(facts),
    )


def text_of(format_name: str, sheet: Sheet, suffix: str = "") -> str:
    """Text of the one file of an export that ends so."""
    files = load(format_name).files(sheet)
    (text,) = (file.text for file in files if file.name.endswith(suffix))
    return text


def _job(command: tuple[str, ...]) -> dict[str, Any]:
    meta = {"labels": {"team": "y"}, "annotations": {"note": "no"}}
    container = {
        "name": "job",
        "image": "busybox",
        "command": [word.replace("$", "$$") for word in command],
    }
    pod = {"restartPolicy": "Never", "containers": [container]}
    spec = {"backoffLimit": 0, "template": {"metadata": meta, "spec": pod}}
    return {"metadata": {**meta, "namespace": "default"}, "spec": spec}


def cron_commands(line: str) -> set[str]:
    r"""Command of a crontab's line as crons read it: some turn ``\\`` into one."""
    command = line.split(" ", 5)[5]
    return {_cron_reads(command, doubled=doubled) for doubled in (False, True)}


def _cron_reads(text: str, *, doubled: bool) -> str:
    read, escaped = "", False
    for c in text:
        if escaped and (c == "%" or (doubled and c == "\\")):
            read = read[:-1]
        elif not escaped and c == "%":
            return read  # what follows would be the command's input
        read += c
        escaped = c == "\\" and not escaped
    return read


def run_sh(script: str, *options: str) -> bytes:
    """What a script of sh prints."""
    done = subprocess.run(
        ["/bin/sh", *options, "-s"],
        input=script.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def by_crontab(sheet: Sheet) -> list[bytes]:
    """Output of a sheet's one task, as cron would run it."""
    (line,) = uncommented(text_of("crontab", sheet))
    outputs = {run_sh(command) for command in cron_commands(line)}
    assert len(outputs) == 1, "crons disagree"
    return words(outputs.pop())


def by_slurm(sheet: Sheet) -> list[bytes]:
    """Output of a sheet's one task, as a compute node would run it."""
    return words(run_sh(text_of("slurm", sheet, ".sbatch")))


def by_github(sheet: Sheet) -> list[bytes]:
    """Output of a sheet's one task, its expressions put in as GitHub would."""
    (job,) = yaml.safe_load(text_of("github-actions", sheet))["jobs"].values()
    script = _EXPRESSION.sub(lambda m: m["text"] or "", job["steps"][1]["run"])
    return words(run_sh(script, "-e"))


def by_systemd(sheet: Sheet) -> list[bytes]:
    """Output of a sheet's one task: its unit is read by systemd's own code."""
    unit = text_of("systemd", sheet, ".service")
    systemd = SystemdWords()
    (start,) = systemd.commands(unit, "ExecStart")
    env = systemd.environment(unit)
    done = subprocess.run(
        [word.encode() for word in start],
        env={name.encode(): text.encode() for name, text in env.items()},
        capture_output=True,
        check=True,
    )
    return words(done.stdout)


def by_airflow(sheet: Sheet) -> list[bytes]:
    """argv of a sheet's one task after its first two words, read as Python."""
    tree = ast.parse(text_of("airflow", sheet))
    (tasks,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TASKS"
    )
    return [word.encode() for word in tasks[0]["command"][2:]]


def by_kubernetes(sheet: Sheet) -> list[bytes]:
    """argv of a sheet's one task after its first two words, as a pod would get it."""
    manifest = yaml.safe_load(text_of("kubernetes", sheet))
    pod = manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return [kubernetes_expands(word).encode() for word in container["command"][2:]]


def kubernetes_expands(text: str) -> str:
    """A word as a pod gets it; $(NAME) of unknown variables stays as it is."""
    return text.replace("$$", "$")


def words(output: bytes) -> list[bytes]:
    """Words that were printed with a NUL behind each."""
    return output.split(b"\0")[:-1]


def uncommented(text: str) -> list[str]:
    """Lines that are no comments."""
    return [line for line in text.split("\n") if line and not line.startswith("#")]


READERS: dict[str, Callable[[Sheet], list[bytes]]] = {
    "crontab": by_crontab,
    "systemd": by_systemd,
    "slurm": by_slurm,
    "kubernetes": by_kubernetes,
    "airflow": by_airflow,
    "github-actions": by_github,
}
