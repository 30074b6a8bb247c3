"""The figures say what ledger and plan say, in a form that Prometheus accepts."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outputs.plan import ForecastUse, Plan
from planner.executor.backends.backend import Phase
from planner.operations.errors import MetricsEndpointError
from planner.operations.metrics import endpoint
from planner.operations.metrics.endpoint import Latest, serving
from planner.operations.metrics.exposition import text_of, write_textfile
from planner.operations.metrics.families import LATENESS, METRICS
from planner.operations.metrics.readings import Readings, read
from planner.operations.run_record import NO_RUNS, note_run, read_record
from tests.executor_site import Site, a_site
from tests.factories_executor import MADE, at, plan_of, row, unplaced

prometheus = pytest.importorskip("prometheus_client", reason="extra [metrics]")

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")


@pytest.fixture
def site() -> Iterator[Site]:
    with a_site() as site:
        yield site


def a_plan() -> Plan:
    use = ForecastUse(
        series="carbon",
        region="north",
        provider="file",
        issued_at=MADE,
        signal="average",
        age_s=0.0,
        filled_slots=2,
        degraded=True,
    )
    rows = [
        row("early", "02:00") | {"emissions_kg": 1.0, "baseline_emissions_kg": 2.0},
        row("late", "23:00") | {"emissions_kg": 2.0, "baseline_emissions_kg": 6.0},
        row("alone", "23:00") | {"emissions_kg": 9.0},
        unplaced("none"),
    ]
    solar = [0.5, 1.0, 1.5, None]
    for line, kwh in zip(rows, solar, strict=True):
        line["solar_kwh"] = kwh
    return plan_of(
        *rows, gap=0.02, emissions_kg=12.0, unplaced=1, forecasts=(use,), degraded=True
    )


def figures(site: Site, plan: Plan | None, when: str, **options: Any) -> dict[str, Any]:
    readings = read(site.ledger, plan, now=at(when), version="1.2", **options)
    return parsed(text_of(readings))


def parsed(text: bytes) -> dict[str, Any]:
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, Any] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = (
                sample.value
            )
    return found


def test_dispatches_are_counted_by_state_and_region(site: Site) -> None:
    plan = a_plan()
    site.tick(plan, "02:01")
    found = figures(site, plan, "02:01")
    assert found["planner_dispatches{region=north,state=sent}"] == 1
    assert found["planner_dispatches{region=north,state=planned}"] == 2
    assert found["planner_dispatches_open{state=unknown}"] == 0
    assert found["planner_next_due_timestamp_seconds"] == at("23:00").timestamp()
    site.ends("early", Phase.FAILED, reason="no")
    site.tick(plan, "02:02")
    assert figures(site, plan, "02:03")["planner_dispatches{region=north,state=failed}"]


def test_lateness_falls_into_its_bucket(site: Site) -> None:
    plan = a_plan()
    site.tick(plan, "02:00:20")
    found = figures(site, plan, "02:01")
    assert found[f"{LATENESS}_bucket{{le=15.0}}"] == 0
    assert found[f"{LATENESS}_bucket{{le=30.0}}"] == 1
    assert found[f"{LATENESS}_bucket{{le=+Inf}}"] == 1
    assert found[f"{LATENESS}_count"] == 1
    assert found[f"{LATENESS}_sum"] == 20


def test_the_plan_tells_its_gap_emissions_and_saving_on_equal_terms(
    site: Site,
) -> None:
    found = figures(site, a_plan(), "01:00", solar_budgets_kwh={"north": 4.0})
    assert found["planner_plan_gap_ratio"] == 0.02
    assert found["planner_plan_emissions_grams"] == 12_000
    assert found["planner_plan_saving_grams{baseline=asap}"] == 5_000
    assert found["planner_plan_saving_ratio{baseline=asap}"] == pytest.approx(5 / 8)
    assert found["planner_plan_degraded"] == 1
    assert found["planner_plan_rows{status=unplaced}"] == 1
    assert found["planner_solar_budget_used_ratio{region=north}"] == 0.75
    labels = "provider=file,region=north,series=carbon"
    assert found[f"planner_forecast_age_seconds{{{labels}}}"] == 7 * 3600
    assert found[f"planner_forecast_filled_slots{{{labels}}}"] == 2


def test_what_is_not_known_is_absent_and_not_zero(site: Site) -> None:
    plan = a_plan()
    unproven = Plan(rows=plan.rows, meta=replace(plan.meta, gap=None))
    assert "planner_plan_gap_ratio" not in figures(site, unproven, "01:00")
    nothing = figures(site, None, "01:00")
    for name in (
        "planner_plan_degraded",
        "planner_next_due_timestamp_seconds",
        "planner_executor_last_success_timestamp_seconds",
    ):
        assert name not in nothing


def test_a_budget_of_several_days_is_that_of_each_together(site: Site) -> None:
    plan = a_plan()
    meta = replace(plan.meta, horizon_end=plan.meta.horizon_start + timedelta(days=3))
    longer = Plan(rows=plan.rows, meta=meta)
    found = figures(site, longer, "01:00", solar_budgets_kwh={"north": 1.0})
    assert found["planner_solar_budget_used_ratio{region=north}"] == 1.0


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
def test_promtool_has_nothing_against_the_figures(site: Site) -> None:
    plan = a_plan()
    site.tick(plan, "02:01")
    alerts = {("ops", "sent"): 3}
    readings = read(
        site.ledger,
        plan,
        now=at("02:01"),
        version="1",
        alerts=alerts,
        solar_budgets_kwh={"north": 4.0},
    )
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=text_of(readings),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_figure_stands_on_the_page_with_its_labels(metric: Any) -> None:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    meaning = metric.help.removesuffix(".")
    assert f"| `{metric.name}` | {metric.kind} | {labels} | {meaning} |" in PAGE


def test_the_text_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "planner.prom"
    write_textfile(path, b"a 1\n")
    write_textfile(path, b"b 2\n")
    assert path.read_bytes() == b"b 2\n"
    assert list(tmp_path.iterdir()) == [path]


def test_runs_are_counted_and_a_damaged_record_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "operations" / "executor.json"
    note_run(path, now=at("02:00"), seconds=1.5)
    after = note_run(path, now=at("02:01"), seconds=0.5, code="ledger-busy")
    assert (after.succeeded, after.failed, after.last_code) == (1, 1, "ledger-busy")
    assert after.last_success_at == at("02:00").timestamp()
    assert read_record(path) == after
    for damage in ("", "{", "[]", '{"succeeded": "x"}', "null"):
        path.write_text(damage)
        assert read_record(path) == NO_RUNS


# The endpoint


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def asked(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_endpoint_shows_the_last_run_and_whether_there_was_one() -> None:
    clock = Clock()
    latest = Latest(steady=clock)
    with serving(("127.0.0.1", 0), latest) as port:
        assert asked(port, "/healthz")[0] == 503
        latest.ran()
        latest.text = b"planner_x 1\n"
        assert asked(port, "/metrics") == (200, b"planner_x 1\n")
        assert asked(port, "/healthz") == (200, b"ok\n")
        assert asked(port, "/")[0] == 404
        clock.now += endpoint.DEAD_AFTER_S + 1
        assert asked(port, "/healthz")[0] == 503


def test_clients_that_say_nothing_do_not_keep_others_out_for_ever() -> None:
    latest = Latest(steady=Clock(), text=b"planner_x 1\n")
    with serving(("127.0.0.1", 0), latest) as port:
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(15)]
        assert asked(port, "/metrics")[0] == 200
        began = time.monotonic()
        one_more = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        assert one_more[-1].recv(1) == b""
        assert time.monotonic() - began < endpoint.REQUEST_S
        for one in (*idle, *one_more):
            one.close()


def test_an_address_that_is_taken_is_named() -> None:
    with serving(("127.0.0.1", 0), Latest(steady=Clock())) as port:
        taken = serving(("127.0.0.1", port), Latest(steady=Clock()))
        with pytest.raises(MetricsEndpointError, match=f"127.0.0.1:{port}"), taken:
            pass


def test_readings_need_no_plan(site: Site) -> None:
    readings: Readings = read(site.ledger, None, now=at("01:00"), version="1")
    assert readings.dispatches == {}
