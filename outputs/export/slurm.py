"""A batch script for each task, and one script that submits them all."""

from __future__ import annotations

from shlex import quote

from outputs.export.sheet import (
    Exporter,
    ExportFile,
    Sheet,
    Task,
    comment,
    common_refusal,
    header,
)
from outputs.export.shell_words import statements

_SUBMIT = """\
# Each is submitted once: a folder NAME.submitted says that it was. Options given to
# this script go to every sbatch.
cd "$(dirname "$0")" || exit 72
for name in \\
{names}
do
    mkdir "$name.submitted" || continue
    sbatch "$@" "$name.sbatch" || {{ rmdir "$name.submitted"; exit 1; }}
done
"""


def _refusal(sheet: Sheet, task: Task) -> str | None:
    words = (*task.command, *task.env.values())
    if any("\r\n" in word for word in words):
        return "Slurm takes no CR LF in a script"
    if not all(option.isprintable() for option in task.sbatch_options):
        return "an option of sbatch would hold control characters"
    return common_refusal(sheet, task)


def _files(sheet: Sheet) -> list[ExportFile]:
    about = comment(header(sheet, "Submit all: sh submit.sh. A time limit is Slurm's."))
    names = " \\\n".join(f"    {task.name}" for task in sheet.tasks)
    submit = "\n".join(["#!/bin/sh", *about, _SUBMIT.format(names=names)])
    return [
        *(
            ExportFile(name=f"{task.name}.sbatch", text=_script(sheet, task, about))
            for task in sheet.tasks
        ),
        ExportFile(name="submit.sh", text=submit, is_program=True),
    ]


def _script(sheet: Sheet, task: Task, about: list[str]) -> str:
    options = [f"#SBATCH {quote(option)}" for option in task.sbatch_options]
    lines = ["#!/bin/sh", *about, *options, *statements(task, sheet.directory), ""]
    return "\n".join(lines)


EXPORTER = Exporter(files=_files, refusal=_refusal, is_folder=True)
