"""Logs, figures and alerts of whole commands, with their secrets looked for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from tests.factories_executor import until
from tests.factories_workspace import DAY, NOW, SETTINGS, Folder, a_workspace
from tests.replay_servers import Reply, serving

CANARY = "canary-7f3a9c51d2"
LATER = NOW.fromisoformat(f"{DAY}T00:00:30+00:00")
SECRETS = {
    "ELECTRICITY_MAPS_TOKEN": f"{CANARY}-token",
    "WATTTIME_PASSWORD": f"{CANARY}-password",
    "PLANNER_ALERT_HOOK": f"{CANARY}-address",
    "HTTPS_PROXY": f"http://user:{CANARY}-proxy@proxy.invalid:1",
}


def run(folder: Folder, *words: str, now: Any = NOW, **environment: str) -> Result:
    app = App(
        clock=lambda: now,
        environment=environment,
        directory=folder.root,
        root=lambda: False,
    )
    return CliRunner().invoke(main, list(words), obj=app)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stderr.splitlines()]


def by_code(result: Result) -> dict[str, dict[str, Any]]:
    return {line["code"]: line for line in lines(result)}


def test_every_line_of_a_night_is_one_json_object(tmp_path: Path) -> None:
    folder = a_workspace(tmp_path, {"id": "a"}, {"id": "b", "resources": "{ cpu: 99 }"})
    solved = run(folder, "solve", "--date", DAY, "--log-format", "json")
    assert solved.exit_code == 3
    unplaced = by_code(solved)["job-unplaced"]
    assert unplaced["job_id"] == "b"
    assert unplaced["level"] == "warning"
    assert unplaced["time"] == "2026-11-21T22:30:00.000Z"
    plan_id = unplaced["plan_id"]
    assert by_code(solved)["plan-partial"]["plan_id"] == plan_id


def test_the_variable_asks_for_json_and_the_flag_wins(tmp_path: Path) -> None:
    folder = a_workspace(tmp_path)
    asked = run(folder, "execute", PLANNER_LOG="json")
    assert by_code(asked)["plan-none"]["level"] == "warning"
    text = run(folder, "execute", "--log-format", "text", PLANNER_LOG="json")
    assert text.stderr.startswith("note: there is no valid plan")
    wrong = run(folder, "execute", PLANNER_LOG="yaml")
    assert wrong.exit_code == 2
    assert "PLANNER_LOG" in wrong.stderr


def test_what_became_of_each_job_is_logged_with_its_key(tmp_path: Path) -> None:
    folder = a_workspace(tmp_path, {"id": "a", "deadline": '"02:00"'})
    assert run(folder, "solve", "--date", DAY).exit_code == 0
    at_end = NOW.fromisoformat(f"{DAY}T05:00:00+00:00")
    missed = run(folder, "execute", "--log-format", "json", now=at_end)
    assert missed.exit_code == 6
    line = by_code(missed)["dispatch-missed"]
    assert (line["job_id"], line["level"]) == ("a", "error")
    assert line["key"]
    assert line["plan_id"]


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("solve", "--date", DAY), "settings", 1),
        (("execute", "--no-such"), "usage", 2),
        (("check", "none.parquet"), "plan-format", 1),
    ],
)
def test_every_refusal_has_a_code(
    tmp_path: Path, words: tuple[str, ...], code: str, status: int
) -> None:
    folder = a_workspace(tmp_path)
    if code == "settings":
        folder.write("planner.toml", "[planner]\nnone = 1\n")
    result = run(folder, *words, PLANNER_LOG="json")
    assert result.exit_code == status
    assert lines(result)[-1]["code"] == code


def test_the_figures_are_written_by_every_run_and_printed(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason="extra [metrics]")
    folder = a_workspace(
        tmp_path, settings=SETTINGS + '[metrics]\ntextfile = "x/planner.prom"\n'
    )
    run(folder, "solve", "--date", DAY)
    missing = run(folder, "execute", now=LATER)
    assert missing.exit_code == 0
    assert "x/planner.prom" in missing.stderr.replace(str(tmp_path), "")
    (tmp_path / "x").mkdir()
    assert run(folder, "execute", now=LATER).exit_code == 0
    text = (tmp_path / "x/planner.prom").read_text()
    assert 'planner_executor_runs_total{outcome="ok"} 2.0' in text
    printed = run(folder, "metrics", now=LATER)
    assert "planner_plan_info" in printed.stdout


def test_se_02_an_endpoint_for_the_world_is_refused_unless_told(
    tmp_path: Path,
) -> None:
    public = SETTINGS + '[metrics]\nlisten = "0.0.0.0:9464"\n'
    folder = a_workspace(tmp_path, settings=public)
    refused = run(folder, "config")
    assert refused.exit_code == 1
    assert "metrics.listen" in refused.stderr
    assert "allow_public = true" in refused.stderr
    folder.write("planner.toml", public + "allow_public = true\n")
    assert run(folder, "config").exit_code == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('kind = "slack"', "alerts.0.url"),
        ('kind = "email"', "alerts.0.server"),
        ('kind = "slack"\nurl = "ftp://x"', "https address"),
        ('kind = "slack"\nurl = "env:HOME"', "env:PLANNER_ALERT_"),
        (f'kind = "email"\npassword = "{CANARY}"', "alerts.0.password"),
        (
            'kind = "email"\nserver = "mail.example.org:25"\nstarttls = false',
            "alerts.0.starttls",
        ),
        ('kind = "slack"\nurl = "https://x"\nrepaet = "1h"', "repeat"),
    ],
)
def test_an_alert_that_could_not_be_sent_is_refused_with_its_key(
    tmp_path: Path, table: str, said: str
) -> None:
    folder = a_workspace(tmp_path, settings=f"{SETTINGS}\n[[alerts]]\n{table}\n")
    refused = run(folder, "config")
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert CANARY not in refused.stderr


def test_a_missed_job_and_a_refusal_are_told_once(tmp_path: Path) -> None:
    with serving(lambda seen: Reply({})) as server:
        folder = a_workspace(
            tmp_path,
            {"id": "a", "deadline": '"02:00"'},
            settings=f"{SETTINGS}\n[[alerts]]\nkind = 'webhook'\n"
            f"url = '{server.url}'\nallow = ['127.0.0.0/8']\n",
        )
        run(folder, "solve", "--date", DAY)
        at_end = NOW.fromisoformat(f"{DAY}T05:00:00+00:00")
        run(folder, "execute", "--dry-run", now=at_end)
        assert server.seen == [], "a rehearsal tells nobody"
        run(folder, "execute", now=at_end)
        run(folder, "execute", now=at_end)
        (seen,) = server.seen
        assert json.loads(seen.body)["alerts"][0]["on"] == "missed"
        for path in (tmp_path / "outputs" / "ledger").glob("ledger.sqlite*"):
            path.unlink()
        refused = run(folder, "execute", now=at_end)
        assert refused.exit_code == 1
        codes = [json.loads(one.body)["alerts"][0]["code"] for one in server.seen]
        assert codes == ["dispatch-missed", "ledger-missing"]


def test_se_09_secrets_are_in_nothing_that_is_written(tmp_path: Path) -> None:
    with serving(lambda seen: Reply({"quoted": seen.path}, 500)) as server:
        url = f"{server.url}/{SECRETS['PLANNER_ALERT_HOOK']}"
        folder = a_workspace(
            tmp_path,
            {"id": "a", "deadline": '"02:00"', "labels": "{ x: y }"},
            settings=f"{SETTINGS}\n[metrics]\ntextfile = 'planner.prom'\n\n"
            "[[alerts]]\nkind = 'webhook'\nallow = ['127.0.0.0/8']\n"
            "url = 'env:PLANNER_ALERT_HOOK'\non = ['missed', 'refused']\n",
        )
        environment = SECRETS | {"PLANNER_ALERT_HOOK": url}
        at_end = NOW.fromisoformat(f"{DAY}T05:00:00+00:00")
        written = ""
        for words, now in (
            (("-vv", "solve", "--date", DAY, "--log-format", "json"), NOW),
            (("report", DAY), NOW),
            (("config",), NOW),
            (("-vv", "execute", "--log-format", "json"), at_end),
            (("execute",), at_end),
            (("status", DAY, "--json"), at_end),
            (("metrics",), at_end),
        ):
            result = run(folder, *words, now=now, **environment)
            written += result.stdout + result.stderr
        assert len(server.seen) == 1
        assert "alert over webhook-1 was not delivered" in written
        for path in folder.root.rglob("*"):
            if path.is_file():
                written += path.read_bytes().decode("latin-1")
    assert CANARY not in written


def test_a_daemon_answers_prometheus_and_shows_no_secret_to_ps(
    tmp_path: Path,
) -> None:
    pytest.importorskip("prometheus_client", reason="extra [metrics]")
    settings = SETTINGS + '[metrics]\nlisten = "127.0.0.1:0"\n'
    folder = a_workspace(tmp_path, settings=settings)
    code = "from planner.cli import main; main()"
    environment = os.environ | SECRETS | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (tmp_path / "err").open("wb") as err:
        daemon = subprocess.Popen(
            [sys.executable, "-c", code, "execute", "--watch", "--allow-root"],
            cwd=folder.root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=err,
        )
        try:
            until(lambda: "(port " in (tmp_path / "err").read_text())
            said = (tmp_path / "err").read_text()
            port = said.partition("(port ")[2].partition(")")[0]

            def metrics() -> str:
                url = f"http://127.0.0.1:{port}/metrics"
                with urllib.request.urlopen(url, timeout=5) as answer:
                    return str(answer.read().decode())

            until(lambda: "planner_executor_runs_total" in metrics())
            shown = Path(f"/proc/{daemon.pid}/cmdline").read_text()
            assert CANARY not in shown + metrics() + said
        finally:
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(20) == 0
