"""Runs jobs on a Slurm cluster: ``sbatch`` for each, its own files for the truth."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from planner.executor import run_folder
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import (
    Regional,
    SettingValueError,
    read_settings,
)
from planner.executor.backends.slurm_client import Entry, SlurmClient, completions
from planner.executor.backends.slurm_report import report_of
from planner.executor.backends.slurm_script import batch_script
from planner.executor.errors import BackendError, NotTakenError
from planner.executor.keys import KEY_PATTERN

SAFE_TO_REPEAT = "safe-to-repeat"
"""Label of jobs that Slurm may start again by itself after a node failure."""

WISH = "cancel.json"
"""In the run's folder: its end was asked for after it had begun."""

FRESH_S = 1.0
"""One look at the queue serves all questions of this long. [s]"""

_MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``[executor.slurm]``.

    Parameters
    ----------
    partition, account, qos, constraint, reservation
        As sbatch's options of these names; None leaves them out.
    gres
        Which resources of jobs are asked for as generic resources, under which name.
    time_factor
        Time limit of a job without ``timeout``, as a multiple of its planned running
        time; None leaves it to the partition.
    runs
        Folder of the runs, seen by the compute nodes under the same path; None for
        ``runs`` below the workspace's outputs.
    accounting
        Whether ``sacct`` is asked about jobs that slurmctld has forgotten.
    completions
        File of the jobcomp/filetxt plug-in, asked about them too.
    conf, commands
        slurm.conf, and folder of Slurm's commands, where they are not in the usual
        places.
    limit_s
        Longest time to wait for one of Slurm's commands. [s]
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    reservation: str | None = None
    gres: dict[str, str] = field(default_factory=lambda: {"gpu": "gpu"})
    time_factor: float | None = None
    runs: str | None = None
    accounting: bool = False
    completions: str | None = None
    conf: str | None = None
    commands: str | None = None
    limit_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for key in ("partition", "account", "qos", "constraint", "reservation"):
            value = getattr(self, key)
            if value is not None and (not value or not value.isprintable()):
                raise SettingValueError(key, "a name")
        if self.time_factor is not None and self.time_factor < 1:
            raise SettingValueError("time_factor", "a number of 1 or more")
        if self.limit_s <= 0:
            raise SettingValueError("limit_s", "a number above 0")


