"""Report files are written whole or not at all, and say the same in each form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from outputs.errors import PlanStorageError
from outputs.plan import PLAN_SCHEMA
from outputs.report import comparison_document, write_report
from outputs.report.contents import sections
from outputs.report.document import document
from outputs.report.markdown import escape, markdown_report
from outputs.report.sections import moved_jobs
from tests.factories_comparison import (
    make_comparison,
    make_policy,
    synthetic_comparison,
)
from tests.factories_report import known_report, make_report

DOCS = Path(__file__).parents[2] / "docs" / "report.md"


def test_three_files_are_named_after_the_date(tmp_path: Path) -> None:
    paths = write_report(known_report(), tmp_path / "reports")
    names = [paths.html.name, paths.markdown.name, paths.json.name]
    assert names == [f"report-2026-11-22.{kind}" for kind in ("html", "md", "json")]
    assert sorted(p.name for p in (tmp_path / "reports").iterdir()) == sorted(names)


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_report(known_report(), tmp_path)
    before = [p.read_bytes() for p in (first.html, first.markdown, first.json)]
    again = write_report(known_report(), tmp_path)
    assert [p.read_bytes() for p in (again.html, again.markdown, again.json)] == before


def test_file_that_cannot_be_replaced_is_refused_without_leftovers(
    tmp_path: Path,
) -> None:
    (tmp_path / "report-2026-11-22.html").mkdir()
    with pytest.raises(PlanStorageError, match=r"report-2026-11-22\.html"):
        write_report(known_report(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["report-2026-11-22.html"]


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    with pytest.raises(PlanStorageError, match="cannot be written"):
        write_report(known_report(), tmp_path / "reports")


def test_every_markdown_table_has_as_many_cells_as_headings() -> None:
    report = known_report("shortfalls")
    blocks = re.findall(
        r"(?:^\|.*\n)+", markdown_report(report, sections(report)), re.M
    )
    assert blocks
    for block in blocks:
        cells = [len(re.split(r"(?<!\\)\|", line)) for line in block.splitlines()]
        assert len(set(cells)) == 1, block


@pytest.mark.parametrize(
    "payload",
    [
        *("<script>x</script>", "[a](javascript:x)", "![i](http://x)", "a|b"),
        *("# title", "`code`", "**b**", "a\nb", "&lt;", "$x$", "~~s~~", "a_b_c"),
    ],
)
def test_outside_text_is_no_markdown(payload: str) -> None:
    written = escape(payload)
    assert "\n" not in written
    assert re.search(r"(?<!\\)[<>\[\]|`*_#&$~!]", written) is None


def test_json_figures_are_those_worked_out_by_hand() -> None:
    found = document(known_report("clean"))
    kg = {policy["name"]: policy["emissions_kg"] for policy in found["policies"]}
    # asap at 40 and 400 g: 2 kWh in the north; 4 + 2 + 8 kWh in the west.
    assert kg["asap"] == pytest.approx(0.08 + 1.6 + 0.8 + 3.2)
    # greedy at 300 g after noon, the north on its own sun.
    assert kg["greedy"] == pytest.approx((4 + 2 + 8) * 0.3)
    # optimal: both northern jobs under 3 kW of sun from 10 to 14.
    assert kg["optimal"] == pytest.approx((2 + 8) * 0.3)
    against = {s["baseline"]: s["planned_saving_percent"] for s in found["savings"]}
    assert against["asap"] == pytest.approx(100 * (1 - 3.0 / 5.68))
    assert against["greedy"] == pytest.approx(100 * (1 - 3.0 / 4.2))
    assert found["unplaced"]["count"] == 0


def test_json_has_no_figure_that_json_does_not_know() -> None:
    comparison = synthetic_comparison(capped=False, unplaced=3, n_jobs=20)
    found = json.dumps(document(make_report(comparison)), allow_nan=False)
    series = json.loads(found)["series"]["regions"]["eu-north"]
    assert series["power_cap_kw"] is None


def test_json_series_add_up_to_the_policies() -> None:
    found = document(known_report("clean"))
    hours = found["series"]["slot_minutes"] / 60
    for policy in found["policies"]:
        regions = found["series"]["regions"].values()
        kwh = sum(sum(r["grid_kw"][policy["name"]]) for r in regions) * hours
        assert kwh == pytest.approx(policy["grid_kwh"], rel=1e-3)


def test_delays_count_every_placed_job_once() -> None:
    found = document(make_report(synthetic_comparison(unplaced=5)))
    for policy in found["policies"]:
        assert sum(found["delays"]["jobs"][policy["name"]]) == policy["placed"]


def test_jobs_that_become_dirtier_are_not_listed_as_moves_that_matter() -> None:
    day = make_comparison(
        make_policy("asap", region=[0, 0, 0], emissions_kg=[1.0, 5.0, 9.0]),
        make_policy("optimal", region=[0, 0, 0], emissions_kg=[2.0, 1.0, 2.0]),
    )
    moved = document(make_report(day))["moved"]
    assert [(m["job_id"], m["avoided_kg"]) for m in moved] == [
        ("job-00002", 7.0),
        ("job-00001", 4.0),
    ]


def test_emissions_of_a_job_in_segments_are_summed() -> None:
    day = make_comparison(
        make_policy("asap", emissions_kg=[9.0]),
        make_policy("optimal", emissions_kg=[2.0]),
    )
    report = make_report(day)
    rows = report.plan.rows
    second = rows.set_column(1, "segment", pa.array([1], pa.int32())).cast(PLAN_SCHEMA)
    plan = replace(report.plan, rows=pa.concat_tables([rows, second]))
    (moved,) = moved_jobs(replace(report, plan=plan))
    assert (moved["planned_kg"], moved["avoided_kg"]) == (4.0, 5.0)


def test_compare_prints_the_same_keys_as_the_report() -> None:
    report = known_report("clean")
    whole, short = document(report), comparison_document(report.comparison)
    assert short["date"] == "2026-11-22"
    for key in short.keys() - {"date", "timezone"}:
        assert short[key] == whole[key]


def test_every_key_of_the_json_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_0-9]+)`", DOCS.read_text(encoding="utf-8")))
    found = document(known_report("shortfalls"))
    first = {key for value in found.values() for key in _keys(value)}
    regions = found["series"]["regions"]
    data = {*regions, *regions["eu-north"]["load_kw"]}
    versions = {*found["plan"]["solver_versions"], *found["plan"]["seconds"]}
    assert {*found, *first} - data - versions - documented == set()


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {k for v in value.values() for k in _keys(v)}
    if isinstance(value, list):
        return {key for item in value for key in _keys(item)}
    return set()
