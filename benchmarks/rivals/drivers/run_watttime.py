"""Ask WattTime's client for its optimiser, and say why it cannot be asked."""

import json
from importlib.metadata import version

import watttime

if hasattr(watttime, "WattTimeOptimizer"):
    reason = "it holds an optimiser that this driver does not know yet"
else:
    reason = (
        "the published package holds no optimiser, only a client of the web service"
    )
print(json.dumps({"unavailable": f"watttime {version('watttime')}: {reason}"}))
