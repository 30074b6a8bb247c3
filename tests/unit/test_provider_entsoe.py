"""What ENTSO-E does in its own way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast, gather
from forecasts.bidding_zones import BIDDING_ZONES, BiddingZone
from forecasts.entsoe import parse
from forecasts.errors import ForecastError, ForecastFormatError
from forecasts.provider import Observations
from forecasts.series import Quality
from tests.drivers_live import Night, client_of
from tests.factories_forecast import grid_of, region_of, workspace_of
from tests.replay_price import (
    EIC,
    NO_DATA,
    PRICE_DAY,
    PRICE_SERVICES,
    acknowledgement,
    entsoe,
    period,
    points,
    publication,
    sequence,
    series,
)
from tests.replay_servers import Answer, Reply, Seen, redirect, replying, serving
from tests.replay_services import CANARY, NOW

SERVICE = next(s for s in PRICE_SERVICES if s.name == "entsoe")
ZONE = BiddingZone(name="DE-LU", eic=EIC)
DAY = timedelta(days=1)
START = datetime(2026, 11, 21, 23, tzinfo=UTC)
BERLIN = grid_of(timezone="Europe/Berlin")
XML = {"Content-Type": "application/xml"}


def read(*all_series: str, grid: Any = BERLIN) -> Observations:
    return parse(publication(*all_series), zone=ZONE, grid=grid)


def prices_of(observations: Observations, step_minutes: int) -> list[float]:
    """Values of a market day on equal steps, worked out without the planner."""
    assert observations.steps_us is not None
    starts = (observations.times_us // 60_000_000).tolist()
    ends = [
        start + step // 60_000_000
        for start, step in zip(starts, observations.steps_us.tolist(), strict=True)
    ]
    first = int(START.timestamp()) // 60
    found = []
    for minute in range(first, first + 1440, step_minutes):
        inside = [i for i, s in enumerate(starts) if s <= minute < ends[i]]
        assert len(inside) <= 1
        found.append(observations.values[inside[0]] if inside else np.nan)
    return found


def test_a03_repeats_the_last_price_inside_and_at_the_tail() -> None:
    values = {1: 91.2, 3: 88.0, 5: -3.5}
    quarters = prices_of(read(series(period(START, START + DAY, values))), 15)
    assert quarters == [91.2] * 2 + [88.0] * 2 + [-3.5] * 92


def test_a01_position_that_is_missing_is_a_hole() -> None:
    values = {i: float(i) for i in range(1, 25) if i != 7}
    hours = period(START, START + DAY, values, "PT60M")
    found = prices_of(read(series(hours, curve="A01")), 60)
    assert np.isnan(found[6])
    assert [p for p in found if p == p] == [float(v) for v in values.values()]


def test_a03_without_a_first_price_has_nothing_to_repeat() -> None:
    found = prices_of(read(series(period(START, START + DAY, {5: 10.0}))), 15)
    assert np.isnan(found[:4]).all()
    assert found[4:] == [10.0] * 92


@pytest.mark.parametrize(
    ("day", "count"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100)]
)
def test_market_day_has_as_many_quarter_hours_as_it_really_has(
    day: date, count: int
) -> None:
    grid = grid_of(day, timezone="Europe/Berlin", slot_minutes=15)
    values = {i: float(i) for i in range(1, count + 1)}
    body = publication(series(period(grid.start, grid.end, values), curve="A01"))
    read_ = parse(body, zone=ZONE, grid=grid)
    assert read_.values.tolist() == list(values.values())
    assert (read_.times_us == grid.starts_us()).all()


def test_series_in_two_resolutions_count_by_the_finer_and_fill_up_by_the_coarser() -> (
    None
):
    hourly = series(
        period(START, START + DAY, dict.fromkeys(range(1, 25), 60.0), "PT60M")
    )
    noon = START + timedelta(hours=12)
    quarters = series(period(noon, noon + timedelta(hours=2), {1: 15.0}))
    for order in ((hourly, quarters), (quarters, hourly)):
        read_ = read(*order)
        assert prices_of(read_, 15) == [60.0] * 48 + [15.0] * 8 + [60.0] * 40
        assert read_.notes == ("2 prices of overlapping series were left out",)


def test_series_that_stands_twice_is_taken_once_in_silence() -> None:
    one = series(period(START, START + DAY, {1: 91.2, 3: 88.0}))
    read_ = read(one, one)
    assert prices_of(read_, 15) == [91.2] * 2 + [88.0] * 94
    assert read_.notes == ()


def test_main_auction_counts_where_there_are_two() -> None:
    local = series(period(START, START + DAY, {1: 500.0}), extra=sequence(2))
    main = series(period(START, START + DAY, {1: 91.2}), extra=sequence(1))
    read_ = read(local, main)
    assert set(prices_of(read_, 15)) == {91.2}
    assert read_.notes == ("1 price series of other auctions were left out",)
    with pytest.raises(ForecastError, match="no day-ahead prices"):
        read(local)


def test_intraday_auction_is_no_day_ahead_price() -> None:
    kind = "<contract_MarketAgreement.type>A07</contract_MarketAgreement.type>"
    with pytest.raises(ForecastError, match="no day-ahead prices"):
        read(series(period(START, START + DAY, {1: 1.0}), extra=kind))


@pytest.mark.parametrize("status", [200, 400])
def test_tomorrow_before_the_auction_goes_to_the_next_in_the_chain(
    tmp_path: Path, status: int
) -> None:
    with serving(lambda _: Reply(acknowledgement(NO_DATA), status, XML)) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
    assert forecast.provider == "file"
    assert forecast.degraded
    assert "the prices of 2026-11-22 are not published yet" in forecast.notes[0]
    assert "No matching data found" in forecast.notes[0]


def test_answer_about_today_alone_is_no_price_of_tomorrow(tmp_path: Path) -> None:
    morning = NOW - timedelta(hours=10)
    with serving(entsoe(issued=morning)) as server:
        night = Night(tmp_path, SERVICE, server.url)
        forecast = night.forecast(now=morning)
        assert "not published yet" in forecast.notes[0]
        server.answer_with(entsoe())
        assert night.forecast().values == night.truth


@pytest.mark.parametrize("status", [200, 400])
def test_other_acknowledgement_is_quoted(tmp_path: Path, status: int) -> None:
    text = "The amount of requested data exceeds allowed limit <100>"
    with serving(lambda _: Reply(acknowledgement(text), status, XML)) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
    assert f"the service says: {text}" in forecast.notes[0]


def test_fc_18_answer_with_another_domain_is_refused() -> None:
    body = publication(series(period(START, START + DAY, {1: 1.0}), eic="10YFR"))
    assert parse(body, zone=ZONE, grid=BERLIN).place == "10YFR"


@pytest.mark.parametrize("currency", ["EUR", "BGN", "PLN"])
def test_fc_14_unit_is_that_of_the_document(currency: str) -> None:
    one = series(period(START, START + DAY, {1: 1.0}), currency=currency)
    assert read(one).unit == f"{currency}/MWh"


@pytest.mark.parametrize("units", [{"currency": ""}, {"energy": ""}, {"energy": "MAW"}])
def test_fc_14_missing_or_foreign_unit_is_refused(
    tmp_path: Path, units: dict[str, str]
) -> None:
    body = publication(series(period(START, START + 2 * DAY, {1: 1.0}), **units))
    with serving(lambda _: Reply(body, 200, XML)) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
    assert forecast.provider == "file"
    assert "unit" in forecast.notes[0]


def test_fc_14_two_currencies_in_one_answer_are_refused() -> None:
    halves = [(START, "EUR"), (START + DAY / 2, "BGN")]
    with pytest.raises(ForecastError, match="several units: BGN/MWh, EUR/MWh"):
        read(*(
            series(period(at, at + DAY / 2, {1: 1.0}), currency=currency)
            for at, currency in halves
        ))  # fmt: skip


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><Publication_MarketDocument>&b;
</Publication_MarketDocument>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<Publication_MarketDocument>&a;</Publication_MarketDocument>"""


