"""Commands of the program as processes, without the start of an interpreter for each.

Run as ``python -m tests.forked_commands``: it loads the program once, and forks for
each command that it reads from its input, one JSON object a line. A fork has streams,
variables and a memory of its own, and nothing of the commands before it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from tests.processes import with_this_program

LOADED = (
    *("pandas", "psycopg", "planner.comparing", "planner.executing"),
    *("planner.operating", "planner.overseeing", "planner.pipeline"),
    "planner.reporting",
)
"""Slow to load, and wanted by most commands."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command, and the world that it sees.

    Parameters
    ----------
    folder
        Where it is typed.
    when
        What its clock says, ISO 8601.
    variables
        Set in its environment, besides those of the process that forks.
    """

    folder: str
    when: str
    words: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


class Commands:
    """The process that forks, as a test speaks to it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: Command) -> tuple[int, str]:
        """Exit status of a command, and all that it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(command)) + "\n")
        self._process.stdin.flush()
        code, said = json.loads(self._process.stdout.readline())
        return code, said


@contextmanager
def forked_commands(variables: Mapping[str, str]) -> Iterator[Commands]:
    """A process with some variables that runs commands."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.forked_commands"],
        env=with_this_program(**variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Commands(process)
        finally:
            process.kill()


def main() -> None:
    for name in LOADED:
        importlib.import_module(name)
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        for line in sys.stdin:
            with said.open("wb") as stream:
                code = _forked(Command(**json.loads(line)), stream)
            answer = [code, said.read_text(errors="replace")]
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


def _forked(command: Command, said: IO[bytes]) -> int:
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (said.fileno(), 1), (said.fileno(), 2)):
            os.dup2(source, target)
        code = _planner(command)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _planner(command: Command) -> int:
    from planner.cli import main as planner
    from planner.cli.app import App

    os.environ.update(command.variables)
    now = datetime.fromisoformat(command.when)
    app = App(clock=lambda: now, directory=Path(command.folder), root=lambda: False)
    try:
        planner(list(command.words), obj=app)
    except SystemExit as left:
        return int(left.code or 0)
    return 0


if __name__ == "__main__":
    main()
