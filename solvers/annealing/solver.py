"""``annealing``: plans of small tight days, where the sun comes in lumps."""

from __future__ import annotations

from functools import partial
from threading import Event

from solvers.annealing.cooling import Climate, anneal
from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.improvement import first_plan
from solvers.job_columns import job_columns
from solvers.price.columns import limits
from solvers.price.crew import Crew, crew
from solvers.price.incumbent import Incumbent
from solvers.price.plan import Plan
from solvers.problem import Problem, within_reach
from solvers.progress import Report
from solvers.solution import UNPLACED, Schedule, Solution, SolveOptions, Stats
from solvers.verdict import settle
from solvers.versions import version_of

FIRST_SWEEPS = 1_000
"""Length of the first runs; twice as long after each round that found nothing."""

HEATS = (0.1, 0.03, 0.3, 1.0)
"""Temperatures at which runs begin, in turn, over the mean cost of a job."""

PATIENCE = 5
"""Rounds without a better plan after which there is no hope of one."""

_PROMPT = 0.9
"""Part of the time left that a last run is cut to: one cut off while hot is lost."""


class Annealing:
    """Simulated annealing over the places of all jobs, a run on each core.

    Starts from the hint, or from greedy's plan, and returns nothing worse. Each run
    begins with the best plan so far and another temperature; runs that find nothing
    are followed by runs twice as long, as slow cooling ends lower. It ends when
    nothing better comes or the time is up. Solar budgets of a day are not seen
    while it runs, only when its plans are priced. No bound is proven.
    """

    name = "annealing"

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        """Schedule the jobs; see ``solvers.solver.Solver``."""
        told = Event()
        best = Incumbent(
            gap=options.gap,
            time_limit_s=options.time_limit_s,
            report=progress,
            interrupted=told.is_set,
            name=self.name,
        )
        start = first_plan(problem, hint, options)
        best.offer_schedule(start, evaluate(problem, start).objective)
        with crew(options.threads) as team:
            try:
                _run(problem, climate_of(problem, start), options, best, team)
            except KeyboardInterrupt:
                told.set()  # the threads end their runs, and the crew waits for them
        stats = Stats(
            solver=self.name,
            engine=f"annealing (numba {version_of('numba')})",
            seconds=best.seconds,
            seed=options.seed,
            notes=(f"{best.iteration} rounds of {options.threads} runs",),
            interrupted=told.is_set(),
        )
        return settle(
            problem, best.schedule, bound=None, asked_gap=options.gap, stats=stats
        )


def _run(
    problem: Problem,
    climate: Climate | None,
    options: SolveOptions,
    best: Incumbent,
    team: Crew,
) -> None:
    """Rounds of runs until the time is up."""
    if climate is None:
        return
    sweeps, dry = FIRST_SWEEPS, 0
    while sweeps and dry < PATIENCE and not best.out_of_time():
        began, before = best.seconds, best.objective
        tasks = [
            partial(_attempt, climate, best, sweeps, best.iteration, core, options.seed)
            for core in range(options.threads)
        ]
        for plan in team.each(tasks):
            _offer(problem, plan, best)
        best.iteration += 1
        dry = dry + 1 if best.objective == before else 0
        pace = (best.seconds - began) / sweeps
        left = options.time_limit_s - best.seconds
        sweeps = min(sweeps * (2 if dry else 1), int(_PROMPT * left / pace))


def _attempt(
    climate: Climate, best: Incumbent, sweeps: int, n: int, core: int, seed: int
) -> Plan:
    """Run ``n`` of a core, from the best plan of all cores so far."""
    plan = Plan(climate.jobs, climate.limits, Crew(None))
    if best.schedule is not None:
        plan.adopt(best.schedule)
    anneal(
        climate,
        plan,
        hot=HEATS[(n + core) % len(HEATS)],
        sweeps=sweeps,
        seed=seed + 1_000_003 * n + 7919 * core,
        stop=best.out_of_time,
    )
    return plan


def _offer(problem: Problem, plan: Plan, best: Incumbent) -> None:
    schedule = plan.schedule()
    if not plan.overbooked.any() and not violations(problem, schedule):
        best.offer_schedule(schedule, evaluate(problem, schedule).objective)


def climate_of(problem: Problem, start: Schedule) -> Climate | None:
    """Climate of a problem, by a plan for it; None where nothing has a cost."""
    left_out = problem.jobs.unplaced_cost[start.region == UNPLACED].sum()
    cost = abs(evaluate(problem, start).objective - left_out)
    if not problem.n_jobs or cost <= 0.0:
        return None
    problem = within_reach(problem)
    return Climate(
        jobs=job_columns(problem.jobs),
        limits=limits(problem.places),
        mean_cost=cost / problem.n_jobs,
    )
