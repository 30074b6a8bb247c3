"""FC-18, two sources disagree: told, degraded, never mixed, and never in the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast, ForecastSet, gather
from forecasts.http.limits import Limits
from forecasts.second_opinion import disagreement
from forecasts.series import Signal
from inputs.settings import Region
from tests.drivers_live import BY_NAME, DAY, Waits, changed, client_of
from tests.factories_forecast import (
    carbon_csv,
    grid_of,
    observations_of,
    prepared,
    region_of,
    workspace_of,
)
from tests.replay_measured import remembering
from tests.replay_servers import (
    Fault,
    ReplayServer,
    Reply,
    drip_body,
    hang,
    page,
    replying,
    reset,
    serving,
)
from tests.replay_services import GRID, NOW

FIRST, SECOND = BY_NAME["electricity_maps"], BY_NAME["energy_charts"]
MARGINAL = BY_NAME["watttime"]
of = pytest.mark.parametrize


@dataclass
class Pair:
    """A first provider and one that could stand in for it, both on loopback."""

    root: Path
    first: ReplayServer
    second: ReplayServer
    other: str = SECOND.name
    waits: Waits = field(default_factory=Waits)

    def run(
        self,
        *regions: Region,
        limits: Limits | None = None,
        hours: float = 0,
        own: dict[str, Any] | None = None,
        **settings: Any,
    ) -> ForecastSet:
        table = {
            "provider": FIRST.name,
            "fallback": [self.other, "typical"],
            FIRST.name: {"base_url": self.first.url},
            **settings,
        }
        if self.other in table["fallback"] or self.other == table["provider"]:
            table[self.other] = {"base_url": self.second.url, **(own or {})}
        workspace = workspace_of(
            self.root, *(regions or (region_of(zone="DE"),)),
            forecasts={"carbon": table},
        )  # fmt: skip
        given = {**FIRST.environment, **MARGINAL.environment}
        now = NOW + timedelta(hours=hours)
        client = client_of(
            self.waits, now=now, environment=given, limits=limits or Limits(),
            memory=workspace.outputs / "cool_downs",
        )  # fmt: skip
        return gather(workspace, GRID, now=now, environment=given, http=client)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with serving(FIRST.answer()) as first, serving(SECOND.answer()) as second:
        yield Pair(tmp_path, first, second)


def upside_down(body: Any) -> Any:
    """The same mean, cleanest where it was dirtiest."""
    for key in ("co2eq", "co2eq_forecast"):
        known = [value for value in body[key] if value is not None]
        ends = min(known, default=0) + max(known, default=0)
        body[key] = [None if v is None else ends - v for v in body[key]]
    return body


def test_fc_18_two_that_agree_are_both_asked_and_say_no_more(pair: Pair) -> None:
    found = pair.run()
    assert not found.degraded
    assert found.carbon[0].provider == FIRST.name
    assert len(pair.second.seen) == 1


@of("scale", [2.2046, 0.45359, 3.0, 0.1])
def test_fc_18_means_far_apart_are_degraded_and_name_both(
    pair: Pair, scale: float
) -> None:
    pair.second.answer_with(SECOND.answer(scale=scale))
    found = pair.run()
    (forecast,) = found.carbon
    assert found.degraded
    assert forecast.degraded
    note = next(note for note in found.notes if "far apart" in note)
    assert note.startswith("carbon, here: electricity_maps and energy_charts are far")
    assert f"{DAY.mean():.0f} and {scale * DAY.mean():.0f} g/kWh" in note
    assert forecast.provider == FIRST.name


def test_fc_18_values_are_those_of_the_first_and_no_average(pair: Pair) -> None:
    alone = pair.run(second_opinion=False).carbon[0].values
    pair.second.answer_with(SECOND.answer(scale=3.0))
    found = pair.run(refresh="0m").carbon[0].values
    np.testing.assert_array_equal(found, alone)
    assert pair.run(refresh="0m").degraded


def test_fc_18_day_that_is_upside_down_for_the_other_is_degraded(pair: Pair) -> None:
    pair.second.answer_with(changed(SECOND.answer(), upside_down))
    (forecast,) = pair.run().carbon
    assert forecast.degraded
    (note,) = forecast.notes
    assert "far apart on when: the 4 h that one calls cleanest are" in note


@of("scale", [1.9, 0.55])
def test_other_ways_of_counting_are_no_disagreement(pair: Pair, scale: float) -> None:
    pair.second.answer_with(SECOND.answer(scale=scale))
    assert not pair.run().degraded


def test_setting_leaves_the_other_alone(pair: Pair) -> None:
    pair.second.answer_with(SECOND.answer(scale=3.0))
    assert not pair.run(second_opinion=False).degraded
    assert not pair.second.seen


@of("scale", [1.0, 3.0])
def test_average_is_not_compared_with_marginal(pair: Pair, scale: float) -> None:
    pair.second.answer_with(MARGINAL.answer(scale=scale))
    pair.other = MARGINAL.name
    found = pair.run(own={"zones": {"DE": MARGINAL.zone}})
    assert not found.degraded
    assert found.signal is Signal.AVERAGE
    assert len(pair.second.seen) == 2  # a login, and the question


FAULTS = [
    hang, drip_body, reset, page("text/html"), replying(500), replying(403),
    replying(429, headers={"Retry-After": "3600"}), replying(200, {}),
    replying(200, b"["), replying(204, b""),
]  # fmt: skip


@of("fault", FAULTS, ids=range(len(FAULTS)))
def test_fc_18_second_that_fails_neither_delays_nor_degrades(
    pair: Pair, fault: Fault
) -> None:
    pair.second.misbehave(forever=fault)
    regions = [region_of(name, zone="DE") for name in "abc"]
    begun = time.monotonic()
    found = pair.run(*regions, limits=Limits(answer_s=20.0, total_s=3.0))
    assert time.monotonic() - begun < 2.5  # a sixth of 3 s, for all regions together
    assert not found.degraded
    assert not pair.waits.slept
    asked = len(pair.second.seen)
    # only what comes whole, and cannot be read, lets another region ask
    assert asked == (3 if FAULTS.index(fault) >= len(FAULTS) - 3 else 1)
    pair.second.misbehave()
    assert not pair.run(hours=0.6).degraded
    assert len(pair.second.seen) > asked  # the host does not rest


def test_old_answer_that_would_stand_in_is_no_opinion(pair: Pair) -> None:
    pair.second.answer_with(SECOND.answer(scale=3.0))
    assert pair.run().degraded
    pair.second.misbehave(forever=replying(500))
    assert not pair.run(hours=2).degraded


def test_opinion_that_is_too_old_does_not_count(pair: Pair) -> None:
    with serving(FIRST.answer(scale=3.0, made=NOW - timedelta(hours=30))) as old:
        pair.second.answer_with(SECOND.answer())
        found = pair.run(
            provider=SECOND.name, fallback=[FIRST.name], max_age="12h",
            **{FIRST.name: {"base_url": old.url}},
        )  # fmt: skip
        assert old.seen
    assert not found.degraded


def test_service_that_must_be_asked_for_one_region_is_asked_for_that_first(
    pair: Pair,
) -> None:
    good = FIRST.answer()
    pair.first.answer_with(
        lambda seen: good(seen) if seen.query["zone"] == "DE" else Reply({}, 404)
    )
    regions = (region_of("a", zone="DE"), region_of("b", zone="FR"))
    found = pair.run(*regions)
    assert [f.provider for f in found.carbon] == [FIRST.name, SECOND.name]
    assert [f.degraded for f in found.carbon] == [False, True]
    assert [seen.query["country"] for seen in pair.second.seen] == ["fr", "de"]


def test_file_may_be_the_second_and_its_rows_are_not_used(pair: Pair) -> None:
    carbon_csv(pair.root / "c.csv", 3 * DAY)
    found = pair.run(fallback=["file"], path="c.csv")
    assert found.degraded
    assert "electricity_maps and file are far apart" in found.notes[-1]
    assert found.files == ()


def test_correction_of_a_service_is_compared_with_another_and_not_with_that_service(
    pair: Pair,
) -> None:
    carbon_csv(pair.root / "h.csv", DAY, grid=grid_of(GRID.date - timedelta(days=1)))
    pair.second.answer_with(SECOND.answer(scale=3.0))
    found = pair.run(
        provider="blend", fallback=[FIRST.name, SECOND.name], history="h.csv",
        blend={"source": {"provider": FIRST.name, "base_url": pair.first.url}},
    )  # fmt: skip
    assert any("blend and energy_charts are far apart" in note for note in found.notes)


def test_source_is_not_compared_with_a_correction_of_itself(pair: Pair) -> None:
    carbon_csv(pair.root / "h.csv", DAY, grid=grid_of(GRID.date - timedelta(days=1)))
    pair.run(
        fallback=["blend"], history="h.csv",
        blend={"source": {"provider": FIRST.name, "base_url": pair.first.url}},
    )  # fmt: skip
    assert len(pair.first.seen) == 1


def test_hours_that_are_over_do_not_count(tmp_path: Path) -> None:
    noon = GRID.start + timedelta(hours=12)

    def morning_is_wild(body: Any) -> Any:
        for key in ("co2eq", "co2eq_forecast"):
            body[key] = [
                v and (9 * v if at < noon.timestamp() else v)
                for v, at in zip(body[key], body["unix_seconds"], strict=True)
            ]
        return body

    wild = changed(SECOND.answer(issued=noon), morning_is_wild)
    with serving(remembering(FIRST, noon)) as one, serving(wild) as two:
        found = Pair(tmp_path, one, two).run(hours=18)
        assert two.seen
    assert not found.degraded


# The rule itself


def said(values: Any, provider: str, **grid: int) -> Forecast:
    told = prepared(observations_of(values))
    return replace(told, provider=provider)


def flat_but(hours: dict[int, float], level: float = 300.0) -> np.ndarray:
    values = np.full(24, level)
    for hour, value in hours.items():
        values[hour] = value
    return values


@of(
    ("one", "two", "apart"),
    [
        (300, 601, True), (300, 600, False), (601, 300, True), (30, 129, False),
        (30, 131, True), (99, 199, False), (10, 100, False), (1900, 950, False),
    ],
)  # fmt: skip
def test_level_needs_a_factor_of_two_and_100_g(
    one: float, two: float, apart: bool
) -> None:
    told = disagreement(said([one] * 24, "a"), said([two] * 24, "b"))
    assert (told is not None) == apart


def test_timing_needs_both_to_call_the_choice_of_the_other_dirty() -> None:
    night = dict.fromkeys(range(4), 200.0)
    noon = dict.fromkeys(range(10, 14), 200.0)
    dirty_noon = {**night, **dict.fromkeys(range(10, 14), 400.0)}
    dirty_night = {**noon, **dict.fromkeys(range(4), 400.0)}
    one, two = said(flat_but(dirty_noon), "a"), said(flat_but(dirty_night), "b")
    told = disagreement(one, two)
    assert told is not None
    assert "are 33% and 33% above the mean for the other" in told
    mild = dict.fromkeys(noon, 250.0)
    assert disagreement(one, said(flat_but(mild), "b")) is None
    assert disagreement(one, two, begun=17) is None
    assert disagreement(one, two, begun=24) is None