@pytest.mark.parametrize("body", [ENTITIES, OUTSIDE])
def test_document_type_is_refused_before_any_entity_is_read(body: bytes) -> None:
    with pytest.raises(ForecastFormatError, match="a document type"):
        parse(body, zone=ZONE, grid=BERLIN)


@pytest.mark.parametrize(
    "body",
    [
        b"<a>" * 1000,
        b"<a>" + b"<b/>" * 300_000 + b"</a>",
        b"<a>" + b"x" * 100_000 + b"</a>",
        b"<a><b></a>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<GL_MarketDocument/>",
    ],
)
def test_xml_without_end_or_sense_is_refused(body: bytes) -> None:
    with pytest.raises(ForecastFormatError):
        parse(body, zone=ZONE, grid=BERLIN)


def test_few_bytes_that_state_endless_positions_are_refused() -> None:
    year = timedelta(days=365)
    many = [period(START, START + year, {1: 1.0}, "PT60M")] * 3
    with pytest.raises(ForecastFormatError, match="positions in all periods together"):
        read(series(*many))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.replace("<position>1<", "<position>0<"),
        lambda s: s.replace("<position>1<", "<position>97<"),
        lambda s: s.replace("<position>1<", "<position>x<"),
        lambda s: s.replace("1.5", "nan"),
        lambda s: s.replace("1.5", ""),
        lambda s: s.replace("1.5", "1,5"),
        lambda s: s.replace("PT15M", "PT0M"),
        lambda s: s.replace("PT15M", "P1Y"),
        lambda s: s.replace("2026-11-21T23:00Z", "2026-11-21T23:00"),
        lambda s: s.replace("2026-11-22T23:00Z", "2026-11-20T23:00Z"),
        lambda s: s.replace("</Point>", f"</Point>{points({1: 2.0})}"),
    ],
)  # fmt: skip
def test_value_that_cannot_be_is_named(change: Callable[[str], str]) -> None:
    good = series(period(START, START + DAY, {1: 1.5}))
    assert change(good) != good
    with pytest.raises(ForecastFormatError, match="answer of entsoe"):
        read(change(good))


