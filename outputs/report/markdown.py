"""A report as Markdown that every common renderer shows as tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from outputs.report.contents import Section
from outputs.report.data import Report, notices, sentences
from outputs.sheets import Sheet
from outputs.wording import printable

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")


def markdown_report(report: Report, parts: Sequence[Section]) -> str:
    """The whole report as text; charts are for the page alone.

    Parameters
    ----------
    report
        What to report.
    parts
        Its sections, from ``contents.sections``.
    """
    blocks = [f"# {escape(report.title)}", " ".join(map(escape, sentences(report)))]
    blocks += [f"> **Note:** {escape(notice)}" for notice in notices(report)]
    blocks += [_section(part) for part in parts if not part.charts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def markdown_table(sheet: Sheet) -> str:
    """A sheet as a pipe table, figures aligned to the right."""
    body = [
        [f"**{escape(c)}**" if i in sheet.strong and c else escape(c) for c in row]
        for i, row in enumerate(sheet.rows)
    ]
    heads = [escape(column) for column in sheet.columns]
    marks = ["---" if i in sheet.text_columns else "---:" for i in range(len(heads))]
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, marks, *body)]
    notes = [f"\n{escape(note)}" for note in sheet.notes]
    title = [f"**{escape(sheet.title)}**\n"] if sheet.title else []
    return "\n".join([*title, *lines, *notes])


def escape(text: str) -> str:
    """Outside text as Markdown text: no markup, no line breaks, no control marks."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def _section(section: Section) -> str:
    parts = [f"## {escape(section.heading)}", escape(section.text)]
    parts.append("\n".join(f"- {escape(point)}" for point in section.points))
    parts += [markdown_table(sheet) for sheet in section.sheets]
    return "\n\n".join(part for part in parts if part)
