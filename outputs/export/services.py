"""What runs planner itself: plans every night, dispatches every minute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from outputs.export.sheet import ExportFile, comment
from outputs.export.systemd import argument

_SOLVE_AT = "20:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where planner and its workspace are.

    Parameters
    ----------
    program
        The command ``planner``, absolute.
    workspace
        Folder of planner.toml, absolute.
    timezone
        Of the nightly run, IANA name.
    user
        Who runs the jobs; None where that is left open.
    """

    program: Path
    workspace: Path
    timezone: str
    user: str | None = None


def owner_of(workspace: Path) -> str | None:
    """Name of the user whom a workspace belongs to; None for root or a nameless one."""
    try:
        name = workspace.owner()
    except (KeyError, OSError):
        return None
    return None if name == "root" else name


_UNIT = """\
[Unit]
Description={description}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
{user}
WorkingDirectory={workspace}
# Keys of forecast providers and for signing plans, readable by this service alone.
EnvironmentFile=-%E/carbon-batch-planner/environment
{more}
ExecStart={command}
"""

_TIMER = """\
[Unit]
Description={description}

[Timer]
OnCalendar={when}
AccuracySec=1s
Persistent={persistent}

[Install]
WantedBy=timers.target
"""

_SOLVE = """\
# Written, with jobs unplaced (3) or by a fallback forecast (5): not a failure.
SuccessExitStatus=3 5
TimeoutStartSec=1h"""

_EXECUTE = """\
# Jobs outlive the executor that started them; status 6 tells that one failed.
KillMode=process
TimeoutStartSec=10min"""


def systemd(service: Service) -> list[ExportFile]:
    """Two services and their timers."""
    about = comment(
        [
            "Install: cp planner-*.service planner-*.timer /etc/systemd/system/, then",
            "systemctl daemon-reload, and",
            "systemctl enable --now planner-solve.timer planner-execute.timer",
        ]
    )
    workspace = str(service.workspace).replace("%", "%%")
    files = []
    for name, words, description, when, persistent, more in (
        (
            *("planner-solve", ["solve", "--date", "tomorrow"]),
            "Plan tomorrow's batch jobs",
            f"*-*-* {_SOLVE_AT}:00 {service.timezone}",
            *("true", _SOLVE),
        ),
        (
            *("planner-execute", ["execute", "--once"]),
            "Start the batch jobs that are due",
            "*-*-* *:*:00",
            *("false", _EXECUTE),
        ),
    ):
        unit = _UNIT.format(
            description=description,
            workspace=workspace,
            user=f"User={service.user}" if service.user else "# Name a User= here.",
            more=more,
            command=" ".join(argument(word) for word in (str(service.program), *words)),
        )
        timer = _TIMER.format(description=description, when=when, persistent=persistent)
        for suffix, text in (("service", unit), ("timer", timer)):
            files.append(
                ExportFile(name=f"{name}.{suffix}", text="\n".join([*about, "", text]))
            )
    return files


def crontab(service: Service) -> list[ExportFile]:
    """Two lines for cron.

    They log beside planner.toml: the shell opens a log before planner could make the
    folder of its outputs, and runs nothing if it cannot.
    """
    about = comment(
        [
            "Add these lines to the crontab of the user who runs the jobs. Cron's own",
            f"zone counts for the nightly run; the workspace's is {service.timezone}.",
            "Its PATH is short: name commands of jobs by their full path, or set PATH.",
        ]
    )
    program = f"cd {_word(service.workspace)} && {_word(service.program)}"
    hour, minute = _SOLVE_AT.split(":")
    lines = [
        *about,
        f"{int(minute)} {int(hour)} * * * {program} solve --date tomorrow"
        " >> solve.log 2>&1",
        f"* * * * * {program} execute --once >> execute.log 2>&1",
    ]
    return [ExportFile(name="planner.crontab", text="\n".join(lines) + "\n")]


def _word(path: Path) -> str:
    return quote(str(path)).replace("\\", "\\''").replace("%", r"\%")
