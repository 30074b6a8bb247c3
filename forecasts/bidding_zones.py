"""Bidding zones of Europe's day-ahead market: name, code, and what else calls them.

The codes are Energy Identification Codes (EIC) of type Y as ENTSO-E assigns and
publishes them; the last character of each checks the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from forecasts.live import zone_of
from forecasts.provider import ForecastRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class BiddingZone:
    """An area with one price.

    Parameters
    ----------
    name
        Usual name, such as ``DE-LU`` or ``SE3``; None for a code without one here.
    eic
        Energy Identification Code, 16 characters.
    also
        Names of the grid there at providers of carbon intensity.
    """

    name: str | None
    eic: str
    also: tuple[str, ...] = ()


def _zone(name: str, eic: str, *also: str) -> BiddingZone:
    return BiddingZone(name=name, eic=eic, also=also)


BIDDING_ZONES = (
    _zone("AT", "10YAT-APG------L"),
    _zone("BA", "10YBA-JPCC-----D"),
    _zone("BE", "10YBE----------2"),
    _zone("BG", "10YCA-BULGARIA-R"),
    _zone("CH", "10YCH-SWISSGRIDZ"),
    _zone("CZ", "10YCZ-CEPS-----N"),
    _zone("DE-LU", "10Y1001A1001A82H", "DE", "LU"),
    _zone("DK1", "10YDK-1--------W", "DK-DK1"),
    _zone("DK2", "10YDK-2--------M", "DK-DK2"),
    _zone("EE", "10Y1001A1001A39I"),
    _zone("ES", "10YES-REE------0"),
    _zone("FI", "10YFI-1--------U"),
    _zone("FR", "10YFR-RTE------C"),
    _zone("GR", "10YGR-HTSO-----Y"),
    _zone("HR", "10YHR-HEP------M"),
    _zone("HU", "10YHU-MAVIR----U"),
    _zone("IE-SEM", "10Y1001A1001A59C", "IE", "GB-NIR"),
    _zone("IT-Calabria", "10Y1001C--00096J"),
    _zone("IT-Centre-North", "10Y1001A1001A70O", "IT-CNO"),
    _zone("IT-Centre-South", "10Y1001A1001A71M", "IT-CSO"),
    _zone("IT-North", "10Y1001A1001A73I", "IT-NO"),
    _zone("IT-Sardinia", "10Y1001A1001A74G", "IT-SAR"),
    _zone("IT-Sicily", "10Y1001A1001A75E", "IT-SIC"),
    _zone("IT-South", "10Y1001A1001A788", "IT-SO"),
    _zone("LT", "10YLT-1001A0008Q"),
    _zone("LV", "10YLV-1001A00074"),
    _zone("ME", "10YCS-CG-TSO---S"),
    _zone("MK", "10YMK-MEPSO----8"),
    _zone("NL", "10YNL----------L"),
    _zone("NO1", "10YNO-1--------2", "NO-NO1"),
    _zone("NO2", "10YNO-2--------T", "NO-NO2"),
    _zone("NO3", "10YNO-3--------J", "NO-NO3"),
    _zone("NO4", "10YNO-4--------9", "NO-NO4"),
    _zone("NO5", "10Y1001A1001A48H", "NO-NO5"),
    _zone("PL", "10YPL-AREA-----S"),
    _zone("PT", "10YPT-REN------W"),
    _zone("RO", "10YRO-TEL------P"),
    _zone("RS", "10YCS-SERBIATSOV"),
    _zone("SE1", "10Y1001A1001A44P", "SE-SE1"),
    _zone("SE2", "10Y1001A1001A45N", "SE-SE2"),
    _zone("SE3", "10Y1001A1001A46L", "SE-SE3"),
    _zone("SE4", "10Y1001A1001A47J", "SE-SE4"),
    _zone("SI", "10YSI-ELES-----O"),
    _zone("SK", "10YSK-SEPS-----K"),
)
EIC = r"[0-9]{2}Y[A-Z0-9-]{12}[A-Z0-9]"
_BY_NAME = {
    known: zone for zone in BIDDING_ZONES for known in (zone.name, zone.eic, *zone.also)
}
_PATTERN = "|".join((*(re.escape(str(name)) for name in _BY_NAME), EIC))


def bidding_zone_of(request: ForecastRequest, zones: Mapping[str, str]) -> BiddingZone:
    """Bidding zone of the region, by its name, its grid's name or its code.

    Parameters
    ----------
    request
        Its region has a name and perhaps a ``zone``.
    zones
        The setting that translates.

    Raises
    ------
    ForecastUnavailableError
        If the region names none.
    """
    known = "bidding zones such as DE-LU, SE3 or IT-North, and their EIC codes"
    named = zone_of(request, zones, pattern=_PATTERN, known=known)
    return _BY_NAME.get(named) or BiddingZone(name=None, eic=named)
