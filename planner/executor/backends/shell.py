"""Runs jobs as detached processes of this machine."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from planner.executor import run_folder
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.job_environment import job_environment
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import (
    Regional,
    SettingValueError,
    read_settings,
)
from planner.executor.backends.statuses import MISREAD
from planner.executor.energy import energy_from
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)
from planner.executor.keys import KEY_PATTERN
from planner.executor.processes import (
    ProcessIdentity,
    boot_identity,
    identify,
    is_alive,
)
from planner.executor.sampling import CODECARBON

OUTPUT_LIMIT = 16 << 20
"""Most bytes kept of each of stdout and stderr."""

ENERGY = ("none", "report", CODECARBON)
"""Who tells the energy of a job: nobody, the job itself through a file, or where it
does not, CodeCarbon."""

_PHASES = {"exited": Phase.FAILED, "cancelled": Phase.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellSettings:
    """``[executor.shell]``.

    Parameters
    ----------
    energy
        Who tells the energy of a job, one of ``ENERGY``.
    """

    energy: str = "report"

    def __post_init__(self) -> None:
        if self.energy not in ENERGY:
            raise SettingValueError("energy", " or ".join(ENERGY))


_USUAL = Regional(name="shell", base=ShellSettings(), regions={})


class Shell:
    """Back end ``shell``: a supervisor process per job, surviving the executor.

    Exactly once follows from the claim in the run's folder: it is made in one
    step by the supervisor before the job starts, and a second supervisor of the
    same key finds it taken.

    Parameters
    ----------
    runs
        Folder below which every run has its own, named by its key.
    workspace
        Working directory of the jobs.
    environ
        Variables that jobs inherit; see ``job_environment``.
    output_limit
        Most bytes kept of each of stdout and stderr. [bytes]
    settings
        By region.
    """

    name = "shell"
    settle = timedelta(0)
    refuses_repeats = True
    at_once = 1

    def __init__(
        self,
        *,
        runs: Path,
        workspace: Path,
        environ: Mapping[str, str],
        output_limit: int = OUTPUT_LIMIT,
        settings: Regional[ShellSettings] = _USUAL,
    ) -> None:
        self._runs = runs.absolute()
        self._workspace = workspace.absolute()
        self._environ = dict(environ)
        self._output_limit = output_limit
        self._settings = settings
        self._spawner: subprocess.Popen[bytes] | None = None

    def submit(self, order: Order) -> Report:
        """Start a supervisor, which claims the key and runs the command."""
        if not order.command:
            raise RejectedError(f'job "{order.job_id}" has no command to run')
        folder = self._folder(order.key)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            run_folder.write_json(
                folder / run_folder.ORDER, self._content(order), durable=False
            )
            pid = self._spawn(folder)
        except OSError as error:
            raise NotTakenError(f"{folder}: {error.strerror}") from error
        supervisor = identify(pid)
        handle = None if supervisor is None else json.dumps(asdict(supervisor))
        return Report(phase=Phase.WAITING, handle=handle)

    def look_up(self, key: str) -> Report:
        """What the files of the run say."""
        return self._report(key, supervisor=None)

    def status(self, key: str, handle: str | None) -> Report:
        """What the files of the run and the supervisor's process say."""
        supervisor = None if handle is None else _process(json.loads(handle))
        return self._report(key, supervisor=supervisor)

    def cancel(self, key: str, handle: str | None) -> Report:
        """Ask the supervisor to end the job, or close a key not begun."""
        folder = self._folder(key)
        try:
            if folder.is_dir() and run_folder.claim(folder, {"closed": "cancelled"}):
                return Report(phase=Phase.CANCELLED, reason="cancelled before it began")
        except OSError as error:
            raise BackendError(f"{folder}: {error.strerror}") from error
        claim = self._read(folder / run_folder.CLAIM)
        if claim is not None and "pid" in claim and is_alive(_process(claim)):
            try:
                os.kill(claim["pid"], signal.SIGTERM)
            except ProcessLookupError:
                pass  # it has just ended
            except PermissionError as error:
                raise BackendError(f"{key} runs as another user") from error
        return self.status(key, handle)

    def logs(self, key: str, handle: str | None) -> Logs:
        """Two files in the run's folder."""
        folder = self._folder(key)
        return Logs(
            stdout=folder / run_folder.STDOUT, stderr=folder / run_folder.STDERR
        )

    def _folder(self, key: str) -> Path:
        assert KEY_PATTERN.fullmatch(key), key
        return self._runs / key.partition("-")[0] / key

    def _content(self, order: Order) -> dict[str, Any]:
        return {
            "key": order.key,
            "job_id": order.job_id,
            "command": list(order.command),
            "cwd": str(self._workspace),
            "env": order.env,
            "timeout_s": order.timeout_s,
            "output_limit": self._output_limit,
            "energy": self._settings.of(order.region).energy,
        }

    def _spawn(self, folder: Path) -> int:
        """Process number of a new supervisor."""
        if self._spawner is None or self._spawner.poll() is not None:
            self._spawner = self._start_spawner()
        streams = self._spawner
        assert streams.stdin is not None
        assert streams.stdout is not None
        streams.stdin.write(os.fsencode(folder) + b"\n")
        streams.stdin.flush()
        answer = streams.stdout.readline()
        if not answer:
            raise UncertainError("the spawner of supervisors ended without an answer")
        if int(answer) == 0:
            raise OSError(errno.EAGAIN, "no further process can be started")
        return int(answer)

    def _start_spawner(self) -> subprocess.Popen[bytes]:
        # -P: a file of the workspace must not stand in for a module of ours.
        spawner = subprocess.Popen(
            [sys.executable, "-P", "-m", "planner.executor.spawner"],
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        # It ends with its input; the supervisors go on.
        weakref.finalize(self, spawner.communicate)
        return spawner

    def _report(self, key: str, *, supervisor: ProcessIdentity | None) -> Report:
        folder = self._folder(key)
        try:
            return self._told_by(folder, supervisor)
        except MISREAD as error:
            # A job knows the folder, too, and may have put a file of its own there.
            raise BackendError(f"{folder} holds what is not ours: {error!r}") from error

    def _told_by(self, folder: Path, supervisor: ProcessIdentity | None) -> Report:
        # Processes are asked before files are read: one that ends in between has
        # stored its claim or result before it ended.
        starting = supervisor is not None and is_alive(supervisor)
        claim = self._read(folder / run_folder.CLAIM)
        if claim is None:
            return Report(phase=Phase.WAITING if starting else Phase.ABSENT)
        if "pid" not in claim:
            return Report(phase=Phase.CANCELLED, reason="cancelled before it began")
        alive = is_alive(_process(claim))
        started_at = datetime.fromisoformat(claim["claimed_at"])
        result = self._read(folder / run_folder.RESULT)
        pending = alive and result is not None and run_folder.ENERGY_PENDING in result
        if result is not None and not pending:
            return _finished(result)
        if alive:
            return Report(phase=Phase.RUNNING, started_at=started_at)
        return self._orphan(folder, claim, started_at)

    def _orphan(
        self, folder: Path, claim: dict[str, Any], started_at: datetime
    ) -> Report:
        # First, for what was not synced may be no JSON after a restart.
        if claim["boot"] != boot_identity():
            reason = "the machine restarted while it ran"
            return Report(phase=Phase.FAILED, started_at=started_at, reason=reason)
        job = self._read(folder / run_folder.JOB)
        if job is not None and is_alive(_process(job)):
            return Report(phase=Phase.RUNNING, started_at=started_at)
        reason = "its supervisor was killed and the exit status is lost"
        return Report(phase=Phase.LOST, started_at=started_at, reason=reason)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            return run_folder.read_json(path)
        except (OSError, ValueError) as error:
            raise BackendError(f"{path} cannot be read: {error}") from error


def in_workspace(place: Place) -> Shell:
    """The back end of a workspace: runs in its folder, kept below its outputs."""
    return Shell(
        runs=place.outputs / "runs",
        workspace=place.workspace,
        environ=job_environment(place.environ),
        settings=read_settings(ShellSettings, place.settings, "shell"),
    )


def _process(facts: dict[str, Any]) -> ProcessIdentity:
    return ProcessIdentity(
        pid=facts["pid"], started=facts["started"], boot=facts["boot"]
    )


def _finished(result: dict[str, Any]) -> Report:
    done = result["outcome"] == "exited" and result["exit_code"] == 0
    phase = Phase.DONE if done else _PHASES.get(result["outcome"], Phase.FAILED)
    return Report(
        phase=phase,
        started_at=datetime.fromisoformat(result["started_at"]),
        ended_at=datetime.fromisoformat(result["ended_at"]),
        exit_code=result["exit_code"],
        reason=_why(result),
        energy=energy_from(result.get("energy")),
    )


def _why(result: dict[str, Any]) -> str | None:
    """Why it ended so, and why its energy is not known although it was told."""
    said = (result["reason"], result.get("energy_problem"))
    return "; ".join(text for text in said if text) or None
