"""One day under several policies, side by side, as plain arrays.

Indices: jobs ``j`` in manifest order, regions ``r``, slots ``t``, resources ``k``.
Every figure is a *planned* one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from inputs.timegrid import TimeGrid
from outputs.limit_prices import LimitPrices

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.signedinteger]
BoolArray = npt.NDArray[np.bool_]

NO_TEAM = "(no team)"

RESIDUE = 1e-10
"""Part of the top that running sums may leave where there is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyDay:
    """What one policy does with the day.

    Parameters
    ----------
    name
        ``asap``, ``threshold``, ``greedy`` or ``optimal``.
    emissions_kg
        Of all placed jobs, transfer included. [kg CO₂e]
    grid_kwh, solar_kwh
        Metered energy of the placed jobs by origin. [kWh]
    energy_cost
        Cost of the grid energy in currency units; None without a price forecast.
    placed, unplaced
        Number of jobs with and without a place.
    seconds
        Elapsed time that the policy took. [s]
    gap
        Proven relative gap; None without a proof.
    load_kw, grid_kw
        Mean metered power of the jobs, and the part of it that the grid gives,
        shape (n_regions, n_slots). [kW]
    usage
        Units in use, shape (n_resources, n_regions, n_slots).
    job_region, job_start_slot
        Place of each job, -1 where unplaced, shape (n_jobs,).
    job_energy_kwh, job_emissions_kg
        Each job's share, 0 where unplaced, shape (n_jobs,). [kWh, kg CO₂e]
    job_delay_h
        Waiting after the earliest start, anything where unplaced,
        shape (n_jobs,). [h]
    """

    name: str
    emissions_kg: float
    grid_kwh: float
    solar_kwh: float
    energy_cost: float | None = None
    placed: int
    unplaced: int
    seconds: float
    gap: float | None = None
    load_kw: FloatArray
    grid_kw: FloatArray
    usage: FloatArray
    job_region: IntArray
    job_start_slot: IntArray
    job_energy_kwh: FloatArray
    job_emissions_kg: FloatArray
    job_delay_h: FloatArray

    def __post_init__(self) -> None:
        _freeze(self)
        if self.placed + self.unplaced != len(self.job_region):
            raise ValueError(
                f"{self.name}: {self.placed} placed and {self.unplaced} unplaced "
                f"of {len(self.job_region)} jobs"
            )

    @property
    def is_placed(self) -> BoolArray:
        """Whether each job has a place, shape (n_jobs,)."""
        return self.job_region >= 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """The day itself and every policy's use of it.

    Parameters
    ----------
    grid
        The slots.
    regions
        Names, in the order of planner.toml.
    g_per_kwh
        Carbon intensity that was planned with, shape (n_regions, n_slots).
    solar_kw
        On-site solar power left for jobs after base load and earlier work, shape
        (n_regions, n_slots). [kW]
    power_cap_kw
        Metered power free for jobs, infinite where there is no cap, shape
        (n_regions, n_slots). [kW]
    resources
        Names of the limits in ``capacity`` and ``PolicyDay.usage``.
    capacity
        Free units of each resource, shape (n_resources, n_regions, n_slots).
    job_team
        Index into ``teams`` of each job, shape (n_jobs,).
    teams
        Team names; jobs without a team belong to ``NO_TEAM``.
    policies
        In the order in which they are shown.
    plan_name
        The policy that the plan file holds.
    g_per_kwh_low, g_per_kwh_high
        Outer quantiles (usually p10 and p90) of the intensity, if known, shape
        (n_regions, n_slots).
    guessed
        Slots whose intensity was filled in or is typical, shape
        (n_regions, n_slots).
    limit_prices
        What each limit costs; None where it was not computed.
    """

    grid: TimeGrid
    regions: tuple[str, ...]
    g_per_kwh: FloatArray
    solar_kw: FloatArray
    power_cap_kw: FloatArray
    resources: tuple[str, ...]
    capacity: FloatArray
    job_team: IntArray
    teams: tuple[str, ...]
    policies: tuple[PolicyDay, ...]
    plan_name: str = "optimal"
    g_per_kwh_low: FloatArray | None = None
    g_per_kwh_high: FloatArray | None = None
    guessed: BoolArray | None = None
    limit_prices: LimitPrices | None = None

    def __post_init__(self) -> None:
        _freeze(self)
        place = (len(self.regions), self.grid.n_slots)
        units = (len(self.resources), *place)
        _require_shape(self, place, "g_per_kwh", "solar_kw", "power_cap_kw")
        _require_shape(self, place, "g_per_kwh_low", "g_per_kwh_high", "guessed")
        _require_shape(self, units, "capacity")
        for policy in self.policies:
            _require_shape(policy, place, "load_kw", "grid_kw")
            _require_shape(policy, units, "usage")
            _require_shape(policy, (self.n_jobs,), "job_region", "job_start_slot")
            _require_shape(
                policy,
                (self.n_jobs,),
                *("job_energy_kwh", "job_emissions_kg", "job_delay_h"),
            )

    @property
    def n_jobs(self) -> int:
        """Number of jobs, placed or not."""
        return len(self.job_team)

    @property
    def plan(self) -> PolicyDay:
        """The policy that the plan file holds."""
        return self.policy(self.plan_name)

    def find(self, name: str) -> PolicyDay | None:
        """Policy of a name, None if it was not asked for."""
        return next((p for p in self.policies if p.name == name), None)

    def policy(self, name: str) -> PolicyDay:
        """Policy of a name.

        Raises
        ------
        KeyError
            If it was not asked for.
        """
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def emissions_kg_per_h(self, policy: PolicyDay) -> FloatArray:
        """Rate at which jobs emit, without transfer, shape (n_regions, n_slots)."""
        rate: FloatArray = policy.grid_kw * self.g_per_kwh / 1000.0
        return rate


def encode_teams(column: pa.StringArray) -> tuple[tuple[str, ...], IntArray]:
    """Team names and each job's index among them; null becomes ``NO_TEAM``.

    Names come in alphabetical order, so that the order of jobs does not matter.
    """
    encoded = column.fill_null(NO_TEAM).dictionary_encode()
    names = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    return tuple(names[i] for i in order), rank[codes]


def _freeze(value: PolicyDay | Comparison) -> None:
    for name in value.__dataclass_fields__:
        column = getattr(value, name)
        if isinstance(column, np.ndarray):
            column.setflags(write=False)


def _require_shape(
    value: PolicyDay | Comparison, shape: tuple[int, ...], *names: str
) -> None:
    for name in names:
        array = getattr(value, name)
        if array is not None and array.shape != shape:
            raise ValueError(f"{name} has shape {array.shape}, expected {shape}")
