"""A planned day as a page, as Markdown and as JSON."""

from outputs.report.data import Report as Report
from outputs.report.document import comparison_document as comparison_document
from outputs.report.write import ReportPaths as ReportPaths
from outputs.report.write import write_report as write_report

__all__ = ["Report", "ReportPaths", "comparison_document", "write_report"]
