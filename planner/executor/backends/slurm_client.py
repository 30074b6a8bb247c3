"""Slurm's own commands: called with a time limit, and what they say as values."""

from __future__ import annotations

import mmap
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from planner.executor.backends.shell import job_environment
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)

_COLUMNS = {
    "JobID": 21,
    "Name": 49,
    "State": 21,
    "exit_code": 13,
    "StartTime": 25,
    "EndTime": 25,
    "Reason": 60,
}
_OPTION_VARIABLES = ("SBATCH_", "SLURM_", "SQUEUE_", "SACCT_", "SCANCEL_")
_COMPLETION = re.compile(r"(JobId|JobState|ExitCode)=(\S*)")

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
class Entry:
    """What Slurm says of one of its jobs.

    Parameters
    ----------
    job
        Slurm's number; given out again after a loss, hence only a hint.
    state
        Slurm's word, such as ``PENDING``.
    exit_code, signal
        How the batch script ended, None if it did not or it is not known.
    """

    job: str
    state: str
    exit_code: int | None = None
    signal: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None


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
        layout = ",".join(f"{column}:{width}" for column, width in _COLUMNS.items())
        argv = ["squeue", "--noheader", "--me", "--states=all", f"--Format={layout}"]
        if name is not None:
            argv.append(f"--name={name}")
        found: dict[str, list[Entry]] = {}
        for line in self._ask(argv).splitlines():
            key, entry = _queued(line)
            found.setdefault(key, []).append(entry)
        return found

    def accounting(self, name: str, *, since: datetime) -> list[Entry]:
        """Jobs of a name in the accounting database."""
        start = f"{since - timedelta(days=2):%Y-%m-%d}"
        fields = "JobIDRaw,State,ExitCode,Start,End"
        argv = ["sacct", "--noheader", "--parsable2", "--allocations"]
        argv += [f"--name={name}", f"--starttime={start}", f"--format={fields}"]
        return [_accounted(line) for line in self._ask(argv).splitlines()]

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


def completions(path: Path, name: str) -> list[Entry]:
    """Jobs of a name in a file of Slurm's jobcomp/filetxt plug-in.

    Its times bear no zone, so they are left out.
    """
    try:
        with path.open("rb") as file, _mapped(file.fileno()) as text:
            lines = list(_lines_with(text, f" Name={name} ".encode()))
    except ValueError:  # an empty file cannot be mapped
        return []
    except OSError as error:
        raise BackendError(f"{path}: {error.strerror}") from error
    entries = []
    for line in lines:
        facts = dict(_COMPLETION.findall(line.decode(errors="replace")))
        code, signal = _pair(facts.get("ExitCode", ""))
        state = facts.get("JobState", "")
        job = facts.get("JobId", "")
        entries.append(Entry(job=job, state=state, exit_code=code, signal=signal))
    return entries


def _mapped(handle: int) -> mmap.mmap:
    return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)


def _lines_with(text: mmap.mmap, mark: bytes) -> Iterator[bytes]:
    at = text.find(mark)
    while at != -1:
        end = text.find(b"\n", at)
        if end == -1:  # still being written
            return
        yield text[text.rfind(b"\n", 0, at) + 1 : end]
        at = text.find(mark, end)


def _queued(line: str) -> tuple[str, Entry]:
    values, at = {}, 0
    for column, width in _COLUMNS.items():
        values[column] = line[at : at + width].strip()
        at += width
    raw = values["exit_code"]
    status = int(raw) if raw.isdigit() else None
    entry = Entry(
        job=values["JobID"],
        state=values["State"],
        exit_code=None if status is None else status >> 8,
        signal=None if status is None else status & 0x7F,
        started_at=_instant(values["StartTime"]),
        ended_at=_instant(values["EndTime"]),
        reason=values["Reason"],
    )
    return values["Name"], entry


def _accounted(line: str) -> Entry:
    job, state, exit_code, start, end, *_ = [*line.split("|"), "", "", "", ""]
    code, signal = _pair(exit_code)
    return Entry(
        job=job,
        state=state.partition(" ")[0],  # "CANCELLED by 0"
        exit_code=code,
        signal=signal,
        started_at=_instant(start),
        ended_at=_instant(end),
    )


def _pair(text: str) -> tuple[int | None, int | None]:
    code, _, signal = text.partition(":")
    if not (code.isdigit() and signal.isdigit()):
        return None, None
    return int(code), int(signal)


def _instant(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text.isdigit() else None


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
