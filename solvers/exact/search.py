"""One run: the best plan and bound so far, and engines that are not believed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from solvers.errors import SolverCheckError, SolverError
from solvers.evaluate import evaluate
from solvers.exact.answer import safe_bound, to_schedule, to_values, trivial_bound
from solvers.exact.earliest import settle_earliest
from solvers.exact.engine import Engine, EngineAnswer, EngineOptions, Outcome
from solvers.exact.model import Model, build_model
from solvers.exact.program import Program
from solvers.isolation import Limits, run_isolated
from solvers.problem import FloatArray, Problem
from solvers.progress import Progress, Report, joined
from solvers.solution import (
    Prices,
    Schedule,
    Solution,
    SolveOptions,
    Stats,
    relative_gap,
)
from solvers.verdict import broken_limits, contradicts, settle

logger = logging.getLogger(__name__)

SECOND_TRY = {"highs": "scip", "scip": "highs", "cp-sat": "highs", "cbc": "highs"}
"""Engine that takes over, without presolve, when the first one's answer is broken."""

_MARGIN_S = 1.0
"""Time beyond the limit after which an engine is stopped by force."""

_PROMPT = 0.85
"""Part of the time that an engine is told of: on a busy machine it ends late, and one
that must be stopped by force takes its plan and its bound with it."""

_START_S = 0.4
"""Time that a child needs to start, taken off the engine's own limit."""


