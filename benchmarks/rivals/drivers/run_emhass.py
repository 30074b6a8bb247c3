"""Ask EMHASS: ``Optimization.perform_dayahead_forecast_optim``, one site a region.

Each job is a deferrable load with a power sequence and a time window, intensity takes
the place of the tariff, and surplus solar earns nothing. EMHASS plans the loads of one
site together and knows their solar; it has no regions and no cpus or gpus.
"""

import json
import logging
import sys
import time
from pathlib import Path

import emhass
import numpy as np
import pandas as pd
from emhass.optimization import Optimization

ROOT = Path(emhass.__file__).parent
DEFAULTS = json.loads((ROOT / "data/config_defaults.json").read_text())
GAP = 1e-3


def main() -> None:
    """Solve one model for each region, with the jobs whose only region it is."""
    day = json.load(sys.stdin)
    found = [[] for _ in day["jobs"]]
    n_regions = len(day["g_per_kwh"])
    began = time.perf_counter()
    for region in range(n_regions):
        jobs = [i for i, job in enumerate(day["jobs"]) if job["regions"] == [region]]
        if jobs:
            starts = _solve(day, region, jobs, day["time_limit_s"] / n_regions)
            for index, start in zip(jobs, starts, strict=True):
                if start is not None:
                    found[index].append((region, start, 0.0))
    if not any(found):
        print(json.dumps({"unavailable": "its solver found no plan in time"}))
        return
    print(json.dumps({"seconds": time.perf_counter() - began, "found": found}))


def _solve(day: dict, region: int, jobs: list[int], seconds: float) -> list[int | None]:
    chosen = [day["jobs"][i] for i in jobs]
    sequences = [_watts(job, day["pue"][region], day["slot_minutes"]) for job in chosen]
    n_slots = len(day["g_per_kwh"][region])
    index = pd.date_range(
        "2026-01-01", periods=n_slots, freq=f"{day['slot_minutes']:g}min", tz="UTC"
    )
    kg_per_kwh = np.array(day["g_per_kwh"][region]) / 1000
    tariff = pd.DataFrame({"kg": kg_per_kwh, "sold": 0.0}, index=index)
    solar = pd.Series(day["solar_kw"][region], index=index) * 1000
    most = sum(map(max, sequences)) + solar.max()
    conf = DEFAULTS | _loads(chosen, sequences) | _site(day, most, seconds)
    paths = {"root_path": ROOT, "data_path": ROOT / "data"}
    log = logging.getLogger("emhass")
    model = Optimization(
        conf, conf, conf, "kg", "sold", "cost", paths, log, num_timesteps=n_slots
    )
    plan = model.perform_dayahead_forecast_optim(tariff, solar, solar * 0.0)
    if "P_deferrable0" not in plan:
        return [None] * len(jobs)
    return [
        _start(plan[f"P_deferrable{k}"].to_numpy(), sequence)
        for k, sequence in enumerate(sequences)
    ]


def _watts(job: dict, pue: float, slot_minutes: float) -> list[float]:
    """Metered mean power in each slot; the last one holds only a part of the run."""
    watts = 1000 * job["kw"] * pue
    last = job["minutes"] / slot_minutes - (job["slots"] - 1)
    return [watts] * (job["slots"] - 1) + [watts * last]


def _loads(jobs: list[dict], sequences: list[list[float]]) -> dict:
    """Settings that EMHASS wants once for each load."""
    each = {
        "minimum_power_of_deferrable_loads": 0.0,
        "operating_hours_of_each_deferrable_load": 0,
        "treat_deferrable_load_as_semi_cont": False,
        "set_deferrable_load_single_constant": False,
        "set_deferrable_startup_penalty": 0.0,
        "set_deferrable_max_startups": 0,
        "deferrable_load_max_cost": 0.0,
        "def_minimum_on_time": 0,
        "def_minimum_off_time": 0,
        "cost_forecast_per_deferrable_load": None,
        "is_electric_load": True,
    }
    return {name: [value] * len(jobs) for name, value in each.items()} | {
        "number_of_deferrable_loads": len(jobs),
        "nominal_power_of_deferrable_loads": sequences,
        "start_timesteps_of_each_deferrable_load": [job["first"] for job in jobs],
        "end_timesteps_of_each_deferrable_load": [
            job["last"] + job["slots"] for job in jobs
        ],
    }


def _site(day: dict, most: float, seconds: float) -> dict:
    return {
        "optimization_time_step": pd.Timedelta(minutes=day["slot_minutes"]),
        "time_zone": "UTC",
        "set_use_pv": True,
        "maximum_power_from_grid": most,
        "maximum_power_to_grid": most,
        "lp_solver_timeout": seconds,
        "lp_solver_mip_rel_gap": GAP,
        "num_threads": 1,
    }


def _start(power: np.ndarray, sequence: list[float]) -> int | None:
    """Slot from which a load runs its sequence; None where it was cut to pieces."""
    on = np.flatnonzero(power > 0.5 * min(sequence))
    if not len(on):
        return None
    start = int(on[0])
    run = power[start : start + len(sequence)]
    whole = len(run) == len(sequence) and np.allclose(run, sequence, rtol=1e-3)
    return start if whole else None


main()
