"""What services measured of time that is over: an extra that any of them may lack."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from forecasts.begun import part_of
from forecasts.checks import says_nothing, without_false_zeros
from forecasts.errors import ForecastError
from forecasts.http.answers import Answers, KeptAnswer
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Get, Question, nothing_said
from forecasts.series import Series
from forecasts.shelf import shelf_name

logger = logging.getLogger(__name__)


def read_measured(
    question: Question, answer: KeptAnswer, request: ForecastRequest
) -> Observations:
    """Values of intervals that are over, of the time that was asked for.

    Parameters
    ----------
    question
        What was asked.
    answer
        What came.
    request
        Its grid is the time asked about, its region the place.

    Raises
    ------
    ForecastError
        If the answer cannot be read, is about another zone or says nothing.
    """
    read = question.read(answer.body, answer.fetched_at)
    grid = request.grid
    starts = read.times_us
    ends = starts + (0 if read.steps_us is None else read.steps_us)
    rows = (starts >= grid.start_us) & (starts < grid.end_us) & (ends <= grid.end_us)
    values = read.values[rows]
    if read.series is Series.CARBON:
        order = np.argsort(starts[rows], kind="stable")
        values[order], _ = without_false_zeros(values[order])
    if says_nothing(values, request):
        raise nothing_said()
    return replace(
        read,
        place=request.region.name,
        times_us=starts[rows],
        values=values,
        steps_us=None if read.steps_us is None else read.steps_us[rows],
        issued_at=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursOver:
    """The extra question about the hours of a horizon that are over already.

    Parameters
    ----------
    provider
        Registered name.
    question
        Asks about them.
    request
        Its grid is those hours alone.
    refresh
        An answer younger than this is not asked for again.
    """

    provider: str
    question: Question
    request: ForecastRequest
    refresh: timedelta

    def measured(self, get: Get) -> tuple[Observations, ...]:
        """What was measured, or nothing: the plan does without if need be."""
        kept = self._fresh()
        try:
            answer = kept or self._asked(get)
            told = read_measured(self.question, answer, self.request)
        except ForecastError as error:
            logger.info("%s: no measured values: %s", self.provider, error)
            return ()
        return (told,)

    def _asked(self, get: Get) -> KeptAnswer:
        body = self.question.sent(get).body
        now = self.request.now
        if (answers := self._answers()) is not None:
            with suppress(OSError):  # an extra; that the disk is full is told elsewhere
                answers.keep(self.question.http, body, fetched_at=now)
        return KeptAnswer(body=body, fetched_at=now)

    def _fresh(self) -> KeptAnswer | None:
        answers = self._answers()
        kept = answers.same(self.question.http) if answers else None
        if kept is None:
            return None
        age = self.request.now - kept.fetched_at
        return kept if timedelta(0) <= age < self.refresh else None

    def _answers(self) -> Answers | None:
        """Apart from the forecasts: no such answer may stand in for one of those."""
        if self.request.outputs is None:
            return None
        name = f"{shelf_name(self.question.zone, self.request.series)}.measured"
        own = Path(self.provider) / name
        return Answers(folder=self.request.outputs / "cache" / "http" / own)


def about_slots_over(request: ForecastRequest) -> ForecastRequest | None:
    """The same request about the slots that have ended; None if none has."""
    grid = request.grid
    ended = min((request.now - grid.start) // grid.step, grid.n_slots)
    return replace(request, grid=part_of(grid, 0, ended)) if ended > 0 else None


def tells_whole_past(said: Observations, request: ForecastRequest) -> bool:
    """Whether a forecast speaks of the horizon from its beginning on."""
    known = said.times_us[np.isfinite(said.values)]
    return bool(len(known)) and int(known.min()) <= request.grid.start_us
