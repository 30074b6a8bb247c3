"""The page is one whole, valid, closed file, whatever names stand in it."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import date
from html.parser import HTMLParser

import pytest

from outputs.markup import VOID, Markup, element
from outputs.report import Report
from outputs.report.contents import sections
from outputs.report.data import gap_sentence
from outputs.report.page import html_report
from outputs.unplaced import unplaced_rows
from tests.factories_comparison import (
    make_comparison,
    make_policy,
    synthetic_comparison,
)
from tests.factories_report import known_report, make_report

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</style><svg/onload=alert(1)>",
    "' onmouseover='alert(1)",
    "&lt;script&gt;",
    "a\x00b\x1b[2Jc\u202ed",
)
DAYS = {
    "one job": {"n_jobs": 1, "n_regions": 1},
    "two regions, 25 hours": {"n_regions": 2, "day": date(2026, 10, 25)},
    "20 regions": {"n_regions": 20, "n_jobs": 60, "unplaced": 9},
    "a week of 5 minutes": {"horizon_hours": 168, "slot_minutes": 5, "n_jobs": 20},
    "no sun, no cap": {"solar": False, "capped": False, "n_jobs": 20},
    "nothing placed": {"n_jobs": 3, "unplaced": 3},
}
LINKS = frozenset({"href", "src", "srcset", "action", "data", "poster", "xlink:href"})


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in its own turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), tag
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without its start"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(report: Report) -> str:
    return html_report(report, sections(report))


@pytest.mark.parametrize("name", DAYS)
def test_page_is_well_formed_for(name: str) -> None:
    found = Page(page(make_report(synthetic_comparison(**DAYS[name]))))
    ids = [a["id"] for _, a in found.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {f"#{i}" for i in ids}
    assert {a["href"] for a in found.all("a")} <= targets
    for drawing in found.all("svg"):
        assert set((drawing["aria-labelledby"] or "").split()) <= set(ids)
    assert len(found.all("svg")) == len(found.all("details"))
    assert len(found.all("h1")) == 1


@pytest.mark.parametrize("name", DAYS)
def test_no_coordinate_is_missing_or_infinite(name: str) -> None:
    text = page(make_report(synthetic_comparison(**DAYS[name])))
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    for drawing in drawings:
        for shape in re.findall(r' (?:d|x|y|x1|y2|width|height)="([^"]*)"', drawing):
            assert re.fullmatch(r"[-MLHVZhv .\d]*", shape), shape


def test_page_asks_for_nothing_from_outside() -> None:
    found = Page(page(known_report("shortfalls")))
    for _, attributes in found.tags:
        for name in LINKS & attributes.keys():
            assert (attributes[name] or "").startswith("#")
    css = "".join(found.texts)
    assert "url(" not in css
    assert "@import" not in css
    names = {tag for tag, _ in found.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "base"}


def test_policy_allows_the_one_style_sheet_and_nothing_else() -> None:
    text = page(known_report())
    found = Page(text)
    (policy,) = (
        a["content"]
        for a in found.all("meta")
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    (css,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert policy is not None
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not [a for _, a in found.tags if "style" in a]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_se_04_names_full_of_markup_stay_text(payload: str) -> None:
    comparison = synthetic_comparison(
        n_jobs=12, n_regions=2, unplaced=2, teams=(payload, None)
    )
    object.__setattr__(comparison, "regions", (payload, f"b{payload}"))
    report = make_report(comparison, warnings=(payload,), assumptions=(payload,))
    text = page(report)
    found = Page(text)
    clean = Page(
        page(make_report(synthetic_comparison(n_jobs=12, n_regions=2, unplaced=2)))
    )
    assert {tag for tag, _ in found.tags} == {tag for tag, _ in clean.tags}
    assert not [n for _, a in found.tags for n in a if n.startswith("on")]
    assert not set("\x00\x1b\u202e") & set(text)
    safe = payload.replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
    assert safe.replace("\u202e", "\ufffd") in found.texts


def test_day_without_jobs_has_a_page() -> None:
    empty = [make_policy(n, region=[], emissions_kg=[]) for n in ("asap", "optimal")]
    Page(page(make_report(make_comparison(*empty))))


def test_plan_that_is_the_baseline_itself_claims_no_saving() -> None:
    day = make_comparison(make_policy("asap"))
    words = " ".join(Page(page(make_report(day))).texts)
    assert "Planned saving against" not in words


def test_children_that_are_not_markup_are_escaped() -> None:
    assert element("p", "a<b", Markup("<b>c</b>")) == "<p>a&lt;b<b>c</b></p>"


def test_attributes_are_escaped_and_left_out_when_none() -> None:
    found = element("a", title='"<x>"', id=None, hidden=True, stroke_width=1.50)
    assert found == '<a title="&quot;&lt;x&gt;&quot;" hidden stroke-width="1.5"></a>'


def test_long_lists_are_cut_and_the_rest_is_counted() -> None:
    report = make_report(synthetic_comparison(n_jobs=90, unplaced=60), most_listed=20)
    text = page(report)
    assert len(re.findall(r'scope="row"[^>]*>job-000\d\d', text)) >= 20
    assert "job-00019" in text
    assert "40 more unplaced jobs not listed." in text


def test_headline_says_gap_baselines_and_what_is_left_out() -> None:
    report = make_report(synthetic_comparison(unplaced=4))
    words = " ".join(Page(page(report)).texts).replace("\xa0", " ")
    assert "no plan for this day can have an objective below" in words
    assert "at most 0.08 % is left to gain" in words
    assert "Planned saving against asap (each job in its home region" in words
    assert "Planned saving against greedy" in words
    assert "396 of 400 jobs placed" in words
    assert "saved" not in words


@pytest.mark.parametrize(
    ("found_by", "said"),
    [
        ({}, ""),
        (
            {"bound": "exact", "plan": "exact"},
            " Of the solvers asked, exact found both.",
        ),
        (
            {"bound": "exact", "plan": "price"},
            " Of the solvers asked, exact found the bound and price found the plan.",
        ),
    ],
)
def test_a_gap_near_zero_is_less_than_that_and_not_at_most_less(
    found_by: dict[str, str], said: str
) -> None:
    report = make_report(objective=1.0, bound=1.0, gap=1e-9, found_by=found_by)
    sentence = gap_sentence(report.meta)
    assert sentence.endswith(f"so less than 0.0001 % is left to gain.{said}")


def test_unproven_gap_is_said_in_words() -> None:
    words = " ".join(Page(page(known_report("shortfalls"))).texts)
    assert "No bound is proven" in words


def test_bound_and_objective_are_told_apart_however_close() -> None:
    report = make_report(objective=100.0, bound=99.9996, gap=4e-6)
    words = " ".join(Page(page(report)).texts)
    assert "below 99.9996; this plan has 100.0000" in words


def test_day_with_another_number_of_hours_is_announced() -> None:
    words = " ".join(Page(page(known_report("shortfalls"))).texts)
    assert "Clocks change: this day has 25 hours." in words


def test_a_long_reason_breaks_its_line_rather_than_hide_the_count_behind_it() -> None:
    report = make_report(synthetic_comparison(unplaced=4))
    text = page(report)
    (head,) = {
        kind
        for reason in set(unplaced_rows(report.plan.rows)["reason"].to_pylist())
        for kind in re.findall(rf'<th scope="row" class="(\w+)">{reason}', text)
    }
    rule = re.search(rf"tbody th\.{head} {{([^}}]*)}}", text)
    assert rule
    assert "white-space: normal" in rule[1]
