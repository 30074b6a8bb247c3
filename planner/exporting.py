"""A plan handed over to a tool that dispatches it instead of the executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from outputs.export import Exporter, ExportFile, LeftOut, Sheet, Task, load
from outputs.plan import PLANNED, Plan
from outputs.plan_file import read_plan
from outputs.plan_signature import key_ring
from planner.executing import opened
from planner.executor.backends import kubernetes_manifest, slurm_options
from planner.executor.backends.backend import Order
from planner.executor.backends.registry import Place
from planner.executor.backends.settings import read_settings
from planner.executor.errors import BackendError
from planner.executor.plan_trust import Trust
from planner.executor.records import Dispatch
from planner.executor.specs import order_of
from planner.export_rows import dispatches, latest_start, rows_of, why_unplaced
from planner.version import planner_version

_NO_SITE = "export"
"""Stands in keys for the site of the ledger that there is not."""

_ITS_OWN = frozenset({"output"})
"""Options of the Slurm back end for its own folders of runs."""

Extras = Callable[[Order], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A plan in another tool's words.

    Parameters
    ----------
    plan
        What was exported.
    sheet
        The tasks; None if nothing could be exported, and then there are no files.
    left_out
        Rows that the files do not hold, and why.
    """

    plan: Plan
    sheet: Sheet | None
    files: tuple[ExportFile, ...]
    left_out: tuple[LeftOut, ...]


def export_plan(
    path: Path,
    format_name: str,
    *,
    now: datetime,
    environment: Mapping[str, str],
    place: Place | None = None,
    region: str | None = None,
    directory: Path | None = None,
) -> Export:
    """Write a plan's placed rows in a format.

    Parameters
    ----------
    path
        The plan file.
    format_name
        One of ``outputs.export.FORMATS``.
    now
        The clock, aware.
    environment
        For the keys that plans are signed with.
    place
        The workspace, for the ledger's site and the back ends' settings; None where
        there is only the file.
    region
        Export the rows of this region alone.
    directory
        Where jobs run; None where the tool decides.

    Raises
    ------
    PlanError
        If the plan is damaged, not trusted, over, or has no such region.
    ExecutionError, SettingsError
        If the ledger or the back end's settings cannot be used.
    """
    plan = _read(path, now=now, environment=environment, place=place)
    rows = rows_of(plan, region)
    site = None if place is None else _site(place, now)
    sheet = Sheet(
        plan_id=plan.meta.plan_id,
        digest=plan.meta.digest or "",
        day=plan.meta.date,
        horizon_start=plan.meta.horizon_start,
        planner_version=planner_version(),
        tasks=(),
        directory=directory,
        site_is_known=site is not None,
    )
    exporter = load(format_name)
    extras = _EXTRAS.get(format_name, _nothing)(place)
    tasks, refused = _tasks(
        sheet, dispatches(plan, rows, site or _NO_SITE), exporter, extras
    )
    left_out = (*_unplaced(rows), *refused)
    if not tasks:
        return Export(plan=plan, sheet=None, files=(), left_out=left_out)
    sheet = replace(sheet, tasks=tuple(tasks))
    files = tuple(exporter.files(sheet))
    return Export(plan=plan, sheet=sheet, files=files, left_out=left_out)


def _unplaced(rows: Iterable[Mapping[str, Any]]) -> list[LeftOut]:
    return [
        LeftOut(job_id=row["job_id"], segment=row["segment"], reason=why_unplaced(row))
        for row in rows
        if row["status"] != PLANNED
    ]


def _tasks(
    sheet: Sheet,
    dispatched: Iterable[tuple[Dispatch, str]],
    exporter: Exporter,
    extras: Extras,
) -> tuple[list[Task], list[LeftOut]]:
    """What the format can hold, and what it cannot."""
    tasks, refused = [], []
    for dispatch, spec in dispatched:
        try:
            order = order_of(dispatch, spec)
            task = _task(order, latest_start(dispatch), extras(order))
            reason = exporter.refusal(sheet, task)
        except BackendError as error:
            reason = str(error)
        if reason is None:
            tasks.append(task)
            continue
        job_id, segment = dispatch.job_id, dispatch.segment
        refused.append(LeftOut(job_id=job_id, segment=segment, reason=reason))
    return tasks, refused


def _read(
    path: Path,
    *,
    now: datetime,
    environment: Mapping[str, str],
    place: Place | None,
) -> Plan:
    """The plan, trusted as the executor would trust it."""
    keys = key_ring(environment)
    if place is not None:
        return Trust(keys=keys, site=place.site).read(path, now=now)
    site = read_plan(path).meta.site
    return Trust(keys=keys, site=site).read(path, now=now)


def _site(place: Place, now: datetime) -> str | None:
    """Identity of the workspace's ledger, None if it has none yet."""
    with opened(place, now=now, rehearsal=True) as ledger:
        return None if ledger.site == "rehearsal" else ledger.site


def _task(order: Order, latest_start: datetime, extras: Mapping[str, Any]) -> Task:
    return Task(
        key=order.key,
        job_id=order.job_id,
        segment=order.segment,
        region=order.region,
        start=order.start,
        end=order.end,
        latest_start=latest_start,
        command=order.command,
        env=order.env,
        timeout_s=order.timeout_s,
        **extras,
    )


def _nothing(_: Place | None) -> Extras:
    return lambda _: {}


def _slurm(place: Place | None) -> Extras:
    """What the Slurm back end would ask for; output goes to Slurm's default file."""
    tables = {} if place is None else place.settings
    settings = read_settings(slurm_options.Settings, tables, "slurm")

    def asked(order: Order) -> Mapping[str, Any]:
        options = slurm_options.options_of(
            order,
            settings.of(order.region),
            repeatable=order.labels.get(slurm_options.SAFE_TO_REPEAT) == "true",
        )
        kept = [o for o in options if o[2:].partition("=")[0] not in _ITS_OWN]
        return {"sbatch_options": tuple(kept)}

    return asked


def _kubernetes(place: Place | None) -> Extras:
    tables = {} if place is None else place.settings
    settings = read_settings(kubernetes_manifest.Settings, tables, "kubernetes")
    return lambda order: {
        "kubernetes_job": kubernetes_manifest.manifest_of(
            order, settings.of(order.region)
        )
    }


_EXTRAS: dict[str, Callable[[Place | None], Extras]] = {
    "slurm": _slurm,
    "kubernetes": _kubernetes,
}
