"""A DAG of one date: a sensor waits for each task's start, then its command runs."""

from __future__ import annotations

import math
from pprint import pformat
from typing import Any

from outputs.export.sheet import (
    Exporter,
    ExportFile,
    Sheet,
    Task,
    comment,
    common_refusal,
    header,
)

_TEMPLATE = '''\
{about}

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta, timezone

try:
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.providers.standard.sensors.date_time import DateTimeSensor
    from airflow.sdk import DAG
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.exceptions import AirflowFailException
    from airflow.operators.python import PythonOperator
    from airflow.sensors.date_time import DateTimeSensor

DIRECTORY = {directory!r}

TASKS = {tasks}


def run(number):
    """Run a task as argv, in its time only."""
    task = TASKS[number]
    now = datetime.now(timezone.utc)
    begins = datetime.fromisoformat(task["start"])
    ends = datetime.fromisoformat(task["latest_start"])
    if not begins <= now < ends:
        span = f"to begin from {{begins}} to {{ends}}"
        raise AirflowFailException(f"{{span}}, but it is {{now}}")
    environ = {{**os.environ, **task["env"]}}
    subprocess.run(task["command"], env=environ, cwd=DIRECTORY, check=True)


with DAG(
    dag_id={dag_id!r},
    start_date=datetime.fromisoformat({start!r}),
    schedule="@once",
    catchup=False,
    max_active_runs=1,
    tags=["carbon-batch-planner"],
):
    for number, task in enumerate(TASKS):
        limit_s = task["timeout_s"]
        wait = DateTimeSensor(
            task_id=task["name"] + ".wait",
            target_time=task["start"],
            mode="reschedule",
            poke_interval=30,
            timeout=8 * 24 * 3600,
        )
        work = PythonOperator(
            task_id=task["name"],
            python_callable=run,
            op_args=[number],
            retries=0,
            execution_timeout=limit_s and timedelta(seconds=limit_s),
        )
        wait >> work
'''


def _files(sheet: Sheet) -> list[ExportFile]:
    about = header(
        sheet,
        "Put it into Airflow's folder of DAGs. A worker runs each as a process.",
    )
    text = _TEMPLATE.format(
        about="\n".join(comment(about)),
        directory=None if sheet.directory is None else str(sheet.directory),
        tasks=pformat(
            [_facts(task) for task in sheet.tasks], sort_dicts=False, width=88
        ),
        dag_id=f"planner-{sheet.day}",
        start=sheet.horizon_start.isoformat(),
    )
    return [ExportFile(name=f"planner_{sheet.day:%Y%m%d}.py", text=text)]


def _facts(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "start": task.start.isoformat(),
        "latest_start": task.latest_start.isoformat(),
        "command": list(task.command),
        "env": dict(task.env),
        "timeout_s": None if task.timeout_s is None else math.ceil(task.timeout_s),
    }


EXPORTER = Exporter(files=_files, refusal=common_refusal)
