"""The figures by name: what each means, its kind and its labels.

Names follow Prometheus' practice: base units (seconds, grams, ratios) in the name,
instants as seconds since 1970, ``_total`` on what only grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from planner.operations.metrics.readings import PlanReading, Readings

Sample: TypeAlias = tuple[tuple[str, ...], float]
Kind: TypeAlias = Literal["gauge", "counter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure, or one for each set of labels.

    Parameters
    ----------
    name
        As Prometheus shows it.
    help
        What it means; also the table of docs/operations.md.
    samples
        Label values and value, in the order of ``labels``.
    """

    name: str
    help: str
    samples: Callable[[Readings], Iterable[Sample]]
    kind: Kind = "gauge"
    labels: tuple[str, ...] = ()


LATENESS = "planner_dispatch_lateness_seconds"
LATENESS_HELP = "How late dispatches of the planned date were sent."


def _one(value: float | None) -> list[Sample]:
    return [] if value is None else [((), float(value))]


def _instant(at: datetime | None) -> list[Sample]:
    return _one(None if at is None else at.timestamp())


def _of_plan(
    samples: Callable[[PlanReading], Iterable[Sample]],
) -> Callable[[Readings], Iterable[Sample]]:
    """Samples that only a plan has."""

    def of(readings: Readings) -> Iterable[Sample]:
        return () if readings.plan is None else samples(readings.plan)

    return of


def _plan_info(plan: PlanReading) -> Iterator[Sample]:
    meta = plan.meta
    yield (meta.plan_id, meta.date.isoformat(), meta.solver, meta.status), 1.0


def _saving_ratio(plan: PlanReading) -> Iterator[Sample]:
    if plan.baseline_kg > 0:
        yield ("asap",), 1 - plan.emissions_kg / plan.baseline_kg


def _forecast_issued(plan: PlanReading) -> Iterator[Sample]:
    for use in plan.meta.forecasts:
        if use.issued_at is not None:
            yield (use.series, use.region, use.provider), use.issued_at.timestamp()


def _forecast_age(readings: Readings) -> Iterator[Sample]:
    for use in () if readings.plan is None else readings.plan.meta.forecasts:
        if use.issued_at is not None:
            age = (readings.at - use.issued_at).total_seconds()
            yield (use.series, use.region, use.provider), age


_FORECAST = ("series", "region", "provider")

