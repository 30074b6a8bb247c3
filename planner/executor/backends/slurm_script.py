"""The batch script of one Slurm job: claims the key, runs the command, notes its end.

It is POSIX sh, so that compute nodes need nothing of this program; they only need to
see the run's folder. Its files are those of ``planner.executor.run_folder``.
"""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote

from planner.executor import run_folder
from planner.executor.backends.backend import Order
from planner.executor.errors import RejectedError

NOT_MINE = 75
"""Exit status of a second start of a key: another one has claimed it."""
NO_FOLDER = 74
"""Exit status when the run's folder cannot be used from the node."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# `ln` makes the claim: a hard link is made in one step and fails if the name exists,
# on network file systems too. The trap keeps the shell alive to note an end by
# SIGTERM; it is not inherited. A command run by `exec` is no builtin of the shell.
_TEMPLATE = """\
#!/bin/sh
umask 077
run={run}
now() {{ date -u +%Y-%m-%dT%H:%M:%S+00:00; }}
finish() {{
    printf '{{"schema": 1, "outcome": "%s", "exit_code": %s, \
"started_at": "%s", "ended_at": "%s"}}\\n' \
"$1" "$2" "$started" "$(now)" > ".{result}.$me" &&
        mv -f ".{result}.$me" {result} || rm -f ".{result}.$me"
    exit "$2"
}}
cd "$run" || exit {no_folder}
me="$SLURM_JOB_ID.${{SLURM_RESTART_COUNT:-0}}"
started=$(now)
trap : TERM
printf '{{"slurm_job": "%s", "node": "%s", "claimed_at": "%s"}}\\n' \
"$SLURM_JOB_ID" "$SLURMD_NODENAME" "$started" > ".{claim}.$me" || exit {no_folder}
if ! ln ".{claim}.$me" {claim}; then
    rm -f ".{claim}.$me"
    {again} || exit {not_mine}
    rm -f {result}
fi
rm -f ".{claim}.$me"
exec < /dev/null >> {stdout} 2>> {stderr}
cd {workspace} || {{ cd "$run"; finish not_started 72; }}
set -- {command}
(
{exports}
exec "$@"
)
status=$?
cd "$run" || exit {no_folder}
finish exited "$status"
"""

_AGAIN = """grep -q "\\"slurm_job\\": \\"$SLURM_JOB_ID\\"" {claim}"""


def batch_script(
    order: Order, *, folder: Path, workspace: Path, repeatable: bool
) -> str:
    """Text of the script; everything in it that comes from an order is quoted.

    Parameters
    ----------
    folder
        The run's folder, which the compute node must see under this path.
    workspace
        Working directory of the command.
    repeatable
        Whether the same Slurm job may go on after Slurm has requeued it.

    Raises
    ------
    RejectedError
        If the command cannot be meant.
    """
    _check(order)
    return _TEMPLATE.format(
        run=quote(str(folder)),
        workspace=quote(str(workspace)),
        claim=run_folder.CLAIM,
        result=run_folder.RESULT,
        stdout=run_folder.STDOUT,
        stderr=run_folder.STDERR,
        no_folder=NO_FOLDER,
        not_mine=NOT_MINE,
        again=_AGAIN.format(claim=run_folder.CLAIM) if repeatable else "false",
        exports="\n".join(
            f"export {name}={quote(value)}" for name, value in order.env.items()
        ),
        command=" ".join(quote(word) for word in order.command),
    )


def _check(order: Order) -> None:
    job = f'job "{order.job_id}"'
    if not order.command or not order.command[0]:
        raise RejectedError(f"{job} has no command to run")
    if order.command[0].startswith("-"):
        raise RejectedError(f"{job}: command not found: {order.command[0]}")
    for name in order.env:
        if not _VARIABLE.fullmatch(name):
            raise RejectedError(f"{job}: env {name!r} is not a variable's name")
    words = [*order.command, *order.env.values()]
    if any("\0" in word or "\r\n" in word or _has_no_bytes(word) for word in words):
        raise RejectedError(
            f"{job}: Slurm takes no NUL, no CR LF and no half of a character "
            "in a command or variable"
        )


def _has_no_bytes(word: str) -> bool:
    try:
        word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return True
    return False
