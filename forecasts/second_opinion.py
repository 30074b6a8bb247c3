"""Two sources that disagree: what the next one in the chain says of the same hours.

The second opinion is an extra. It is asked for when everything that must be had is
there, once and within a small share of the time for its host; without it the plan is
what it would have been. It never changes a value: it is no average, and no vote.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

from forecasts.begun import slots_begun
from forecasts.chain import Answer, Chain, ask_one, too_old
from forecasts.errors import ForecastError
from forecasts.own.nested import Corrector
from forecasts.provider import ForecastRequest, Provider
from forecasts.scoring.measures import JOB_HOURS, chosen_over_mean
from forecasts.series import FloatArray, Forecast, Quality

logger = logging.getLogger(__name__)

LEVEL_FACTOR = 2.0
"""Means further apart than this are no matter of how emissions are counted: average
production and traced consumption, direct and life cycle, stay within it on all 734
days of four grids for which both are published. Pounds read as kilograms do not."""

LEVEL_G_PER_KWH = 100.0
"""Distance of means below which even a large factor moves few kilograms: clean grids
differ by factors with the way of counting."""

TIMING = 0.05
"""How far above the mean the hours must lie that the other source calls cleanest. On
those 734 days both never did at once; under a day upside down they mostly do."""


def with_second_opinions(
    answers: Iterable[Answer], chain: Chain, requests: Iterable[ForecastRequest]
) -> list[Answer]:
    """Answers of a chain, those degraded with which the next source cannot agree.

    Parameters
    ----------
    answers
        About carbon, one for each request.
    chain
        Who gave them, and who could have.
    requests
        What was asked.
    """
    return [
        _judged(answer, chain, request)
        for answer, request in zip(answers, requests, strict=True)
    ]


def disagreement(used: Forecast, other: Forecast, *, begun: int = 0) -> str | None:
    """How two forecasts of one place contradict each other; None if they do not.

    They do if their means are more than ``LEVEL_FACTOR`` and ``LEVEL_G_PER_KWH``
    apart; or if the four hours that either calls cleanest are, for the other, more
    than ``TIMING`` above the mean.

    Parameters
    ----------
    used, other
        On the same slots.
    begun
        Slots from the first that are over and count no more.
    """
    one, two = used.values[begun:], other.values[begun:]
    cells = round(JOB_HOURS * 3600 / used.grid.step.total_seconds())
    if not len(one):
        return None
    means = sorted((float(one.mean()), float(two.mean())))
    who = f"{used.provider} and {other.provider} are far apart"
    if means[1] > LEVEL_FACTOR * means[0] and means[1] - means[0] > LEVEL_G_PER_KWH:
        return f"{who}: means of {one.mean():.0f} and {two.mean():.0f} g/kWh"
    if len(one) < 2 * cells:
        return None
    above = [_above(two, one, cells), _above(one, two, cells)]
    if min(above) <= TIMING:
        return None
    return (
        f"{who} on when: the {JOB_HOURS:g} h that one calls cleanest are "
        f"{above[0]:.0%} and {above[1]:.0%} above the mean for the other"
    )


def _above(actual: FloatArray, trusted: FloatArray, cells: int) -> float:
    return float(chosen_over_mean(actual[None], trusted[None], cells=cells)[0]) - 1


def _judged(answer: Answer, chain: Chain, request: ForecastRequest) -> Answer:
    forecast = answer.forecast
    other = _second(chain, forecast, request)
    if other is None or other.signal is not forecast.signal:
        return answer
    begun = slots_begun(request.grid, request.now)
    found = disagreement(forecast, other, begun=begun)
    if found is None:
        return answer
    note = (
        f"{found}; {forecast.provider} was used, as it comes first; is the zone or "
        "the unit of one of them wrong?"
    )
    notes = (*forecast.notes, note)
    return replace(answer, forecast=replace(forecast, degraded=True, notes=notes))


def _second(chain: Chain, used: Forecast, request: ForecastRequest) -> Forecast | None:
    """What the next source of its own says, if it is to be had with ease."""
    provider = next(_others(chain, used.provider), None)
    if provider is None or Quality.TYPICAL in used.quality:
        return None
    try:
        easy = replace(request, sparing=True, extras=False)
        told = ask_one(provider, easy, chain.table).forecast
    except ForecastError as error:
        logger.info("%s: no second opinion: %s", provider.name, error)
        return None
    if told.degraded or too_old(told, request, chain.table.max_age):
        return None
    return told


def _others(chain: Chain, used: str) -> Iterator[Provider]:
    """Those after the one that was used who observe a grid themselves."""
    # these bring pyarrow along, which most commands do without
    from forecasts.file import FileOptions
    from forecasts.live import LiveOptions

    names = [provider.name for provider in chain.providers]
    at = names.index(used)
    known = {source.name for source in _sources(chain.providers[at])}
    for provider in chain.providers[at + 1 :]:
        observes = issubclass(provider.Options, (LiveOptions, FileOptions))
        if observes and provider.name not in known:
            yield provider


def _sources(provider: Provider) -> Iterator[Provider]:
    """A provider and all that it corrects."""
    yield provider
    while isinstance(provider, Corrector):
        provider = provider.source
        yield provider
