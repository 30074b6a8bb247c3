"""Has CodeCarbon watch this machine: ``python -P -m planner.executor.energy_sampler``.

A process of its own beside a shell job's supervisor, because CodeCarbon is slow to
start and may hang or fail, which must not be felt by the job. It says ``ready`` once
it watches, and ends with its input: then it tells in one line of JSON what the machine
used meanwhile. ``planner.executor.sampling`` makes a figure for the job from that.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

READY = b"ready\n"
NOT_INSTALLED = (
    "codecarbon is not installed; try: pip install 'carbon-batch-planner[energy]'"
)

ANYWHERE = "DEU"
"""A country that CodeCarbon must be told, for emissions that nobody asks it about."""

_OPTIONS: dict[str, Any] = {
    "country_iso_code": ANYWHERE,
    "force_carbon_intensity_g_co2e_kwh": 0.0,
    "pue": 1.0,
    "tracking_mode": "machine",
    "measure_power_secs": 15,
    "api_call_interval": -1,
    "allow_multiple_runs": True,
    "emissions_endpoint": None,
    "output_methods": [],
    "output_handlers": [],
    "output_dir": ".",
    "log_level": "critical",
}
"""Nothing leaves the process, and nothing but energy is asked for. What a user has
configured of the machine itself, such as the power of its processor, stays in force;
all that would write, send or scale is set here."""

BY_COUNTER = "intel_rapl"
"""CodeCarbon's word for a processor whose energy counter it reads, AMD's as well."""


def main() -> int:
    """Watch until the input ends, then tell."""
    answers = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    try:
        found = _watch(answers)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        known = missing.partition(".")[0] == "codecarbon"
        found = {"problem": NOT_INSTALLED if known else f"codecarbon: {error}"}
    except Exception as error:
        said = " ".join(str(error).split())
        found = {"problem": f"CodeCarbon failed: {type(error).__name__}: {said}"[:300]}
    os.write(answers, json.dumps(found).encode() + b"\n")
    # Threads of CodeCarbon are not waited for.
    os._exit(0)


def _watch(answers: int) -> dict[str, Any]:
    """What the machine uses from now until the input ends."""
    codecarbon: Any = importlib.import_module("codecarbon")
    psutil: Any = importlib.import_module("psutil")
    tracker = codecarbon.OfflineEmissionsTracker(**_OPTIONS)
    # CodeCarbon logs its exceptions and goes on; what is not there tells of them.
    tracker.start()
    if getattr(tracker, "_start_time", None) is None:
        return {"problem": "CodeCarbon did not start"}
    began, busy_s = time.monotonic(), _busy_s(psutil)
    os.write(answers, READY)
    sys.stdin.buffer.read()
    tracker.stop()
    seconds = time.monotonic() - began
    data = getattr(tracker, "final_emissions_data", None)
    if data is None:
        return {"problem": "CodeCarbon gave no figure"}
    return {
        "kwh": {
            "cpu": data.cpu_energy,
            "gpu": data.gpu_energy,
            "memory": data.ram_energy,
        },
        "cpu_by_sensor": _by_sensor(getattr(tracker, "_hardware", ())),
        "seconds": seconds,
        "busy_s": _busy_s(psutil) - busy_s,
    }


def _by_sensor(hardware: Any) -> bool:
    """Whether every processor is read from a counter, not worked out from load."""
    modes = [
        getattr(part, "_mode", None) == BY_COUNTER
        for part in hardware
        if type(part).__name__ not in ("RAM", "GPU")
    ]
    return bool(modes) and all(modes)


def _busy_s(psutil: Any) -> float:
    """Time that all processors together have worked since the machine started. [s]"""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


if __name__ == "__main__":
    sys.exit(main())
