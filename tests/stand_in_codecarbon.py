"""A stand-in for CodeCarbon that a child process finds on its PYTHONPATH."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

CODECARBON = """\
import json, os, time
from pathlib import Path
from types import SimpleNamespace

says = json.loads(os.environ["STAND_IN"])
print("noise on stdout")
Path("pid").write_text(str(os.getpid()))
if says.get("absent"):
    raise ModuleNotFoundError("No module named 'codecarbon'", name="codecarbon")


class CPU:
    _mode = says.get("mode", "cpu_load")


class RAM:
    pass


class OfflineEmissionsTracker:
    def __init__(self, **options):
        options["gpus"] = os.environ.get("CUDA_VISIBLE_DEVICES")
        Path("options.json").write_text(json.dumps(options))
        self._hardware = [RAM(), CPU()]

    def start(self):
        if says.get("start") == "hangs":
            time.sleep(600)
        if says.get("start") == "dies":
            os._exit(3)
        if says.get("start") == "raises":
            raise RuntimeError("no\\nsensor")
        if says.get("start") != "fails in silence":
            self._start_time = time.perf_counter()
        Path("watching").touch()

    def stop(self):
        if says.get("stop") == "hangs":
            Path("stopping").touch()
            time.sleep(600)
        if says.get("stop") != "fails in silence":
            self.final_emissions_data = SimpleNamespace(
                cpu_energy=says.get("cpu", 0.4),
                gpu_energy=says.get("gpu", 0.0),
                ram_energy=says.get("memory", 0.0),
            )
"""

PSUTIL = """\
import json, os
from types import SimpleNamespace

asked = []


def cpu_times():
    busy = json.loads(os.environ["STAND_IN"]).get("busy", 1e-9) if asked else 0.0
    asked.append(1)
    return SimpleNamespace(user=busy, nice=0.0, system=0.0)
"""

_BEGIN = """\
import os, sys, time
from pathlib import Path
from planner.executor.processes import identify

run = Path(os.environ["PLANNER_ENERGY_FILE"]).parent


def wait_for(condition):
    while not condition():
        time.sleep(0.01)
"""

WATCHED_JOB = f"""\
{_BEGIN}
wait_for((run / "watching").exists)
begun = (run / "claim.json").stat().st_mtime
time.sleep(2 * (time.time() - begun) + 0.1)
"""
"""A job that goes on until it was watched for most of its time."""

OUTLIVING_JOB = f"""\
{_BEGIN}
wait_for(lambda: (run / "pid").exists() and (run / "pid").read_text())
wait_for(lambda: identify(int((run / "pid").read_text())) is None)
sys.exit(int(sys.argv[1]))
"""
"""A job that goes on until the stand-in has given up, and ends with a status."""


def environ_with(folder: Path, **says: Any) -> dict[str, str]:
    """Variables under which a child finds the stand-in, and how it shall behave."""
    modules = folder / "modules"
    modules.mkdir(exist_ok=True)
    (modules / "codecarbon.py").write_text(CODECARBON)
    (modules / "psutil.py").write_text(PSUTIL)
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(modules), *sys.path]),
        "STAND_IN": json.dumps(says),
    }
