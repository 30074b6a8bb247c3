"""SE-09: canary secrets are searched for in all that a night of the executor leaves."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from planner.executor.backends.job_environment import job_environment
from tests.factories_executor import until
from tests.factories_workspace import DAY, SETTINGS, Folder, a_workspace
from tests.forked_commands import Command, Commands, forked_commands
from tests.postgres_server import PASSWORD, Server

CANARIES = {
    name: f"canary-{secrets.token_hex(16)}"
    for name in (
        *("PLANNER_SIGNING_KEY", "PLANNER_WEBHOOK_KEY", "PLANNER_AZURE_BATCH_KEY"),
        *("ELECTRICITY_MAPS_TOKEN", "WATTTIME_USER", "WATTTIME_PASSWORD"),
        *("ENTSOE_API_KEY", "SOLCAST_API_KEY", "OPEN_METEO_API_KEY"),
    )
}
HIDDEN = (*CANARIES.values(), PASSWORD)
SPY = "env; for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done; true"
WEBHOOK = """
[executor.webhook]
url = "http://127.0.0.1:9/jobs"
allow = ["127.0.0.1"]
"""


@dataclass(frozen=True)
class Night:
    """A workspace, and real processes with every secret in their variables."""

    folder: Folder
    url: str
    commands: Commands

    def planner(self, when: str, *words: str, url: str | None = None) -> str:
        """All that a command says."""
        command = Command(
            folder=str(self.folder.root),
            when=when,
            words=("-vv", *words),
            variables={"PLANNER_LEDGER": url or self.url},
        )
        said = self.commands.run(command)[1]
        assert "Traceback" not in said
        return said


@pytest.fixture
def night(ledger_server: Server, tmp_path: Path) -> Iterator[Night]:
    folder = a_workspace(
        tmp_path,
        {"id": "spy", "command": json.dumps(["/bin/sh", "-c", SPY]), "retries": 1},
        {"id": "away", "executor": "webhook"},
        {"id": "later", "earliest": '"20:00"', "duration": "1h"},
        settings=SETTINGS + WEBHOOK,
    )
    with forked_commands(CANARIES) as commands:
        yield Night(folder, ledger_server.new_database(), commands)


def rows_on(url: str) -> Iterator[str]:
    """Text of every row of every table on the server."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables "
            "where table_schema = 'public'"
        ).fetchall()
        for (table,) in tables:
            found = connection.execute(f"select t::text from {table} t".encode())
            yield from (text for (text,) in found)


def left_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and text of every file; what is packed is read."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            yield str(path), f"{table.to_pylist()}{table.schema.metadata}"
        elif path.is_file():
            yield str(path), path.read_bytes().decode(errors="replace")


def test_se09_no_secret_is_in_anything_that_a_night_leaves(
    night: Night, tmp_path: Path
) -> None:
    url, planner = night.url, night.planner
    evening, start = "2026-11-21T22:30+00:00", "2026-11-22T00:00+00:00"
    said = [planner(evening, "solve", "--date", DAY, "--solver", "asap")]

    def spied() -> bool:
        said.append(planner(start, "execute", "--once"))
        return "done      spy" in said[-1]

    until(spied, seconds=60)
    for words in (
        ("hold", "later", "--date", DAY),
        ("cancel", "later", "away", "--date", DAY),
        ("retry", "later", "--date", DAY),
        ("status", DAY, "--json"),
        ("report", DAY),
        ("ledger", "verify"),
        ("ledger", "history", "--date", DAY),
        ("config", "--json"),
    ):
        said.append(planner(start, *words))
    bad = url.replace(PASSWORD, CANARIES["WATTTIME_USER"])
    said.append(planner(start, "execute", "--once", url=bad))
    texts = {**dict(left_in(tmp_path)), "server": "\n".join(rows_on(url))}
    (seen,) = (text for text in texts.values() if "PLANNER_JOB_ID=spy\n" in text)
    assert "planner.executor.spawner" in seen  # the list of processes
    assert "spy" in texts["server"]
    assert "password authentication failed" in said[-1]
    found = {name for name, text in texts.items() if any(h in text for h in HIDDEN)}
    assert found == set()
    assert [text for text in said if any(h in text for h in HIDDEN)] == []


def test_se09_jobs_inherit_no_secret_that_the_program_knows() -> None:
    pattern = re.compile(r'"([A-Z][A-Z_]*_(?:KEY|TOKEN|USER|PASSWORD|SECRET))"')
    root = Path(__file__).parents[2]
    known = {
        name
        for package in ("forecasts", "inputs", "outputs", "planner")
        for path in (root / package).rglob("*.py")
        for name in pattern.findall(path.read_text())
    }
    assert {"OPEN_METEO_API_KEY", "WATTTIME_PASSWORD"} <= known
    files = {f"{name}_FILE" for name in known}
    assert job_environment(dict.fromkeys(known | files, "canary")) == {}


@pytest.mark.parametrize("name", ["PATH", "HOME", "AWS_PROFILE"])
def test_what_jobs_need_of_the_environment_they_inherit(name: str) -> None:
    assert job_environment({name: "x"}) == {name: "x"}
