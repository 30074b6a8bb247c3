"""Write the golden reports anew: ``python -m tests.golden.rewrite_report``."""

from __future__ import annotations

from pathlib import Path

from outputs.report.contents import sections
from outputs.report.document import json_report
from outputs.report.markdown import markdown_report
from tests.factories_report import known_report

CASES = ("clean", "shortfalls")
FOLDER = Path(__file__).parent / "report"


def main() -> None:
    for case in CASES:
        report = known_report(case)
        folder = FOLDER / case
        folder.mkdir(parents=True, exist_ok=True)
        markdown = markdown_report(report, sections(report))
        (folder / "expected.md").write_text(markdown, encoding="utf-8")
        (folder / "expected.json").write_text(json_report(report), encoding="utf-8")


if __name__ == "__main__":
    main()
