"""Typical levels and shapes of carbon intensity, with the source of every figure.

Levels are annual means of 2023, in life-cycle g CO2e per kWh generated:

- ``EMBER``: Ember, Yearly Electricity Data, as shown by Our World in Data, "Carbon
  intensity of electricity generation" (ourworldindata.org/grapher/
  carbon-intensity-electricity, CC BY 4.0), rounded to 10.
- ``ROUND``: the same statistics, quoted from memory and rounded to 50 (to 10 below
  100). Take them as right to a fifth.
- ``STYLISED``: our own estimate for a part of a country, from what is generally
  known of its plants. Take them as right to a third.

Shapes are STYLISED: drawn by us so that hours rank as they usually do on a grid of
that kind in local time. They come from no data set, know no season and no weather.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a level comes from; see the module's docstring."""

    EMBER = "Ember 2023, rounded to 10"
    ROUND = "Ember 2023, rounded to 50"
    STYLISED = "our estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A kind of grid.

    Parameters
    ----------
    label
        For notes and reports.
    hours
        Intensity of each local hour 0 to 23 relative to the day's mean, in percent.
    weekend
        Intensity on Saturday and Sunday relative to weekdays.
    """

    label: str
    hours: tuple[int, ...]
    weekend: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneProfile:
    """Typical intensity of one zone.

    Parameters
    ----------
    family
        Name in ``FAMILIES``.
    g_per_kwh
        Annual mean. [g/kWh]
    source
        Where the mean comes from.
    timezone
        IANA zone whose hours the shape means; None for that of the workspace.
    """

    family: str
    g_per_kwh: float
    source: Source
    timezone: str | None = None


FAMILIES = {
    "coal": Family(
        label="coal-heavy",
        hours=(102, 102, 102, 102, 102, 102, 102, 101, 99, 97, 95, 94,
               93, 94, 95, 97, 99, 102, 104, 104, 104, 103, 103, 102),
        weekend=0.97,
    ),
    "duck": Family(
        label="gas and much solar",
        hours=(112, 111, 110, 110, 111, 114, 112, 100, 85, 75, 70, 68,
               68, 69, 72, 80, 94, 112, 122, 124, 122, 120, 118, 115),
        weekend=0.92,
    ),
    "wind": Family(
        label="wind, solar and fossil",
        hours=(97, 95, 94, 95, 98, 103, 108, 109, 105, 99, 93, 88,
               85, 85, 88, 94, 101, 109, 114, 115, 112, 108, 104, 100),
        weekend=0.88,
    ),
    "gas": Family(
        label="gas and other thermal plants",
        hours=(98, 97, 96, 96, 97, 98, 100, 101, 101, 101, 100, 100,
               99, 99, 99, 100, 101, 103, 104, 104, 103, 102, 101, 100),
        weekend=0.96,
    ),
    "clean": Family(
        label="hydro and nuclear",
        hours=(95, 93, 92, 92, 94, 98, 103, 106, 106, 104, 101, 99,
               97, 96, 96, 98, 102, 106, 108, 107, 105, 102, 100, 98),
        weekend=0.92,
    ),
}  # fmt: skip
"""Kinds of grid by name; all shapes stylised."""

WORLD = ZoneProfile(family="gas", g_per_kwh=480, source=Source.EMBER)
"""For zones that are not in the table."""

_E, _R, _S = Source.EMBER, Source.ROUND, Source.STYLISED

_ROWS: tuple[tuple[str, str, float, Source, str], ...] = (
    ("AR", "gas", 350, _E, "America/Argentina/Buenos_Aires"),
    ("AT", "clean", 110, _E, "Europe/Vienna"),
    ("AU", "coal", 550, _E, "Australia/Sydney"),
    ("AU-NSW", "coal", 600, _S, "Australia/Sydney"),
    ("AU-QLD", "coal", 650, _S, "Australia/Brisbane"),
    ("AU-SA", "duck", 250, _S, "Australia/Adelaide"),
    ("AU-TAS", "clean", 50, _S, "Australia/Hobart"),
    ("AU-VIC", "coal", 650, _S, "Australia/Melbourne"),
    ("AU-WA", "duck", 500, _S, "Australia/Perth"),
    ("BE", "wind", 140, _E, "Europe/Brussels"),
    ("BG", "coal", 340, _E, "Europe/Sofia"),
    ("BR", "clean", 100, _E, "America/Sao_Paulo"),
    ("CA", "clean", 170, _E, "America/Toronto"),
    ("CA-AB", "gas", 500, _S, "America/Edmonton"),
    ("CA-BC", "clean", 20, _S, "America/Vancouver"),
    ("CA-ON", "clean", 60, _S, "America/Toronto"),
    ("CA-QC", "clean", 30, _S, "America/Toronto"),
    ("CH", "clean", 40, _R, "Europe/Zurich"),
    ("CL", "duck", 290, _E, "America/Santiago"),
    ("CN", "coal", 580, _E, "Asia/Shanghai"),
    ("CO", "clean", 260, _E, "America/Bogota"),
    ("CR", "clean", 50, _E, "America/Costa_Rica"),
    ("CY", "duck", 530, _E, "Asia/Nicosia"),
    ("CZ", "coal", 450, _E, "Europe/Prague"),
    ("DE", "wind", 380, _E, "Europe/Berlin"),
    ("DK", "wind", 150, _E, "Europe/Copenhagen"),
    ("EC", "clean", 150, _E, "America/Guayaquil"),
    ("EE", "wind", 420, _E, "Europe/Tallinn"),
    ("EG", "gas", 570, _E, "Africa/Cairo"),
    ("ES", "duck", 150, _R, "Europe/Madrid"),
    ("FI", "clean", 80, _E, "Europe/Helsinki"),
    ("FR", "clean", 60, _E, "Europe/Paris"),
    ("GB", "wind", 250, _R, "Europe/London"),
    ("GR", "duck", 340, _E, "Europe/Athens"),
    ("HR", "wind", 200, _E, "Europe/Zagreb"),
    ("HU", "duck", 200, _E, "Europe/Budapest"),
    ("ID", "coal", 700, _R, "Asia/Jakarta"),
    ("IE", "wind", 290, _E, "Europe/Dublin"),
    ("IN", "coal", 710, _E, "Asia/Kolkata"),
    ("IR", "gas", 660, _E, "Asia/Tehran"),
    ("IS", "clean", 30, _R, "Atlantic/Reykjavik"),
    ("IT", "duck", 350, _R, "Europe/Rome"),
    ("JP", "gas", 500, _R, "Asia/Tokyo"),
    ("KR", "gas", 450, _R, "Asia/Seoul"),
    ("MX", "gas", 500, _R, "America/Mexico_City"),
    ("NL", "wind", 250, _R, "Europe/Amsterdam"),
    ("NO", "clean", 30, _E, "Europe/Oslo"),
    ("NZ", "clean", 100, _R, "Pacific/Auckland"),
    ("PL", "coal", 650, _R, "Europe/Warsaw"),
    ("PT", "wind", 150, _R, "Europe/Lisbon"),
    ("RO", "wind", 250, _R, "Europe/Bucharest"),
    ("SE", "clean", 40, _R, "Europe/Stockholm"),
    ("SG", "gas", 450, _R, "Asia/Singapore"),
    ("TW", "gas", 650, _R, "Asia/Taipei"),
    ("US", "gas", 350, _R, "America/New_York"),
    ("US-CAL", "duck", 250, _S, "America/Los_Angeles"),
    ("US-CENT", "wind", 400, _S, "America/Chicago"),
    ("US-MIDA", "gas", 400, _S, "America/New_York"),
    ("US-MIDW", "gas", 450, _S, "America/Chicago"),
    ("US-NE", "gas", 300, _S, "America/New_York"),
    ("US-NW", "clean", 250, _S, "America/Los_Angeles"),
    ("US-NY", "gas", 250, _S, "America/New_York"),
    ("US-SE", "gas", 400, _S, "America/New_York"),
    ("US-SW", "duck", 400, _S, "America/Phoenix"),
    ("US-TEX", "wind", 400, _S, "America/Chicago"),
    ("ZA", "coal", 700, _R, "Africa/Johannesburg"),
)

ZONES = {
    zone: ZoneProfile(family=family, g_per_kwh=level, source=source, timezone=zone_tz)
    for zone, family, level, source, zone_tz in _ROWS
}
"""Profiles by zone prefix, in the names of Electricity Maps (ISO 3166 and parts)."""


def profile_of(zone: str | None) -> ZoneProfile | None:
    """Profile of the longest prefix of a zone, at a hyphen, that is in the table.

    Examples
    --------
    >>> profile_of("US-CAL-CISO").g_per_kwh, profile_of("SE-SE3").family
    (250, 'clean')
    >>> profile_of("XX-NOWHERE") is None
    True
    """
    parts = (zone or "").split("-")
    for length in range(len(parts), 0, -1):
        if profile := ZONES.get("-".join(parts[:length])):
            return profile
    return None