@dataclass(slots=True)
class Search:
    """Best plan, best bound and what happened so far, for one problem.

    Every better plan or bound is told to ``report``, in the name of ``at_work``.
    """

    problem: Problem
    options: SolveOptions
    began: float
    report: Report | None = None
    at_work: str = ""
    best: Schedule | None = None
    objective: float = float("inf")
    bound: float | None = None
    engine: str = ""
    messages: list[str] = field(default_factory=list)
    found_by: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    prices: Prices | None = None

    def run(
        self, name: str, engine: Engine, find_engine: Callable[[str], Engine]
    ) -> None:
        """Try an engine, and once more with other settings if its answer is broken.

        Parameters
        ----------
        name, engine
            The engine to try first.
        find_engine
            Gives the one for the second try.
        """
        model = build_model(self.problem)
        self.take_bound(trivial_bound(model), source="the model")
        if not model.n_places:
            self.take_bound(self.objective, source="a model without places")
            return
        try:
            self._try(engine, model, cautious=False)
        except SolverError as error:
            self.say(f"{name}: {error}")
        else:
            return
        if self.is_done or self.remaining() < max(0.1 * self.options.time_limit_s, 0.2):
            return
        second = SECOND_TRY.get(name, "highs")
        try:
            self._try(find_engine(second), model, cautious=True)
            self.say(f"second try, with {second} and without presolve, went well")
        except SolverError as error:
            self.say(f"{second}, second try: {error}")

    def _try(self, call: Engine, model: Model, *, cautious: bool) -> None:
        start = None
        if self.start is not None:
            start = to_values(model, self.problem, self.start)
        answer = self._call(call, model.program, start, cautious=cautious)
        self.engine = answer.engine
        if answer.outcome is Outcome.INFEASIBLE:
            raise SolverCheckError(
                f"{answer.engine} claims that there is no plan, which is never true: "
                "every job may be left out"
            )
        if answer.values is None:
            self.say(f"{answer.engine} found no plan in the time given")
        else:
            self.offer(to_schedule(model, answer.values), source=answer.engine)
            self.settle_ties()
        self.take_bound(safe_bound(model, answer), source=answer.engine)

    def _call(
        self,
        call: Engine,
        program: Program,
        start: FloatArray | None,
        *,
        cautious: bool,
    ) -> EngineAnswer:
        isolate = bool(self.options.extra.get("isolate", True))
        remaining = self.remaining()
        engine_options = EngineOptions(
            gap=self.options.gap,
            time_limit_s=max(_PROMPT * (remaining - _START_S * isolate), 0.05),
            seed=self.options.seed,
            threads=self.options.threads,
            cautious=cautious,
        )
        if not isolate:
            return call(program, engine_options, start)
        time_limit_s = max(remaining, 0.5) + _MARGIN_S
        limits = Limits.within(time_limit_s, extra=self.options.extra)
        return run_isolated(call, program, engine_options, start, limits=limits)

    def offer(self, schedule: Schedule, *, source: str) -> None:
        """Take a schedule if it keeps all limits and is better than the best.

        Raises
        ------
        SolverCheckError
            If it breaks a limit.
        """
        broken = broken_limits(self.problem, schedule)
        if broken is not None:
            raise SolverCheckError(f"the plan of {source} is refused: {broken}")
        objective = evaluate(self.problem, schedule).objective
        if objective < self.objective:
            self.best, self.objective = schedule, objective
            self.hear(Progress(solver=self.at_work))

    def consider(self, schedule: Schedule, *, source: str) -> None:
        """Offer a schedule; a broken one becomes a message."""
        try:
            self.offer(schedule, source=source)
        except SolverError as error:
            self.say(f"{error}")

    def settle_ties(self) -> None:
        """Make the best schedule the earliest of those that cost the same."""
        if self.best is None:
            return
        settled = settle_earliest(
            self.problem, self.best, time_limit_s=max(self.remaining(), 0.1)
        )
        if broken_limits(self.problem, settled) is None:
            objective = evaluate(self.problem, settled).objective
            if objective <= self.objective:
                self.best, self.objective = settled, objective

    def take_bound(self, bound: float | None, *, source: str) -> None:
        """Take a proven bound if it is better than the best.

        Raises
        ------
        SolverCheckError
            If a valid plan is known that costs less.
        """
        if bound is None:
            return
        if self.best is not None and contradicts(self.problem, self.best, bound):
            raise SolverCheckError(
                f"{source} claims a bound of {bound:.6g}, but a valid plan costs "
                f"{self.objective:.6g}; the claim is dropped"
            )
        self.bound = bound if self.bound is None else max(self.bound, bound)
        self.hear(Progress(solver=self.at_work))

    def hear(self, part: Progress) -> None:
        """Tell on what a solver at work on this problem tells."""
        if self.report is None:
            return
        whole = Progress(
            solver=self.at_work,
            bound=self.bound,
            best=None if self.best is None else self.objective,
            seconds=self.options.time_limit_s - self.remaining(),
            time_limit_s=self.options.time_limit_s,
        )
        self.report(joined(part, whole))

    def say(self, message: str) -> None:
        """Remember and log what happened."""
        logger.info("%s", message)
        self.messages.append(message)

    @property
    def is_done(self) -> bool:
        """Whether the asked gap is proven, the time is up, or the user has enough."""
        if self.interrupted or self.remaining() <= 0:
            return True
        gap = relative_gap(self.objective, self.bound)
        return gap is not None and gap <= self.options.gap

    @property
    def start(self) -> Schedule | None:
        """Best schedule, as a start for a solver; None if it places nothing."""
        if self.best is None or self.best.n_unplaced == self.problem.n_jobs:
            return None
        return self.best

    def remaining(self) -> float:
        """Time left. [s]"""
        return self.options.time_limit_s - (time.perf_counter() - self.began)

    def interrupt(self) -> None:
        """Take note that the user wants the best plan now."""
        self.interrupted = True
        self.say("stopped by the user; this is the best plan so far")

    def solution(self, name: str) -> Solution:
        """What is known at the end."""
        stats = Stats(
            solver=name,
            engine=self.engine,
            seconds=time.perf_counter() - self.began,
            seed=self.options.seed,
            messages=tuple(self.messages),
            found_by=dict(self.found_by),
            interrupted=self.interrupted,
        )
        found = settle(
            self.problem,
            self.best,
            bound=self.bound,
            asked_gap=self.options.gap,
            stats=stats,
        )
        return replace(found, prices=self.prices)
