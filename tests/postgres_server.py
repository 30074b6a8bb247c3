"""A real PostgreSQL on loopback, in a folder of its own, for as long as a test runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

PASSWORD = "canary-7f3a-password"
_NUMBERS = count()


def _binaries() -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    places += [Path(on_path).parent] if on_path else []
    return next((place for place in places if (place / "initdb").exists()), None)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server with one user, who may do all in it."""

    binaries: Path
    folder: Path
    port: int

    def url(self, database: str, *, password: str = PASSWORD, port: int = 0) -> str:
        host = f"127.0.0.1:{port or self.port}"
        return f"postgresql://planner:{password}@{host}/{database}"

    def new_database(self) -> str:
        """URL of an empty database."""
        import psycopg

        name = f"ledger{os.getpid()}_{next(_NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} template template0".encode())
        return self.url(name)

    def control(self, *words: str) -> None:
        run_as_owner(
            [str(self.binaries / "pg_ctl"), "-D", str(self.folder / "data"), *words]
        )

    def start(self) -> None:
        """Start, and return when it takes connections."""
        options = (
            f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 "
            "-c fsync=off -c max_connections=40 -c shared_buffers=16MB"
        )
        log = str(self.folder / "log")
        self.control("-w", "-t", "60", "-l", log, "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop, by default without any care, as a crash would."""
        self.control("-w", "-m", how, "stop")


def run_as_owner(command: Sequence[str]) -> None:
    """Run a command of the server; it refuses to run as root."""
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    subprocess.run(
        command,
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def running_server() -> Iterator[Server]:
    """A fresh server; the test is skipped where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server programs are not installed")
    if os.geteuid() == 0 and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and runuser is missing")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=memory))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server = Server(binaries=binaries, folder=folder, port=_free_port())
        _make(server)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(server: Server) -> None:
    secret = server.folder / "secret"
    secret.write_text(PASSWORD)
    if os.geteuid() == 0:
        shutil.chown(secret, "postgres")
    words = "--no-sync --encoding=UTF8 --locale=C --auth=scram-sha-256 -U planner"
    initdb = [str(server.binaries / "initdb"), "-D", str(server.folder / "data")]
    run_as_owner([*initdb, *words.split(), f"--pwfile={secret}"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