def test_fc_17_token_in_the_query_is_sent_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with serving(entsoe()) as server:
        night = Night(tmp_path, SERVICE, server.url)
        forecasts = night.run()
        (seen,) = server.seen
    assert seen.query["securityToken"] == CANARY
    assert "securityToken=***" in caplog.text
    assert CANARY not in f"{caplog.text} {forecasts!r}"
    (kept,) = tmp_path.glob("outputs/cache/http/entsoe/DE-LU.price/*.json")
    assert "securityToken=***" in kept.read_text()
    assert CANARY not in kept.read_text()


def test_fc_17_token_is_not_sent_along_to_another_host(tmp_path: Path) -> None:
    with serving(entsoe()) as elsewhere, serving(entsoe()) as server:
        target = f"{elsewhere.url}/api?securityToken={CANARY}"
        server.misbehave(forever=redirect(target))
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
        assert not elsewhere.seen
    assert "redirects to another host" in forecast.notes[0]
    assert CANARY not in " ".join(forecast.notes)


def test_fc_17_token_that_a_redirect_puts_elsewhere_is_neither_sent_nor_shown(
    tmp_path: Path,
) -> None:
    with serving(entsoe()) as server:
        server.misbehave(forever=redirect(f"/moved/{CANARY}/api"))
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
        assert len(server.seen) == 1
    assert "a key in an odd place" in forecast.notes[0]
    assert CANARY not in " ".join(forecast.notes)


def test_fc_06_refused_token_is_neither_tried_again_nor_shown(tmp_path: Path) -> None:
    said = acknowledgement(f"Authentication failed for {CANARY}.")
    with serving(entsoe()) as server:
        server.misbehave(forever=replying(401, said, XML))
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
        assert len(server.seen) == 1
    assert "HTTP 401" in forecast.notes[0]
    assert CANARY not in " ".join(forecast.notes)


def test_token_goes_over_https_or_stays_on_this_machine(tmp_path: Path) -> None:
    forecast = Night(tmp_path, SERVICE, "http://192.0.2.1").forecast()
    assert "a key is only sent over https" in forecast.notes[0]


@pytest.mark.parametrize("zone", ["DE", "DE-LU", EIC, "LU"])
def test_zone_may_be_a_grid_a_bidding_zone_or_a_code(tmp_path: Path, zone: str) -> None:
    table = {"provider": "entsoe"}
    with serving(entsoe()) as server:
        table["base_url"] = server.url
        workspace = workspace_of(
            tmp_path,
            region_of(zone=zone),
            forecasts={"carbon": {"provider": "typical"}, "price": table},
        )
        given = SERVICE.environment
        forecasts = gather(
            workspace, grid_of(), now=NOW, environment=given, http=client_of()
        )
        (seen,) = server.seen
    assert forecasts.price is not None
    np.testing.assert_allclose(forecasts.price[0].values, PRICE_DAY, rtol=1e-12)
    assert seen.query["in_Domain"] == seen.query["out_Domain"] == EIC


def test_codes_of_all_bidding_zones_pass_their_own_check() -> None:
    """The last character of an EIC is a checksum over the first fifteen."""
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
    for zone in BIDDING_ZONES:
        total = sum(
            signs.index(sign) * (16 - i) for i, sign in enumerate(zone.eic[:15])
        )
        assert signs[36 - (total - 1) % 37] == zone.eic[15], zone
    names = [n for z in BIDDING_ZONES for n in (z.name, z.eic, *z.also)]
    assert len(names) == len(set(names))


def test_market_days_are_asked_for_in_utc(tmp_path: Path) -> None:
    with serving(entsoe()) as server:
        Night(tmp_path, SERVICE, server.url).forecast()
        (seen,) = server.seen
    assert seen.query["periodStart"] == "202611220000"
    assert seen.query["periodEnd"] == "202611230000"
    assert seen.headers["accept"] == "application/xml"


def last_hour(root: Path, answer: Answer) -> Forecast:
    with serving(answer) as server:
        return Night(root, SERVICE, server.url).forecast()


def test_hour_after_the_market_day_is_held_and_labelled(tmp_path: Path) -> None:
    forecast = last_hour(tmp_path, entsoe())
    assert np.flatnonzero(forecast.quality == Quality.FILLED).tolist() == [23]
    assert not forecast.degraded


def test_two_hours_after_the_market_day_are_a_hole(tmp_path: Path) -> None:
    good = entsoe()

    def short(seen: Seen) -> Reply:
        text = good(seen).data.decode()
        text = text.replace("2026-11-22T23:00Z</end>", "2026-11-22T22:00Z</end>")
        head, _, tail = text.rpartition("<Point><position>93<")
        return Reply((head + tail.partition("</Point>")[2]).encode(), 200, XML)

    forecast = last_hour(tmp_path, short)
    assert forecast.provider == "file"
    assert "no values from 2026-11-22T22:00" in forecast.notes[0]
