"""The price engine: prices, wishes, sweeps, repair; near-optimal at any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.greedy import Greedy, turns
from solvers.job_columns import JobColumns, job_columns
from solvers.price.bands import Bands, gumbel_noise
from solvers.price.bound import bound_at
from solvers.price.chains import make_room
from solvers.price.columns import Limits, limits
from solvers.price.crew import Crew, crew
from solvers.price.duals import Ground, Point, budget_price, choices_at, dual_value
from solvers.price.incumbent import Incumbent, objective_of
from solvers.price.plan import Plan
from solvers.price.prices import Level, Pricer, full_level, levels
from solvers.price.rounds import Course, close, earlier, learn, polish, repair
from solvers.price.shadow import prices_at
from solvers.price.tidy import tidied
from solvers.problem import Problem, within_reach
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions, Stats
from solvers.verdict import settle
from solvers.versions import version_of

_SMALL = 20_000
"""Jobs below which whole rounds run side by side instead of parts of a sweep."""
_GREEDY = 1_000
"""Jobs up to which the greedy policy itself is the plan to beat; beyond, compiled."""
_FEW = 3_000
"""Jobs below which rounding the wishes costs much, and annealing wins some back."""
_TINY = 50
"""Jobs below which a few rounds find all that rounds can find."""
_TIDY = 200_000
"""Jobs up to which ties are settled and equal jobs put in order."""
_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Price:
    """Near-optimal schedules of 1 to 10,000,000 jobs with a proven gap."""

    name: str = "price"

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Solution:
        """Schedule the jobs of a problem.

        Parameters
        ----------
        problem, options, hint, progress
            As every solver takes them; the hint is a plan to beat.
        stop
            Asked between passes; true ends the solve with the best so far.
        """
        incumbent = Incumbent(
            gap=options.gap,
            time_limit_s=options.time_limit_s,
            report=progress,
            interrupted=stop,
        )
        with crew(options.threads) as team:
            search = _Search(problem, options, incumbent, team)
            ended_early = False
            try:
                search.run(hint)
            except KeyboardInterrupt:
                ended_early = True
            return search.solution(self.name, interrupted=ended_early)


class _Search:
    """One solve: what is known of the problem and the best answer so far."""

    def __init__(
        self, problem: Problem, options: SolveOptions, incumbent: Incumbent, team: Crew
    ) -> None:
        problem = within_reach(problem)
        self._problem, self._options = problem, options
        self._incumbent, self._crew = incumbent, team
        self._jobs: JobColumns = job_columns(problem.jobs)
        self._limits: Limits = limits(problem.places)
        self._ground = Ground.of(problem)
        self._pricer = Pricer(
            problem, self._ground, self._jobs, crew=team, seed=options.seed
        )
        self._proof: Point = self._pricer.point
        self._sweeps = 0

    def run(self, hint: Schedule | None) -> None:
        """Improve until the gap, the time or the ideas run out."""
        best = self._incumbent
        if not self._problem.n_jobs:
            best.offer_bound(0.0)
            return
        self._start(hint)
        for level in levels(self._problem.n_jobs):
            if best.out_of_time(0.5):
                break
            self._climb(level)
        dry, patience = 0, 2 if self._problem.n_jobs < _TINY else 6
        for n in range(_ROUNDS):
            if best.good_enough or best.out_of_time(0.8) or dry > patience:
                break
            dry = 0 if self._round(n) else dry + 1
            if n < 2 and not best.good_enough and not best.out_of_time(0.5):
                self._climb(full_level(self._problem.n_jobs))

    def _start(self, hint: Schedule | None) -> None:
        """Have a bound and a plan before anything else: greedy's, or the hint."""
        self._prove(self._pricer.point)
        if hint is not None and not violations(self._problem, hint):
            self._incumbent.offer_schedule(
                hint, evaluate(self._problem, hint).objective
            )
        if self._problem.n_jobs <= _GREEDY:
            greedy = Greedy().solve(self._problem, self._options)
            if greedy.schedule is not None and greedy.objective is not None:
                self._incumbent.offer_schedule(greedy.schedule, greedy.objective)
            return
        plan = self._plan(self._crew)
        terms = self._bands().terms(0.0, np.zeros(self._limits.capacity.shape))
        plan.sweep(turns(self._problem), terms, fit=True, heat=0.0, seed=0)
        make_room(plan, terms, stop=lambda: self._incumbent.out_of_time(0.5))
        self._offer(plan)

    def _climb(self, level: Level) -> None:
        """Better prices, and the bound that they prove."""
        self._pricer.climb(level, lambda: self._incumbent.out_of_time(0.5))
        self._incumbent.iteration += level.rounds
        if level.jobs < self._problem.n_jobs:
            return
        self._prove(self._pricer.point)

    def _round(self, n: int) -> bool:
        """Plans from the prices' wishes; whether one is better than the best."""
        parts, seed = self._options.threads, self._options.seed + 10 * n
        if self._problem.n_jobs >= _SMALL or parts == 1:
            return self._keep([self._attempt(n, seed, self._crew)])
        alone = Crew(None)
        tasks = [partial(self._attempt, n, seed + part, alone) for part in range(parts)]
        return self._keep(self._crew.each(tasks))

    def _attempt(self, n: int, seed: int, team: Crew) -> tuple[Plan, Point]:
        """One plan that keeps every limit, and the prices that led to it."""
        best, bands = self._incumbent, self._bands()
        n_jobs = self._problem.n_jobs
        course = course_for(n_jobs, n)
        plan = self._plan(team)
        plan.adopt(choices_at(self._ground, self._jobs, bands.point, team))
        mean = self._pricer.mean_cost

        def value(point: Point) -> float:
            return dual_value(self._ground, self._jobs, point, team).value

        def late() -> bool:
            return best.out_of_time(0.8)

        bands = learn(plan, bands, course, value=value, seed=seed, stop=late)
        if n_jobs >= _SMALL:
            self._prove(bands.point)
        close(plan, bands, course, mean=mean, seed=seed, stop=late)
        repair(plan, bands, seed=seed, stop=lambda: best.out_of_time(0.95))
        if not best.would_do(objective_of(self._problem, plan)):
            polish(plan, bands, course, mean=mean, seed=seed, stop=best.out_of_time)
        self._sweeps += course.learn + course.close + course.polish
        return plan, bands.point

    def _keep(self, attempts: list[tuple[Plan, Point]]) -> bool:
        """Offer what attempts found; whether one of the plans is the best."""
        for _, point in attempts:
            self._prove(point)
        return any([self._offer(plan) for plan, _ in attempts])  # noqa: C419, each is offered

    def _prove(self, point: Point) -> None:
        """Offer the bound that prices prove, and go on from them if it is new."""
        bound = bound_at(self._ground, self._jobs, point, self._crew)
        if self._incumbent.offer_bound(bound):
            self._proof = self._pricer.point = point

    def _offer(self, plan: Plan) -> bool:
        self._incumbent.iteration += 1
        if plan.overbooked.any():
            return False
        objective = objective_of(self._problem, plan)
        best = self._incumbent.objective
        if best is not None and objective >= best:
            return False
        return self._incumbent.offer_schedule(plan.schedule(), objective)

    def _plan(self, team: Crew) -> Plan:
        parts = 1 if self._problem.n_jobs < _SMALL else self._options.threads
        return Plan(self._jobs, self._limits, team, parts)

    def _bands(self) -> Bands:
        point = self._pricer.point
        budget = budget_price(self._problem.places, point.energy)
        return Bands(
            limits=self._limits,
            point=point,
            solar_price=np.take(budget, self._problem.places.day, axis=1),
            least_penalty=0.1 * self._pricer.units.capacity,
            noise=gumbel_noise(self._problem.places.n_slots, self._options.seed),
        )

    def solution(self, name: str, *, interrupted: bool = False) -> Solution:
        """Answer, priced by ``evaluate``."""
        best = self._incumbent
        schedule = best.schedule or Schedule.empty(self._problem.n_jobs)
        if self._problem.n_jobs <= _TIDY:
            schedule = tidied(self._problem, self._earliest(schedule))
        stats = Stats(
            solver=name,
            engine=f"price (numba {version_of('numba')})",
            seconds=best.seconds,
            seed=self._options.seed,
            notes=(
                f"{self._pricer.rounds} passes for the prices, "
                f"{self._sweeps} sweeps for the plan",
            ),
            interrupted=interrupted,
        )
        asked = self._options.gap
        found = settle(
            self._problem, schedule, bound=best.bound, asked_gap=asked, stats=stats
        )
        return replace(found, prices=prices_at(self._ground, self._proof))

    def _earliest(self, schedule: Schedule) -> Schedule:
        """The same objective or less, with ties gone to the earliest start."""
        plan = self._plan(self._crew)
        plan.adopt(schedule)
        before = objective_of(self._problem, plan)
        earlier(plan, self._bands(), stop=self._incumbent.out_of_time)
        after = objective_of(self._problem, plan)
        worse = after > before + 1e-12 * abs(before)
        return schedule if worse or plan.overbooked.any() else plan.schedule()


def course_for(n_jobs: int, n: int) -> Course:
    """Course of round ``n``: fewer sweeps the more jobs there are."""
    sweeps = int(np.clip(600 / max(1, n_jobs) ** 0.4, 3, 60)) * 2 ** min(n, 3)
    if n_jobs >= _SMALL:
        return Course(learn=sweeps, close=sweeps)
    anneal = 2 * sweeps if n_jobs < _FEW else 0
    return Course(learn=sweeps, close=2 * sweeps, hot=3e-4, cool=3e-5, anneal=anneal)
