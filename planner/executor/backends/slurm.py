"""Runs jobs on a Slurm cluster: ``sbatch`` for each, its own files for the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from planner.executor import run_folder
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import Regional, read_settings
from planner.executor.backends.slurm_client import SlurmClient
from planner.executor.backends.slurm_looks import Looks
from planner.executor.backends.slurm_options import (
    SAFE_TO_REPEAT,
    Settings,
    options_of,
)
from planner.executor.backends.slurm_records import Entry, completions
from planner.executor.backends.slurm_report import (
    ENDS,
    at_work,
    is_running,
    metered,
    report_of,
)
from planner.executor.backends.slurm_script import batch_script
from planner.executor.errors import BackendError, NotTakenError
from planner.executor.keys import KEY_PATTERN

WISH = "cancel.json"
"""In the run's folder: its end was asked for after it had begun."""


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
    at_once = 1

    def __init__(
        self,
        *,
        settings: Regional[Settings],
        place: Place,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._place = place
        self._looks = Looks(timer=timer)

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
        return self._first_known(key, anew=True)

    def status(self, key: str, handle: str | None) -> Report:
        """As ``look_up``; one look at the queue serves many."""
        return self._first_known(key, anew=False)

    def cancel(self, key: str, handle: str | None) -> Report:
        """Close a key not begun, and end what runs or waits under it."""
        closed = False
        for settings in self._clusters():
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
        folders = [self._folder(settings, key) for settings in self._clusters()]
        folder = next((f for f in folders if f.is_dir()), folders[0])
        return Logs(
            stdout=folder / run_folder.STDOUT, stderr=folder / run_folder.STDERR
        )

    def _clusters(self) -> list[Settings]:
        """Settings of every cluster and folder; partitions make no difference."""
        found = {(s.conf, s.runs): s for s in reversed(self._settings.distinct())}
        return list(reversed(found.values()))

    def _folder(self, settings: Settings, key: str) -> Path:
        assert KEY_PATTERN.fullmatch(key), key
        runs = self._at(settings.runs) or self._place.outputs.absolute() / "runs"
        return runs / key.partition("-")[0] / key

    def _at(self, path: str | None) -> Path | None:
        """A path of the settings, relative to the workspace."""
        return None if path is None else self._place.workspace.absolute() / path

    def _client(self, settings: Settings) -> SlurmClient:
        return SlurmClient(
            environ=self._place.environ,
            conf=self._at(settings.conf),
            folder=self._at(settings.commands),
            limit_s=settings.limit_s,
        )

    def _first_known(self, key: str, *, anew: bool) -> Report:
        """Report of the settings under which the key is known."""
        for settings in self._clusters():
            report = self._report(settings, key, anew=anew)
            if report.phase is not Phase.ABSENT:
                return report
        return report

    def _report(self, settings: Settings, key: str, *, anew: bool) -> Report:
        # Slurm is asked before files are read: a job that ends in between has stored
        # its result before it ended.
        folder = self._folder(settings, key)
        entries = [] if anew else self._overview(settings).get(key, [])
        has_ended = (folder / run_folder.RESULT).exists()
        if anew or not (entries or has_ended):
            entries = self._client(settings).queue(name=key).get(key, [])
        files = {
            "claim": _read(folder / run_folder.CLAIM),
            "result": _read(folder / run_folder.RESULT),
            "wish": _read(folder / WISH),
        }
        report = report_of(entries=entries, **files)
        if report.phase in (Phase.ABSENT, Phase.LOST):
            entries = self._remembered(settings, key)
            report = report_of(entries=entries, **files)
        elif report.phase in ENDS and settings.asks_for_energy:
            if is_running(report, entries):
                return at_work(report)
            entries = self._accounts(settings, key)
        return metered(report, entries) if settings.asks_for_energy else report

    def _overview(self, settings: Settings) -> Mapping[str, list[Entry]]:
        """All own jobs, as a recent look at the queue showed them."""
        return self._looks.recent(
            ("queue", settings.conf), self._client(settings).queue
        )

    def _accounts(self, settings: Settings, key: str) -> list[Entry]:
        """What the accounting has of a key that ended; one look serves many.

        Energy alone depends on it: where it cannot be asked, the end stands as it is.
        """
        day, client = _day(key), self._client(settings)
        try:
            accounts = self._looks.recent(
                ("accounts", settings.conf, day), lambda: client.accounts(since=day)
            )
        except BackendError:
            return []
        return accounts.get(key, [])

    def _remembered(self, settings: Settings, key: str) -> list[Entry]:
        """What is kept of jobs that slurmctld has forgotten."""
        client = self._client(settings)
        entries: list[Entry] = []
        if settings.accounting:
            entries = client.accounting(key, since=_day(key))
        records = self._at(settings.completions)
        if not entries and records is not None:
            entries = completions(records, key)
        return entries


def in_workspace(place: Place) -> Slurm:
    """The back end of a workspace, as ``[executor.slurm]`` has it."""
    return Slurm(settings=read_settings(Settings, place.settings, "slurm"), place=place)


def _day(key: str) -> datetime:
    """Planned date of a key."""
    return datetime.strptime(key[1:9], "%Y%m%d").replace(tzinfo=UTC)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return run_folder.read_json(path)
    except (OSError, ValueError) as error:
        raise BackendError(f"{path} cannot be read: {error}") from error
