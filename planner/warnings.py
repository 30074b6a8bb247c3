"""What a reader of a plan must know, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inputs.cloud_defaults import pue_notes
from inputs.manifests import LoadedJobs
from outputs.wording import counted
from planner.day import Day
from planner.policies import PolicyRun

_SHRUNK = 0.5


def warnings_of(
    day: Day, run: PolicyRun, baselines: Mapping[str, PolicyRun]
) -> tuple[str, ...]:
    """Shortfalls and surprises of one plan, the gravest first."""
    return (
        *left_out(day.loaded),
        *_number_of_jobs(day),
        *_forecast_notes(day),
        *pue_notes(day.workspace.settings, day.workspace.origins),
        *run.solution.stats.messages,
        *_baselines(run, baselines),
        *day.loaded.notes,
    )


def left_out(loaded: LoadedJobs) -> Iterator[str]:
    """Manifests that could not be used, with what must be mended in each."""
    for error in loaded.broken:
        first, *others = error.findings
        yield f"left out a manifest: {first}"
        yield from (f"also {finding}" for finding in others)
        if error.more:
            more = counted(error.more, "more problem")
            yield f"and {more} in {first.path}"


def _number_of_jobs(day: Day) -> Iterator[str]:
    jobs = len(day.loaded.jobs)
    before = 0 if day.earlier_plan is None else day.earlier_plan.rows.num_rows
    if 0 < jobs < _SHRUNK * before:
        yield f"only {counted(jobs, 'job')}; the newest earlier plan had {before:,}"


def _forecast_notes(day: Day) -> Iterator[str]:
    yield from day.forecasts.notes


def _baselines(run: PolicyRun, baselines: Mapping[str, PolicyRun]) -> Iterator[str]:
    for name, policy in baselines.items():
        missing = policy.schedule.n_unplaced - run.schedule.n_unplaced
        if missing > 0:
            yield (
                f"{name} leaves out {missing:,} more jobs than this plan; "
                "emissions are compared over the jobs that both place"
            )