METRICS: tuple[Metric, ...] = (
    Metric(
        name="planner_build_info",
        help="Version of the planner that wrote these figures.",
        labels=("version",),
        samples=lambda r: [((r.version,), 1.0)],
    ),
    Metric(
        name="planner_dispatches",
        help="Dispatches of the planned date by state and region.",
        labels=("state", "region"),
        samples=lambda r: [(k, float(n)) for k, n in r.dispatches.items()],
    ),
    Metric(
        name="planner_dispatches_open",
        help="Dispatches of every date that have not ended, by state.",
        labels=("state",),
        samples=lambda r: [((k,), float(n)) for k, n in r.at_work.items()],
    ),
    Metric(
        name="planner_next_due_timestamp_seconds",
        help="When the next planned dispatch is due; absent if none is ahead.",
        samples=lambda r: _instant(r.next_due_at),
    ),
    Metric(
        name="planner_holds",
        help="Holds of users that are in force.",
        samples=lambda r: _one(r.holds),
    ),
    Metric(
        name="planner_executor_runs_total",
        help="Runs of the executor by outcome, ok or refused.",
        kind="counter",
        labels=("outcome",),
        samples=lambda r: [
            (("ok",), float(r.runs.succeeded)),
            (("refused",), float(r.runs.failed)),
        ],
    ),
    Metric(
        name="planner_executor_last_run_timestamp_seconds",
        help="When the executor last ended a run, in order or refused.",
        samples=lambda r: _one(r.runs.last_at),
    ),
    Metric(
        name="planner_executor_last_success_timestamp_seconds",
        help="When the executor last ended a run in order.",
        samples=lambda r: _one(r.runs.last_success_at),
    ),
    Metric(
        name="planner_executor_last_run_duration_seconds",
        help="How long the last run took.",
        samples=lambda r: _one(r.runs.last_seconds),
    ),
    Metric(
        name="planner_plan_info",
        help="The plan for now; absent if there is none.",
        labels=("plan_id", "date", "solver", "status"),
        samples=_of_plan(_plan_info),
    ),
    Metric(
        name="planner_plan_created_timestamp_seconds",
        help="When the plan was made.",
        samples=_of_plan(lambda p: _instant(p.meta.created_at)),
    ),
    Metric(
        name="planner_plan_horizon_end_timestamp_seconds",
        help="When the plan ends; another one is needed by then.",
        samples=_of_plan(lambda p: _instant(p.meta.horizon_end)),
    ),
    Metric(
        name="planner_plan_rows",
        help="Rows of the plan by status, planned or unplaced.",
        labels=("status",),
        samples=_of_plan(
            lambda p: [
                (("planned",), float(p.planned)),
                (("unplaced",), float(p.unplaced)),
            ]
        ),
    ),
    Metric(
        name="planner_plan_gap_ratio",
        help="Proven distance from the best possible plan; absent without a proof.",
        samples=_of_plan(lambda p: _one(p.meta.gap)),
    ),
    Metric(
        name="planner_plan_emissions_grams",
        help="Planned emissions of the plan's jobs, CO2e.",
        samples=_of_plan(lambda p: _one(p.meta.emissions_kg * 1000)),
    ),
    Metric(
        name="planner_plan_saving_grams",
        help="Planned emissions below a baseline, over the jobs that both place, CO2e.",
        labels=("baseline",),
        samples=_of_plan(
            lambda p: [(("asap",), (p.baseline_kg - p.emissions_kg) * 1000)]
        ),
    ),
    Metric(
        name="planner_plan_saving_ratio",
        help="The saving relative to the baseline.",
        labels=("baseline",),
        samples=_of_plan(_saving_ratio),
    ),
    Metric(
        name="planner_plan_degraded",
        help="1 if a fallback forecast was used or a manifest left out, else 0.",
        samples=_of_plan(lambda p: _one(p.meta.degraded)),
    ),
    Metric(
        name="planner_forecast_issued_timestamp_seconds",
        help="When the forecast that the plan trusts was issued.",
        labels=_FORECAST,
        samples=_of_plan(_forecast_issued),
    ),
    Metric(
        name="planner_forecast_age_seconds",
        help="Age of the forecast that the plan trusts when this was written.",
        labels=_FORECAST,
        samples=_forecast_age,
    ),
    Metric(
        name="planner_forecast_filled_slots",
        help="Slots of the forecast that were filled in.",
        labels=_FORECAST,
        samples=_of_plan(
            lambda p: [
                ((u.series, u.region, u.provider), float(u.filled_slots))
                for u in p.meta.forecasts
            ]
        ),
    ),
    Metric(
        name="planner_forecast_degraded",
        help="1 if the forecast is a fallback or was mended, else 0.",
        labels=_FORECAST,
        samples=_of_plan(
            lambda p: [
                ((u.series, u.region, u.provider), float(u.degraded))
                for u in p.meta.forecasts
            ]
        ),
    ),
    Metric(
        name="planner_solar_budget_used_ratio",
        help="Part of a region's solar budget that is planned.",
        labels=("region",),
        samples=_of_plan(lambda p: [((b.region,), b.share) for b in p.budgets]),
    ),
    Metric(
        name="planner_alerts_total",
        help="Alerts by channel and outcome: sent, failed, given_up.",
        kind="counter",
        labels=("channel", "outcome"),
        samples=lambda r: [(k, float(n)) for k, n in r.alerts.items()],
    ),
)
"""All but the histogram, in the order in which they are written."""
