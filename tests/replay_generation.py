"""What ENTSO-E documents of actual generation by type, and answers made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tests.replay_price import EIC, NO_DATA, acknowledgement, period
from tests.replay_servers import Reply, Seen
from tests.replay_services import CANARY, steps

COAL, WIND, PUMPED = "B05", "B19", "B10"
COAL_G, WIND_G = 1500, 11
FACTORS = (
    f"psr_type,g_per_kwh,source\n{COAL},{COAL_G},dirtier than all that is measured\n"
)
"""A file of factors with which coal and wind give what was measured."""

XML = {"Content-Type": "application/xml"}


def outputs(
    *periods: str,
    psr_type: str = COAL,
    eic: str = EIC,
    unit: str = "MAW",
    curve: str = "A01",
    way: str = "in",
) -> str:
    """One series of generation, or with ``way`` "out" of consumption."""
    body = "".join(periods).replace("price.amount", "quantity")
    return (
        "<TimeSeries><mRID>1</mRID><businessType>A01</businessType>"
        "<objectAggregation>A08</objectAggregation>"
        f'<{way}BiddingZone_Domain.mRID codingScheme="A01">{eic}'
        f"</{way}BiddingZone_Domain.mRID>"
        f"<quantity_Measure_Unit.name>{unit}</quantity_Measure_Unit.name>"
        f"<curveType>{curve}</curveType>"
        f"<MktPSRType><psrType>{psr_type}</psrType></MktPSRType>{body}</TimeSeries>"
    )


def generation(*all_series: str) -> bytes:
    namespace = "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<GL_MarketDocument xmlns="{namespace}"><mRID>a</mRID><type>A75</type>'
        "<process.processType>A16</process.processType>"
        f"{''.join(all_series)}</GL_MarketDocument>"
    ).encode()


def hours(start: datetime, values: Mapping[int, float], count: int) -> str:
    """A period of whole hours; positions that ``values`` lacks are left out."""
    end = start + timedelta(hours=count)
    return period(start, end, dict(values), "PT60M")


def coal_share(g_per_kwh: float) -> float:
    """Share of coal, the rest wind, with which a grid is as dirty as that."""
    return (g_per_kwh - WIND_G) / (COAL_G - WIND_G)


def measured_at(instant: datetime) -> float:
    """What came in each hour; it differs from all that was forecast. [g/kWh]"""
    return 700.0 + 10 * instant.astimezone(UTC).hour + instant.day


def entsoe_generation(seen: Seen, now: datetime, scale: float) -> Reply | None:
    """Coal and wind of which the intensity is what was measured; pumps beside them."""
    if seen.query.get("documentType") != "A75":
        return None
    if seen.query.get("securityToken") != CANARY:
        return Reply(acknowledgement("Authentication failed."), 401, XML)
    start, end = (
        datetime.strptime(seen.query[key], "%Y%m%d%H%M").replace(tzinfo=UTC)
        for key in ("periodStart", "periodEnd")
    )
    times = list(steps(start, min(end, now), 60))
    if not times:
        return Reply(acknowledgement(NO_DATA), 200, XML)
    shares = [coal_share(measured_at(at)) for at in times]
    told = {
        COAL: [scale * 10_000 * share for share in shares],
        WIND: [scale * 10_000 * (1 - share) for share in shares],
        PUMPED: [scale * 800.0 for _ in shares],
    }
    eic = seen.query["in_Domain"]
    all_series = [
        outputs(
            hours(start, dict(enumerate(values, start=1)), len(times)),
            psr_type=psr_type, eic=eic,
        )
        for psr_type, values in told.items()
    ]  # fmt: skip
    pumping = hours(start, {1: 4000.0}, len(times))
    all_series.append(
        outputs(pumping, psr_type=PUMPED, eic=eic, way="out", curve="A03")
    )
    return Reply(generation(*all_series), 200, XML)
