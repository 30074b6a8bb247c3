"""What each price service documents, spoken about one true series of prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import numpy as np

from forecasts.series import Series
from tests.factories_forecast import day_values
from tests.replay_servers import Reply, Seen
from tests.replay_services import CANARY, Service, Story, steps, telling, z

EIC = "10Y1001A1001A82H"
OTHER_EIC = "10YFR-RTE------C"
PRICES = np.round(day_values(48, seed=7) / 4 - 25, 2)
"""Price of each hour from ``MARKET_DAY`` on, some below zero. [EUR/MWh]"""

MARKET_DAY = datetime(2026, 11, 20, 23, tzinfo=UTC)
PRICE_DAY = np.append(PRICES[25:48], PRICES[47]) / 1000
"""What every service says of the planned day, the last hour held. [EUR/kWh]"""

NO_DATA = "No matching data found for Data item Energy Prices [12.1.D]"
ZERO = timedelta(0)


def price_at(instant: datetime) -> float:
    hour = (instant - MARKET_DAY) // timedelta(hours=1)
    return float(PRICES[hour % 48])


def auctioned_until(issued: datetime) -> datetime:
    """End of the last market day that is known at an instant."""
    midnight = issued.replace(hour=23, minute=0)
    tomorrow = timedelta(days=1) if issued.hour >= 12 else ZERO
    return midnight + tomorrow


def acknowledgement(text: str, code: str = "999") -> bytes:
    namespace = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:8:1"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Acknowledgement_MarketDocument xmlns="{namespace}">'
        "<mRID>x</mRID><createdDateTime>2026-11-21T18:00:00Z</createdDateTime>"
        f"<Reason><code>{code}</code><text>{escape(text)}</text></Reason>"
        "</Acknowledgement_MarketDocument>"
    ).encode()


def points(values: dict[int, float]) -> str:
    return "".join(
        f"<Point><position>{position}</position>"
        f"<price.amount>{value!r}</price.amount></Point>"
        for position, value in values.items()
    )


def period(
    start: datetime, end: datetime, values: dict[int, float], resolution: str = "PT15M"
) -> str:
    return (
        f"<Period><timeInterval><start>{start:%Y-%m-%dT%H:%MZ}</start>"
        f"<end>{end:%Y-%m-%dT%H:%MZ}</end></timeInterval>"
        f"<resolution>{resolution}</resolution>{points(values)}</Period>"
    )


def series(
    *periods: str,
    eic: str = EIC,
    curve: str = "A03",
    currency: str = "EUR",
    energy: str = "MWH",
    extra: str = "",
) -> str:
    return (
        "<TimeSeries><mRID>1</mRID><auction.type>A01</auction.type>"
        "<businessType>A62</businessType>"
        f'<in_Domain.mRID codingScheme="A01">{eic}</in_Domain.mRID>'
        f'<out_Domain.mRID codingScheme="A01">{eic}</out_Domain.mRID>{extra}'
        f"<currency_Unit.name>{currency}</currency_Unit.name>"
        f"<price_Measure_Unit.name>{energy}</price_Measure_Unit.name>"
        f"<curveType>{curve}</curveType>{''.join(periods)}</TimeSeries>"
    )


def sequence(position: int) -> str:
    name = "classificationSequence_AttributeInstanceComponent.position"
    return f"<{name}>{position}</{name}>"


def publication(*all_series: str) -> bytes:
    namespace = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Publication_MarketDocument xmlns="{namespace}"><mRID>a</mRID>'
        "<type>A44</type><createdDateTime>2026-11-21T18:00:00Z</createdDateTime>"
        f"{''.join(all_series)}</Publication_MarketDocument>"
    ).encode()


def blocks(start: datetime, end: datetime, scale: float) -> str:
    """A market day of quarter-hours in which repeated values are left out."""
    hours = steps(start, end, 60)
    return period(
        start, end, {4 * i + 1: scale * price_at(at) for i, at in enumerate(hours)}
    )


@telling
def entsoe(seen: Seen, story: Story) -> Reply:
    xml = {"Content-Type": "application/xml"}

    if seen.query.get("securityToken") != CANARY:
        return Reply(acknowledgement("Authentication failed."), 401, xml)
    if seen.path != "/api" or seen.query["documentType"] != "A44":
        return Reply(acknowledgement("not valid"), 400, xml)
    first, end = (
        datetime.strptime(seen.query[key], "%Y%m%d%H%M").replace(tzinfo=UTC)
        for key in ("periodStart", "periodEnd")
    )
    day = timedelta(days=1)
    start = first.replace(hour=23, minute=0) - (day if first.hour < 23 else ZERO)
    days = list(steps(start, min(end, auctioned_until(story.issued)), 24 * 60))
    if not days:
        return Reply(acknowledgement(NO_DATA), 200, xml)
    eic = story.zone or seen.query["in_Domain"]
    body = publication(
        *(series(blocks(one, one + day, story.scale), eic=eic) for one in days)
    )
    return Reply(body, 200, xml)


@telling
def energy_charts_price(seen: Seen, story: Story) -> Reply:
    if seen.path != "/price" or seen.query["bzn"] != "DE-LU":
        return Reply({"detail": []}, 422)
    start, end = (
        datetime.fromtimestamp(int(seen.query[key]), UTC) for key in ("start", "end")
    )
    times = list(steps(start, min(end, auctioned_until(story.issued)), 15))
    return Reply(
        {
            "license_info": "CC BY 4.0 (creativecommons.org/licenses/by/4.0)",
            "unix_seconds": [int(at.timestamp()) for at in times],
            "price": [story.scale * price_at(at) for at in times],
            "unit": "EUR / MWh",
            "deprecated": False,
        }
    )


@telling
def electricity_maps_price(seen: Seen, story: Story) -> Reply:
    if seen.headers.get("auth-token") != CANARY:
        return Reply({"error": "Invalid auth-token"}, 401)
    if seen.path != "/v4/price-day-ahead/forecast":
        return Reply({"status": "error", "message": "no such path"}, 404)
    start, end = (datetime.fromisoformat(seen.query[key]) for key in ("start", "end"))
    rows = [
        {
            "zone": story.zone or seen.query["zone"],
            "datetime": z(at, ".000"),
            "value": story.scale * price_at(at),
            "unit": "EUR/MWh",
            "source": "nordpool.com",
        }
        for at in steps(start, min(end, auctioned_until(story.issued)), 60)
    ]
    return Reply(
        {
            "zone": story.zone or seen.query["zone"],
            "data": rows,
            "temporalGranularity": "hourly",
        }
    )


PRICE_SERVICES = (
    Service(
        name="entsoe",
        zone="DE-LU",
        series=Series.PRICE,
        signal=None,
        answer=entsoe,
        environment={"ENTSOE_API_KEY": CANARY},
        day=PRICE_DAY,
        other=OTHER_EIC,
        filled=1,
    ),
    Service(
        name="energy_charts",
        zone="DE-LU",
        series=Series.PRICE,
        signal=None,
        answer=energy_charts_price,
        names_zone=False,
        day=PRICE_DAY,
        filled=1,
    ),
    Service(
        name="electricity_maps",
        zone="DE",
        series=Series.PRICE,
        signal=None,
        answer=electricity_maps_price,
        environment={"ELECTRICITY_MAPS_TOKEN": CANARY},
        day=PRICE_DAY,
        other="FR",
        filled=1,
    ),
)
