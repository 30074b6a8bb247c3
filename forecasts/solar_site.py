"""Where an array stands and which way it looks, as services want to hear it."""

from __future__ import annotations

import math

from forecasts.errors import ForecastUnavailableError
from forecasts.provider import ForecastRequest
from inputs.settings import SolarArray

NEAR_KM = 100.0
"""Cells of weather models are up to half a degree wide; farther is elsewhere."""

_KM_PER_DEGREE = 111.2


def array_of(request: ForecastRequest) -> SolarArray:
    """Array of the region that is asked about.

    Raises
    ------
    ForecastUnavailableError
        If it has none.
    """
    array = request.region.solar
    if array is None:
        raise ForecastUnavailableError(
            f"region {request.region.name} has no solar array"
        )
    return array


def site_name(request: ForecastRequest, array: SolarArray) -> str:
    """Name that changes with the array, so that no answer for another one is used.

    Solar forecasts are kept under it.
    """
    facts = (array.latitude, array.longitude, array.tilt, array.azimuth, array.kwp)
    return "_".join((request.region.name, *(f"{fact:g}" for fact in facts)))


def from_south(azimuth: float) -> float:
    """Azimuth with 0 in the south, east negative, west positive. [degrees]

    Parameters
    ----------
    azimuth
        With 0 in the north, 90 in the east. [degrees]

    Examples
    --------
    >>> [from_south(azimuth) for azimuth in (0, 90, 180, 270, 360)]
    [-180, -90, 0, 90, 180]
    """
    return azimuth - 180


def from_north_anticlockwise(azimuth: float) -> float:
    """Azimuth with 0 in the north, west positive, from -180 to 180. [degrees]

    Examples
    --------
    >>> [from_north_anticlockwise(azimuth) for azimuth in (0, 90, 180, 270)]
    [0, -90, 180, 90]
    """
    return -azimuth if azimuth < 180 else 360 - azimuth


def place_of(
    latitude: float | None, longitude: float | None, request: ForecastRequest
) -> str:
    """Region's name if an answer is about its array's place, else the other place.

    Coordinates that are not told are taken as those that were asked for.
    """
    array = array_of(request)
    if latitude is None or longitude is None:
        return request.region.name
    east = (longitude - array.longitude + 180) % 360 - 180
    east *= math.cos(math.radians(array.latitude))
    distance = math.hypot(latitude - array.latitude, east) * _KM_PER_DEGREE
    return (
        request.region.name if distance <= NEAR_KM else f"{latitude:g}, {longitude:g}"
    )
