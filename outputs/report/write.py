"""A report's three files, each written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from outputs.errors import PlanStorageError
from outputs.report.contents import sections
from outputs.report.data import Report
from outputs.report.document import json_report
from outputs.report.markdown import markdown_report
from outputs.report.page import html_report
from outputs.storage import write_atomically


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
    except OSError as error:
        raise PlanStorageError(
            f"{path}: the report cannot be written: {error.strerror or error}"
        ) from error
    data = text.encode("utf-8")
    write_atomically(path, lambda file: _write(file, data))


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
