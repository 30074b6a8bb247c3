"""A whole night over the webhook: planner.toml, plan, orders, reports, status."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.factories_workspace import DAY, NOW, SETTINGS, a_workspace
from tests.webhook_receiver import ENVIRON, SECRET, receiving

START = datetime(2026, 11, 22, tzinfo=UTC)
TABLE = """
[executor.webhook]
url = "{url}/hook"
allow = ["127.0.0.0/8"]
"""


def run(root: Path, *words: str, now: datetime = START) -> Result:
    app = App(clock=lambda: now, environment=ENVIRON, directory=root)
    return CliRunner().invoke(main, list(words), obj=app)


def test_orders_are_posted_once_and_their_reports_end_up_in_the_status(
    tmp_path: Path,
) -> None:
    with receiving() as (receiver, server):
        jobs = [
            {"id": name, "executor": "webhook", "command": '["run", "--wrap=x"]'}
            for name in ("good", "bad")
        ]
        settings = SETTINGS + TABLE.format(url=server.url)
        a_workspace(tmp_path, *jobs, settings=settings)
        solved = run(tmp_path, "solve", "--date", DAY, "--solver", "asap", now=NOW)
        assert solved.exit_code == ExitCode.DONE, solved.stderr
        for _ in range(2):
            result = run(tmp_path, "execute", "--once", "--json")
            assert result.exit_code == ExitCode.DONE, result.stderr
        assert sorted(taken["job_id"] for taken in receiver.orders) == ["bad", "good"]
        assert receiver.orders[0]["command"] == ["run", "--wrap=x"]

        keys = {taken["job_id"]: taken["key"] for taken in receiver.orders}
        receiver.finish(keys["good"], exit_code=0, stdout="https://hook.example/good")
        receiver.finish(keys["bad"], phase="failed", exit_code=3, reason="no data")
        later = START + timedelta(minutes=5)
        ended = run(tmp_path, "execute", "--once", now=later)
        assert ended.exit_code == ExitCode.JOBS_FAILED
        shown = run(tmp_path, "status", DAY, "--json", now=later)
        told = {job["job_id"]: job for job in json.loads(shown.stdout)["jobs"]}
        assert told["good"]["state"] == "done"
        assert told["good"]["stdout"] == "https://hook.example/good"
        assert (told["bad"]["state"], told["bad"]["reason"]) == ("failed", "no data")
        assert SECRET not in solved.output + ended.output + shown.output
        kept = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert not [file for file in kept if SECRET.encode() in file.read_bytes()]
