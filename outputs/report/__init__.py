"""A planned day as a page, as Markdown and as JSON."""

from outputs.report.data import Report as Report
from outputs.report.write import ReportPaths as ReportPaths
from outputs.report.write import write_report as write_report

__all__ = ["Report", "ReportPaths", "write_report"]
