"""The contract that every forecast provider keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from forecasts.series import FloatArray, Quality, Series, Signal
from inputs.cloud_regions import CloudRegion
from inputs.settings import Region, Table
from inputs.timegrid import TimeGrid

if TYPE_CHECKING:
    from forecasts.http.client import HttpClient

Int64Array = npt.NDArray[np.int64]
FileDigest = tuple[str, str]
"""Path as the settings name it, and the SHA-256 of the bytes that were read."""


class Stamp(StrEnum):
    """Which instant of its interval a time stamp names."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


class ProviderOptions(Table):
    """Keys of ``[forecasts.SERIES]`` that one provider understands: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRequest:
    """What one provider is asked: one series of one region over one horizon.

    Parameters
    ----------
    series
        What to forecast.
    region
        The place: its name, its ``zone`` at the provider, its solar array.
    grid
        The slots to cover. A provider may return more, earlier and later.
    now
        The clock, aware. Nothing issued later may be used.
    root
        Folder of the workspace; relative paths are relative to it.
    environment
        Environment variables; the only source of keys and passwords.
    http
        The one way out for this run; None if it must not ask services.
    outputs
        Folder under which answers and issues are kept; None keeps nothing.
    cloud
        Cloud region that the region's ``zone`` names, if it names one.
    grid_name
        What the provider that is asked calls that cloud region's grid; None where
        the table has no name, or the zone is none of a cloud.
    extras
        Whether a service may also be asked for what can be done without: the hours
        of the horizon that are over.
    sparing
        Whether the answer itself can be done without, so that a service is asked
        only as ``HttpClient.get_if_easy`` does.
    """

    series: Series
    region: Region
    grid: TimeGrid
    now: datetime
    root: Path
    environment: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), repr=False
    )
    http: HttpClient | None = None
    outputs: Path | None = None
    cloud: CloudRegion | None = None
    grid_name: str | None = None
    extras: bool = True
    sparing: bool = False

    @property
    def zone(self) -> str | None:
        """Zone of the region, in the provider's own words where they are known."""
        return self.grid_name or self.region.zone


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observations:
    """What a source said, in its own unit, steps and order: nothing is mended yet.

    Parameters
    ----------
    series
        What the values are.
    place
        Region or zone that the answer says it is about; refused when it is neither
        the name nor the zone of the region that was asked for.
    times_us
        Time stamp of each value, in any order, repeats allowed; shape (n,).
        [µs since 1970 UTC]
    values
        Shape (n,). NaN where the source has nothing. [``unit``]
    unit
        As the source declares it, for example ``lb/MWh``; see ``forecasts.units``.
    stamp
        What ``times_us`` name: start, middle or end of the interval.
    steps_us
        Length of each interval, shape (n,); None to read it from the stamps. [µs]
    signal
        For carbon: average or marginal.
    issued_at
        When the forecast was made; None if the source does not say. A source that
        merely repeats the time of the request does not say.
    issues_us
        Issue of each value, shape (n,), where one answer holds several issues; the
        newest that is not later than the request's ``now`` wins. [µs since 1970 UTC]
    quantiles
        Level in (0, 1) to values, shape (n,).
    quality
        Quality of values that are taken as they are.
    zeros_are_data
        Whether exact zeros of carbon intensity are believed next to large values.
        True for what the user wrote, False for services known to answer 0 for
        nothing.
    files
        Files that were read.
    notes
        Sentences for the plan and report.
    degraded
        Whether this is less than what was asked of the source, such as the last
        good answer of a service that fails; a note says why.
    estimated
        For values of the past that nobody measured: how they were worked out.
    past
        What the same source said before about time that is over now, the newest
        issue first; used for slots that are over and for nothing else.
    """

    series: Series
    place: str
    times_us: Int64Array
    values: FloatArray
    unit: str
    stamp: Stamp = Stamp.START
    steps_us: Int64Array | None = None
    signal: Signal | None = None
    issued_at: datetime | None = None
    issues_us: Int64Array | None = None
    quantiles: Mapping[float, FloatArray] = field(
        default_factory=lambda: MappingProxyType({})
    )
    quality: Quality = Quality.PROVIDED
    zeros_are_data: bool = False
    files: tuple[FileDigest, ...] = ()
    notes: tuple[str, ...] = ()
    degraded: bool = False
    estimated: str | None = None
    past: tuple[Observations, ...] = ()

    @property
    def label(self) -> tuple[str, ...]:
        """Sentence on values that nobody measured; none where there are none."""
        return (f"values are estimated: {self.estimated}",) if self.estimated else ()


class Provider(Protocol):
    """Somebody who can say what grid or sky will do.

    A provider promises:

    - ``fetch`` answers for the region, series and time that were asked, or raises a
      ``ForecastError`` saying why not; it never makes values up and never turns a
      missing value into a number;
    - values as sent, with the unit, stamp convention, signal and issue time that the
      source declares: converting, sorting, filling, checking and resampling are done
      afterwards, in one way for all (``forecasts.preparation``);
    - nothing issued after ``request.now``;
    - an end within its own total time limit, bounded memory, and no key in any
      message;
    - the same answer for the same request and the same source.

    One instance serves all regions of one series in one run, so it may keep what it
    has read; it is built with its checked options. Its keys in planner.toml are the
    fields of ``Options``: unknown ones are refused before anything is fetched.
    """

    name: ClassVar[str]
    series: ClassVar[frozenset[Series]]
    Options: ClassVar[type[Table]]

    def __init__(self, options: Any) -> None: ...

    def fetch(self, request: ForecastRequest) -> Observations:
        """Ask the source.

        Parameters
        ----------
        request
            Series, region, slots and clock.

        Raises
        ------
        ForecastError
            If the source has no answer that can be read.
        """
        ...
