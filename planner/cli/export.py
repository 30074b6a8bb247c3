"""``planner export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outputs.export.registry import FORMATS
from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.options import examples, json_option, plan_argument

if TYPE_CHECKING:
    from outputs.export import ExportFile
    from planner.exporting import Export

SERVICES = ("executor-systemd", "executor-crontab")
FOLDERS = ("systemd", "slurm", "executor-systemd")
_SHOWN = 10


@click.command(
    epilog=examples(
        "planner export tomorrow --format crontab --out jobs.crontab",
        "planner export 2026-11-23 --format kubernetes --region eu-north",
        "planner export --format executor-systemd --out units",
    )
)
@click.argument("plan", default="tomorrow", metavar="[PLAN|DATE]")
@click.option(
    "--format",
    "format_name",
    type=click.Choice([*FORMATS, *SERVICES]),
    required=True,
    help="For which tool; executor-… runs planner itself by that tool.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="File or folder to write; default: stdout, where one file holds it all.",
)
@click.option("--region", help="Only what is planned in this region.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="Folder that the jobs run in; default: the workspace.",
)
@json_option
@click.pass_context
@pass_app
def command(
    app: App,
    ctx: click.Context,
    /,
    plan: str,
    format_name: str,
    out: Path | None,
    region: str | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Hand a plan over to a tool that you have already.

    PLAN is a plan file, which is all that is needed, or a date whose newest plan is
    meant; without it, tomorrow. Do not let `planner execute` dispatch the same plan.
    """
    if format_name in FOLDERS and out is None and not as_json:
        raise click.UsageError(f"{format_name} makes several files; name --out FOLDER")
    target = None if out is None else app.directory / out
    if format_name in SERVICES:
        files = _services(app, format_name)
        written = _deliver(app, format_name, files, target, as_json=as_json)
        if as_json:
            app.result_json({"schema": 1, "format": format_name, "files": written})
        return
    export = _export(app, plan, format_name, region, directory)
    for left in export.left_out[:_SHOWN]:
        app.note(f"note: left out {left.job_id}, segment {left.segment}: {left.reason}")
    if more := len(export.left_out[_SHOWN:]):
        app.note(f"note: left out {more} more; --json lists all")
    if not export.files:
        app.note("Error: nothing of the plan can be exported")
    written = _deliver(app, format_name, export.files, target, as_json=as_json)
    if as_json:
        app.result_json(_summary(export, format_name, written))
    ctx.exit(_exit_code(export))


def _exit_code(export: Export) -> ExitCode:
    if not export.files:
        return ExitCode.NOTHING_PLANNED
    return ExitCode.UNPLACED if export.left_out else ExitCode.DONE


def _export(
    app: App,
    plan: str,
    format_name: str,
    region: str | None,
    directory: Path | None,
) -> Export:
    from inputs.errors import SettingsError
    from inputs.workspace import find_root
    from planner.exporting import export_plan

    path, place = app.directory / plan, None
    try:
        find_root(app.directory.resolve())
    except SettingsError:
        if not path.exists():
            raise
    else:
        path, place = plan_argument(app, app.workspace(), plan), app.place()
    folder = place.workspace if place is not None else None
    export = export_plan(
        path,
        format_name,
        now=app.clock(),
        environment=app.environment,
        place=place,
        region=region,
        directory=folder
        if directory is None
        else (app.directory / directory).resolve(),
    )
    _tell(app, export)
    return export


def _tell(app: App, export: Export) -> None:
    sheet, now = export.sheet, app.clock()
    if sheet is None:
        return
    over = sum(task.latest_start <= now for task in sheet.tasks)
    if over:
        app.note(f"note: {over} of {len(sheet.tasks)} may not begin any more: too late")
    if not sheet.site_is_known:
        app.note("note: there is no ledger here; PLANNER_KEY is not the executor's")


def _services(app: App, format_name: str) -> list[ExportFile]:
    import shutil
    import sys

    from outputs.export.services import Service, crontab, owner_of, systemd

    beside = Path(sys.executable).with_name("planner")
    found = str(beside) if beside.exists() else shutil.which("planner")
    workspace = app.workspace()
    service = Service(
        program=Path(found or "planner").absolute(),
        workspace=workspace.root,
        timezone=workspace.settings.planner.timezone,
        user=owner_of(workspace.root),
    )
    return systemd(service) if format_name == "executor-systemd" else crontab(service)


def _deliver(
    app: App,
    format_name: str,
    files: list[ExportFile] | tuple[ExportFile, ...],
    target: Path | None,
    *,
    as_json: bool,
) -> list[dict[str, Any]]:
    """Write or print files; what became of each, for a program that listens."""
    from outputs.export.writing import strangers, write_file, write_folder

    if target is None:
        if not as_json:
            click.echo("".join(file.text for file in files), nl=False)
        return [{"name": file.name, "text": file.text} for file in files]
    if format_name in FOLDERS and files:
        paths = write_folder(target, files)
        for path in strangers(target, files):
            app.note(f"note: {app.shown(path)} is of an earlier export; remove it")
    else:
        paths = [write_file(target, file) for file in files]
    if not as_json:
        for path in paths:
            click.echo(app.shown(path))
    return [{"name": path.name, "path": str(path)} for path in paths]


def _summary(
    export: Export, format_name: str, written: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "format": format_name,
        "plan_id": export.plan.meta.plan_id,
        "digest": export.plan.meta.digest,
        "files": written,
        "tasks": [
            {
                "key": task.key,
                "name": task.name,
                "job_id": task.job_id,
                "segment": task.segment,
                "region": task.region,
                "start": task.start.isoformat(),
                "latest_start": task.latest_start.isoformat(),
            }
            for task in (() if export.sheet is None else export.sheet.tasks)
        ],
        "left_out": [
            {"job_id": left.job_id, "segment": left.segment, "reason": left.reason}
            for left in export.left_out
        ],
    }
