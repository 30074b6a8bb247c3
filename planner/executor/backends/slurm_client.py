"""Slurm's own commands: called with a time limit, and what they say as values."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from planner.executor.backends.job_environment import job_environment
from planner.executor.backends.slurm_records import (
    ACCOUNTED,
    COLUMNS,
    Entry,
    accounted,
    queued,
)
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)

_OPTION_VARIABLES = ("SBATCH_", "SLURM_", "SQUEUE_", "SACCT_", "SCANCEL_")

_REFUSED = (
    "Invalid ",
    "invalid ",
    "unrecognized option",
    "Requested node configuration is not available",
    "Requested time limit is invalid",
    "Requested reservation is invalid",
    "Node count specification invalid",
    "Memory specification can not be satisfied",
    "More processors requested than permitted",
    "CPU count per node can not be satisfied",
    "not permitted to use this partition",
    "Access/permission denied",
    "User not found",
    "contains DOS line breaks",
    "Unable to open file",
)
"""Words of sbatch after which the same order would be refused again."""
_NOT_NOW = (
    "Unable to contact slurm controller (connect failure)",
    "Required partition not available",
    "Requested partition configuration not available now",
    "Job violates accounting/QOS policy",
    "Required node not available",
    "Slurm temporarily unable to accept job",
    "Could not establish a configuration source",
    "authentication",
    "Munge",
)
"""Words of sbatch after which nothing was taken, but may be later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmClient:
    """One cluster's commands.

    Parameters
    ----------
    environ
        The executor's variables; those that Slurm's commands would read as options
        are left out, and so is what jobs may not see.
    conf
        slurm.conf of the cluster, None for the usual place.
    folder
        Where the commands are, None to look in PATH.
    limit_s
        Longest time to wait for an answer. [s]
    """

    environ: Mapping[str, str]
    conf: Path | None = None
    folder: Path | None = None
    limit_s: float = 20.0

    def submit(self, options: Sequence[str], script: Path, *, workspace: Path) -> str:
        """Hand over a batch script; Slurm's number for it."""
        argv = ["sbatch", "--parsable", *options, str(script)]
        try:
            answer = self._call(argv, cwd=workspace, extra={})
        except FileNotFoundError as error:
            raise NotTakenError(f"{error.filename}: not found") from error
        except OSError as error:
            raise NotTakenError(f"sbatch: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise UncertainError(
                f"sbatch did not answer within {self.limit_s:g} s"
            ) from error
        job = answer.stdout.strip().partition(";")[0]
        if answer.returncode == 0 and job.isdigit():
            return job
        raise _submit_error(answer)

    def queue(self, *, name: str | None = None) -> dict[str, list[Entry]]:
        """Own jobs that slurmctld still knows, by their names."""
        layout = ",".join(f"{column}:{width}" for column, width in COLUMNS.items())
        argv = ["squeue", "--noheader", "--me", "--states=all", f"--Format={layout}"]
        if name is not None:
            argv.append(f"--name={name}")
        found: dict[str, list[Entry]] = {}
        for line in self._ask(argv).splitlines():
            key, entry = queued(line)
            found.setdefault(key, []).append(entry)
        return found

    def accounting(self, name: str, *, since: datetime) -> list[Entry]:
        """Jobs of a name in the accounting database."""
        lines = self._accounts(since, f"--name={name}")
        return [accounted(line)[1] for line in lines]

    def accounts(self, *, since: datetime) -> dict[str, list[Entry]]:
        """Own jobs in the accounting database, by their names."""
        found: dict[str, list[Entry]] = {}
        for line in self._accounts(since, f"--uid={os.getuid()}"):
            name, entry = accounted(line)
            found.setdefault(name, []).append(entry)
        return found

    def _accounts(self, since: datetime, which: str) -> list[str]:
        start = f"{since - timedelta(days=2):%Y-%m-%d}"
        argv = ["sacct", "--noheader", "--parsable2", "--allocations", which]
        argv += [f"--starttime={start}", f"--format={ACCOUNTED}"]
        return self._ask(argv).splitlines()

    def cancel(self, name: str) -> None:
        """End all own jobs of a name, waiting or running."""
        self._ask(["scancel", "--me", f"--name={name}"])

    def _ask(self, argv: list[str]) -> str:
        try:
            # Times as seconds since 1970: free of the time zone of any machine.
            answer = self._call(argv, cwd=None, extra={"SLURM_TIME_FORMAT": "%s"})
        except OSError as error:
            raise BackendError(f"{argv[0]}: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise BackendError(
                f"{argv[0]} did not answer within {self.limit_s:g} s"
            ) from error
        if answer.returncode != 0:
            raise BackendError(_said(argv[0], answer))
        return answer.stdout

    def _call(
        self, argv: list[str], *, cwd: Path | None, extra: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        if self.folder is not None:
            argv = [str(self.folder / argv[0]), *argv[1:]]
        return subprocess.run(
            argv,
            cwd=cwd,
            env={**self._environment(), **extra},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=self.limit_s,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        mine = {
            name: value
            for name, value in job_environment(self.environ).items()
            if not name.startswith(_OPTION_VARIABLES)
        }
        conf = self.conf or self.environ.get("SLURM_CONF")
        return mine if conf is None else {**mine, "SLURM_CONF": str(conf)}


def _submit_error(answer: subprocess.CompletedProcess[str]) -> BackendError:
    said = _said("sbatch", answer)
    if any(words in said for words in _NOT_NOW):
        return NotTakenError(said)
    if any(words in said for words in _REFUSED):
        return RejectedError(said)
    return UncertainError(said)


def _said(command: str, answer: subprocess.CompletedProcess[str]) -> str:
    lines = [
        line.removeprefix(f"{command}: ").removeprefix("error: ")
        for line in answer.stderr.splitlines()
        if line.strip()
    ]
    return f"{command}: {'; '.join(lines[-3:])[:500] or f'status {answer.returncode}'}"
