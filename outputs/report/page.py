"""A report as one page that needs nothing but itself: no script, no request."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib import resources

from outputs.charts.figure import Chart
from outputs.markup import Markup, element, escape, join
from outputs.report.contents import Section
from outputs.report.data import Report, figures, notices, sentences
from outputs.sheets import Sheet
from outputs.wording import counted

_FIGURE = re.compile(r"(\d) (%|kg|jobs?)")


def html_report(report: Report, parts: Sequence[Section]) -> str:
    """The whole page.

    Parameters
    ----------
    report
        What to report.
    parts
        Its sections, from ``contents.sections``.

    Notes
    -----
    The content policy allows one style sheet, by its digest, and nothing else:
    no script, image, font, frame, form or request, not even to the page's own
    origin. ``style`` attributes are therefore not used anywhere.
    """
    css = Markup(
        resources.files("outputs.report").joinpath("page.css").read_text("utf-8")
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(css)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", report.title),
        element("style", css),
    )
    body = element(
        "body",
        _header(report),
        _contents(parts),
        element("main", *(_section(section) for section in parts)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def html_table(sheet: Sheet) -> Markup:
    """A sheet as a table; wide ones scroll on their own."""
    kinds = [
        "text" if i in sheet.text_columns else None for i in range(len(sheet.columns))
    ]
    heads = (
        element("th", name, scope="col", class_=kind)
        for name, kind in zip(sheet.columns, kinds, strict=True)
    )
    rows = (
        element(
            "tr",
            element("th", row[0], scope="row", class_=kinds[0]),
            *(
                element("td", c, class_=k)
                for c, k in zip(row[1:], kinds[1:], strict=True)
            ),
            class_="strong" if i in sheet.strong else None,
        )
        for i, row in enumerate(sheet.rows)
    )
    table = element(
        "table",
        *([element("caption", sheet.title)] if sheet.title else []),
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
    )
    notes = (element("p", note, class_="note") for note in sheet.notes)
    return join([element("div", table, class_="wide"), *notes])


def _policy(css: str) -> str:
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _header(report: Report) -> Markup:
    grid = report.comparison.grid
    about = " · ".join(
        [
            report.meta.timezone,
            f"{counted(grid.n_slots, 'slot')} of {report.meta.slot_minutes} min",
            f"solved by {report.meta.solver}",
            f"status {report.meta.status}",
        ]
    )
    heads = (
        element("div", element("dt", f.meaning), element("dd", f.value))
        for f in figures(report)
    )
    told = notices(report)
    warned = element("ul", *(element("li", notice) for notice in told))
    return element(
        "header",
        element("h1", report.title),
        element("p", about, class_="about"),
        element("dl", *heads, class_="figures"),
        *(element("p", _unbroken(sentence)) for sentence in sentences(report)),
        *([element("aside", warned, aria_label="Warnings")] if told else []),
    )


def _unbroken(sentence: str) -> Markup:
    """Sentence whose figures stay on one line with their units."""
    return Markup(_FIGURE.sub("\\1&nbsp;\\2", escape(sentence)))


def _contents(parts: Sequence[Section]) -> Markup:
    links = (element("a", s.heading, href=f"#{s.key}") for s in parts)
    return element("nav", *links, aria_label="Contents")


def _section(section: Section) -> Markup:
    points = (element("li", point) for point in section.points)
    return element(
        "section",
        element("h2", section.heading),
        *([element("p", section.text)] if section.text else []),
        *([element("ul", *points)] if section.points else []),
        *(html_table(sheet) for sheet in section.sheets),
        *(_figure(chart) for chart in section.charts),
        id=section.key,
    )


def _figure(chart: Chart) -> Markup:
    return element(
        "figure",
        element("h3", chart.title),
        element("p", chart.caption, class_="note"),
        element("div", chart.svg, class_="wide"),
        element(
            "details",
            element("summary", "The same as a table"),
            html_table(chart.data),
        ),
        id=f"chart-{chart.key}",
    )
