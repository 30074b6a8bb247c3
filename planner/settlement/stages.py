r"""From the hindsight optimum to what was emitted, one cause at a time.

Four ways to run the same segments, all priced at what grid and sky really did:

=============  ==================================================================
hindsight      the best plan that could have been made, had all been known
planned        as planned: region, start, duration and energy
dispatched     planned duration and energy, where and when it really began
realised       what happened: every attempt, with its own length and energy
=============  ==================================================================

Differences of neighbours are the errors, so that they add up exactly:

.. math::

   \underbrace{(P - H)}_{\text{forecast}} + \underbrace{(D - P)}_{\text{dispatch}}
   + \underbrace{(R - D)}_{\text{runtime}} = R - H
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.evaluate import IndexArray
from solvers.metered import Runs, RunShares, price_runs
from solvers.problem import BoolArray, FloatArray, Int64Array, Places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segments:
    """Segments that ran, as planned; shape (n_segments,) all.

    Parameters
    ----------
    region, start_us, end_us, energy_kwh
        As planned; instants from the start of the first slot. [µs] [kWh, metered]
    baseline_region, baseline_start_us
        Where and when asap would have begun it; -1 where it would not.
    place_kg
        Emissions of moving its data to each region, at actual intensity, shape
        (n_segments, n_regions). [kg CO₂e]
    """

    region: IndexArray
    start_us: Int64Array
    end_us: Int64Array
    energy_kwh: FloatArray
    baseline_region: IndexArray
    baseline_start_us: Int64Array
    place_kg: FloatArray

    def __len__(self) -> int:
        return len(self.region)

    @property
    def has_baseline(self) -> BoolArray:
        """Whether asap places it."""
        return self.baseline_region >= 0

    def moved_kg(self, region: IndexArray) -> FloatArray:
        """Emissions of moving data to a region of each segment."""
        return self.place_kg[np.arange(len(self)), region]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempted:
    """What really ran: attempts of those segments, by segment, then number.

    Parameters
    ----------
    segment
        Index of the segment of each attempt, shape (n_attempts,), rising; each
        segment has at least one.
    runs
        Where, when, and with which metered energy.
    """

    segment: IndexArray
    runs: Runs

    @property
    def first(self) -> IndexArray:
        """Index of the first attempt of each segment."""
        return np.flatnonzero(np.diff(self.segment, prepend=-1) > 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stages:
    """Emissions of each segment in each stage, shape (n_segments,). [kg CO₂e]

    Parameters
    ----------
    hindsight_kg
        None where the best plan is not known.
    baseline_kg
        The same attempts, begun where and when asap would have; NaN where asap does
        not place the segment.
    solar_kwh, grid_kwh
        Realised. [kWh]
    """

    planned_kg: FloatArray
    dispatched_kg: FloatArray
    realised_kg: FloatArray
    baseline_kg: FloatArray
    hindsight_kg: FloatArray | None
    solar_kwh: FloatArray
    grid_kwh: FloatArray


def price_stages(
    places: Places,
    segments: Segments,
    attempted: Attempted,
    *,
    step_us: int,
    hindsight: tuple[IndexArray, Int64Array] | None = None,
) -> Stages:
    """Price every stage at the same actual values.

    Parameters
    ----------
    places
        Actual intensity and sun, on slots that hold all that ran.
    hindsight
        Region and start of each segment in the best plan; None if unknown.
    """
    realised = _summed(places, attempted, attempted.runs, len(segments), step_us)
    begun = attempted.runs.region[attempted.first]

    def alone(region: IndexArray, start_us: Int64Array) -> FloatArray:
        """Planned runs at other places and times."""
        scale = places.pue[region] / places.pue[segments.region]
        length = segments.end_us - segments.start_us
        runs = Runs(
            region=region,
            start_us=start_us,
            end_us=start_us + length,
            energy_kwh=segments.energy_kwh * scale,
        )
        shares = price_runs(places, runs, step_us=step_us)
        return shares.emissions_kg + segments.moved_kg(region)

    return Stages(
        planned_kg=alone(segments.region, segments.start_us),
        dispatched_kg=alone(begun, attempted.runs.start_us[attempted.first]),
        realised_kg=realised.emissions_kg + segments.moved_kg(begun),
        baseline_kg=_baseline_kg(places, segments, attempted, step_us),
        hindsight_kg=None if hindsight is None else alone(*hindsight),
        solar_kwh=realised.solar_kwh,
        grid_kwh=realised.grid_kwh,
    )


def _baseline_kg(
    places: Places, segments: Segments, attempted: Attempted, step_us: int
) -> FloatArray:
    """The same work with the same energy and failures, begun by the rule of asap."""
    runs = baseline_runs(places, segments, attempted)
    kept = segments.has_baseline[attempted.segment]
    chosen = Attempted(segment=attempted.segment[kept], runs=runs)
    shares = _summed(places, chosen, runs, len(segments), step_us)
    region = np.maximum(segments.baseline_region, 0)
    emissions = shares.emissions_kg + segments.moved_kg(region)
    return np.where(segments.has_baseline, emissions, np.nan)


def baseline_runs(places: Places, segments: Segments, attempted: Attempted) -> Runs:
    """Attempts of segments that asap places, moved to where it would begin them."""
    kept = segments.has_baseline[attempted.segment]
    of = attempted.segment[kept]
    first = attempted.runs.start_us[attempted.first]
    moved = (segments.baseline_start_us - first)[of]
    region = segments.baseline_region[of]
    there = places.pue[attempted.runs.region[kept]]
    return Runs(
        region=region,
        start_us=attempted.runs.start_us[kept] + moved,
        end_us=attempted.runs.end_us[kept] + moved,
        energy_kwh=attempted.runs.energy_kwh[kept] * places.pue[region] / there,
    )


def _summed(
    places: Places, attempted: Attempted, runs: Runs, n_segments: int, step_us: int
) -> RunShares:
    """Shares of all attempts of each segment together."""
    shares = price_runs(places, runs, step_us=step_us)

    def total(values: FloatArray) -> FloatArray:
        sums = np.bincount(attempted.segment, values, n_segments)
        return sums.astype(np.float64)

    return RunShares(
        solar_kwh=total(shares.solar_kwh),
        grid_kwh=total(shares.grid_kwh),
        emissions_kg=total(shares.emissions_kg),
    )
