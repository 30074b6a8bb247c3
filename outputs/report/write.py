"""A report's three files, each written whole or not at all."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from outputs.errors import PlanStorageError
from outputs.report.contents import sections
from outputs.report.data import Report
from outputs.report.document import json_report
from outputs.report.markdown import markdown_report
from outputs.report.page import html_report


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """Where the files of one report lie."""

    html: Path
    markdown: Path
    json: Path


def write_report(report: Report, folder: Path) -> ReportPaths:
    """Write ``report-<date>`` as HTML, Markdown and JSON.

    Parameters
    ----------
    report
        What to report.
    folder
        Made if it is not there; files of the same names are replaced.

    Raises
    ------
    PlanStorageError
        If a file cannot be written; that file is as it was before.
    """
    name = f"report-{report.meta.date.isoformat()}"
    paths = ReportPaths(
        html=folder / f"{name}.html",
        markdown=folder / f"{name}.md",
        json=folder / f"{name}.json",
    )
    # All three are made before the first is stored: a fault in one leaves no mixture.
    parts = sections(report)
    texts = {
        paths.html: html_report(report, parts),
        paths.markdown: markdown_report(report, parts),
        paths.json: json_report(report),
    }
    for path, text in texts.items():
        _store(path, text)
    return paths


def _store(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text)
    except OSError as error:
        raise PlanStorageError(
            f"{path}: the report cannot be written: {error.strerror or error}"
        ) from error


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