class Slurm:
    """Back end ``slurm``: a batch job per order, named by its key.

    Exactly once follows from the claim in the run's folder, made in one step by the
    job's script before the command: a second job of the same key finds it taken.
    Slurm's own number of a job is a hint only, for slurmctld may lose jobs and give
    their numbers out again.

    Parameters
    ----------
    settings
        By region.
    place
        The workspace's folders and the executor's environment.
    timer
        A steady clock. [s]
    """

    name = "slurm"
    settle = timedelta(seconds=10)
    refuses_repeats = True

    def __init__(
        self,
        *,
        settings: Regional[Settings],
        place: Place,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._place = place
        self._timer = timer
        self._seen: dict[str | None, tuple[float, Mapping[str, list[Entry]]]] = {}

    def submit(self, order: Order) -> Report:
        """Store the batch script and hand it to ``sbatch``."""
        settings = self._settings.of(order.region)
        folder = self._folder(settings, order.key)
        workspace = self._place.workspace.absolute()
        repeatable = order.labels.get(SAFE_TO_REPEAT) == "true"
        text = batch_script(
            order, folder=folder, workspace=workspace, repeatable=repeatable
        )
        script = folder / "job.sh"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            script.touch(mode=0o700)
            script.write_text(text, encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise NotTakenError(f"{folder}: {error.strerror}") from error
        job = self._client(settings).submit(
            options_of(order, settings, repeatable=repeatable),
            script,
            workspace=workspace,
        )
        return Report(phase=Phase.WAITING, handle=job)

    def look_up(self, key: str) -> Report:
        """What Slurm's queue, the files of the run and the records say."""
        return self._first_known(key, fresh_s=0.0)

    def status(self, key: str, handle: str | None) -> Report:
        """As ``look_up``; one look at the queue serves many."""
        return self._first_known(key, fresh_s=FRESH_S)

    def cancel(self, key: str, handle: str | None) -> Report:
        """Close a key not begun, and end what runs or waits under it."""
        closed = False
        for settings in self._settings.distinct():
            folder = self._folder(settings, key)
            if folder.is_dir():
                closed |= self._close(folder)
                self._client(settings).cancel(key)
        if closed:
            return Report(phase=Phase.CANCELLED, reason="cancelled before it began")
        return self.look_up(key)

    def _close(self, folder: Path) -> bool:
        """Keep a key from beginning; False if it has begun; the wish is noted."""
        try:
            if run_folder.claim(folder, {"closed": "cancelled"}):
                return True
            if not (folder / run_folder.RESULT).exists():
                run_folder.write_json(folder / WISH, {"cancel": True})
        except OSError as error:
            raise BackendError(f"{folder}: {error.strerror}") from error
        return False

    def logs(self, key: str, handle: str | None) -> Logs:
        """Two files in the run's folder."""
        folders = [self._folder(s, key) for s in self._settings.distinct()]
        folder = next((f for f in folders if f.is_dir()), folders[0])
        return Logs(
            stdout=folder / run_folder.STDOUT, stderr=folder / run_folder.STDERR
        )

    def _folder(self, settings: Settings, key: str) -> Path:
        assert KEY_PATTERN.fullmatch(key), key
        runs = settings.runs or self._place.outputs / "runs"
        workspace = self._place.workspace.absolute()
        return workspace / runs / key.partition("-")[0] / key

    def _client(self, settings: Settings) -> SlurmClient:
        return SlurmClient(
            environ=self._place.environ,
            conf=settings.conf,
            folder=settings.commands,
            limit_s=settings.limit_s,
        )

    def _first_known(self, key: str, *, fresh_s: float) -> Report:
        """Report of the settings under which the key is known."""
        for settings in self._settings.distinct():
            report = self._report(settings, key, fresh_s=fresh_s)
            if report.phase is not Phase.ABSENT:
                return report
        return report

    def _report(self, settings: Settings, key: str, *, fresh_s: float) -> Report:
        # Slurm is asked before files are read: a job that ends in between has stored
        # its result before it ended.
        queued = self._queued(settings, key, fresh_s=fresh_s)
        folder = self._folder(settings, key)
        files = {
            "claim": _read(folder / run_folder.CLAIM),
            "result": _read(folder / run_folder.RESULT),
            "wish": _read(folder / WISH),
        }
        report = report_of(entries=queued, **files)
        if report.phase in (Phase.ABSENT, Phase.LOST):
            return report_of(entries=self._remembered(settings, key), **files)
        return report

    def _queued(self, settings: Settings, key: str, *, fresh_s: float) -> list[Entry]:
        client = self._client(settings)
        at, seen = self._seen.get(settings.conf, (-math.inf, {}))
        if self._timer() - at < fresh_s and key in seen:
            return seen[key]
        if fresh_s == 0 or self._timer() - at < fresh_s:
            return client.queue(name=key).get(key, [])
        at, seen = self._timer(), client.queue()
        self._seen[settings.conf] = (at, seen)
        return seen.get(key, [])

    def _remembered(self, settings: Settings, key: str) -> list[Entry]:
        """What is kept of jobs that slurmctld has forgotten."""
        client = self._client(settings)
        entries: list[Entry] = []
        if settings.accounting:
            day = datetime.strptime(key[1:9], "%Y%m%d").replace(tzinfo=UTC)
            entries = client.accounting(key, since=day)
        if not entries and settings.completions is not None:
            entries = completions(Path(settings.completions), key)
        return entries


def options_of(order: Order, settings: Settings, *, repeatable: bool) -> list[str]:
    """Options of ``sbatch``, each one word, so that no value is read as another."""
    wanted: dict[str, object] = {
        "job-name": order.key,
        "comment": f"{order.key} {order.job_id}",
        "begin": f"uts{math.floor(order.start.timestamp())}",
        "export": "ALL",
        "output": "/dev/null",
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint,
        "reservation": settings.reservation,
        "time": _time_limit(order, settings),
    }
    options = [f"--{name}={value}" for name, value in wanted.items() if value]
    return [
        *options,
        "--requeue" if repeatable else "--no-requeue",
        *_resource_options(order, settings),
    ]


def _time_limit(order: Order, settings: Settings) -> int | None:
    """Time limit in whole minutes, rounded up; Slurm knows no finer one."""
    seconds = order.timeout_s
    if seconds is None and settings.time_factor is not None:
        seconds = (order.end - order.start).total_seconds() * settings.time_factor
    return None if seconds is None else max(1, math.ceil(seconds / 60))


def _resource_options(order: Order, settings: Settings) -> list[str]:
    """What one node must have; each replica has a node's share of its own."""
    amounts = order.resources
    options = [f"--nodes={order.replicas}", "--ntasks-per-node=1"]
    if cpus := amounts.get("cpu"):
        options.append(f"--cpus-per-task={math.ceil(cpus)}")
    if gib := amounts.get("memory_gib"):
        options.append(f"--mem={math.ceil(gib * _MIB_PER_GIB)}M")
    gres = [
        f"{name}:{math.ceil(amounts[resource])}"
        for resource, name in settings.gres.items()
        if amounts.get(resource)
    ]
    return [*options, f"--gres={','.join(gres)}"] if gres else options


def in_workspace(place: Place) -> Slurm:
    """The back end of a workspace, as ``[executor.slurm]`` has it."""
    return Slurm(settings=read_settings(Settings, place.settings, "slurm"), place=place)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return run_folder.read_json(path)
    except (OSError, ValueError) as error:
        raise BackendError(f"{path} cannot be read: {error}") from error
