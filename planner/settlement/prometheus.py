"""Energy of an attempt by a query to Prometheus, through the disciplined client.

Documented at https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecasts.errors import ForecastError
from forecasts.http.client import HttpClient
from forecasts.http.json_body import read_json
from forecasts.http.message import HttpRequest
from forecasts.http.secret import Secret
from inputs.settings import PrometheusTable
from planner.executor.energy import J_PER_KWH, MEASURED
from planner.executor.energy_file import MAX_KWH
from planner.settlement.attempts import Attempts, Times

SOURCE = "Prometheus"
TOKEN = "PROMETHEUS_TOKEN"
"""Variable with the bearer token, if the server wants one."""

_KWH_IN = {"kWh": 1.0, "J": 1 / J_PER_KWH}
_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An attempt whose energy is asked for; instants in µs since 1970 UTC."""

    key: str
    job_id: str
    region: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """Attempts with the energy that was found, and what went wrong, once each."""

    attempts: Attempts
    notes: tuple[str, ...]


def metered_by_query(
    attempts: Attempts,
    table: PrometheusTable,
    *,
    http: HttpClient,
    environment: Mapping[str, str],
) -> Answers:
    """Ask for the energy of every attempt that ran and told none itself.

    Parameters
    ----------
    table
        ``[energy.prometheus]``.
    http
        How to ask; bounded over all attempts together.
    environment
        May hold the token.
    """
    found, problems = dict[int, float](), dict[str, None]()
    for at, asked in _wanted(attempts):
        try:
            kwh = _ask(asked, table, http, environment)
        except (ForecastError, ValueError) as error:
            problems[f"{SOURCE}: {error}"] = None
        else:
            found |= {} if kwh is None else {at: kwh}
    return Answers(attempts=_with(attempts, found, table), notes=tuple(problems)[:3])


def query_for(asked: Asked, template: str) -> str:
    """Query about one attempt; values are escaped as in a PromQL string.

    Only the placeholders are replaced, so that the braces of a selector stay.
    """
    values = {
        "{key}": asked.key,
        "{job_id}": asked.job_id,
        "{region}": asked.region,
        "{seconds}": str(max(1, -(-(asked.end_us - asked.start_us) // _US_PER_S))),
    }
    parts = [template]
    for name, value in values.items():
        text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        parts = [p for part in parts for p in _between(part.split(name), text)]
    return "".join(parts)


def _between(pieces: list[str], text: str) -> list[str]:
    """Pieces with the same text between them."""
    joined = [pieces[0]]
    for piece in pieces[1:]:
        joined += [text, piece]
    return joined


def _wanted(attempts: Attempts) -> Iterator[tuple[int, Asked]]:
    """Attempts that ran at known times and told nothing, with their places."""
    times = attempts.times()
    wanted = attempts.ran & ~attempts.has("energy_kwh")
    wanted &= times.told_by != Times.ASSUMED
    at = np.flatnonzero(wanted)
    rows = attempts.rows.select(["key", "job_id", "region"]).take(pa.array(at))
    for i, facts in zip(at.tolist(), rows.to_pylist(), strict=True):
        start_us, end_us = int(times.start_us[i]), int(times.end_us[i])
        yield i, Asked(**facts, start_us=start_us, end_us=end_us)


def _with(
    attempts: Attempts, found: Mapping[int, float], table: PrometheusTable
) -> Attempts:
    """Attempts with the energies that were found, by their places."""
    at = np.zeros(len(attempts), dtype=np.bool_)
    at[list(found)] = True
    kwh = np.zeros(len(attempts))
    kwh[list(found)] = list(found.values())
    told = {
        "energy_kwh": pa.array(kwh),
        "energy_label": MEASURED,
        "energy_source": SOURCE,
        "energy_at_plug": table.at_plug,
    }
    rows = attempts.rows
    for name, values in told.items():
        column = pc.if_else(pa.array(at), values, rows[name])
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return Attempts(rows=rows)


def _ask(
    asked: Asked,
    table: PrometheusTable,
    http: HttpClient,
    environment: Mapping[str, str],
) -> float | None:
    token = environment.get(TOKEN)
    request = HttpRequest(
        url=f"{table.url.rstrip('/')}/api/v1/query",
        params={
            "query": query_for(asked, table.query),
            "time": f"{asked.end_us / _US_PER_S:.3f}",
        },
        headers={"Authorization": Secret(f"Bearer {token}")} if token else {},
    )
    value = _value(read_json(http.get(request).body, source=SOURCE))
    if value is None:
        return None
    kwh = value * _KWH_IN[table.unit]
    if not math.isfinite(kwh) or not 0 <= kwh <= MAX_KWH:
        raise ValueError(f"{kwh:g} kWh is no energy of a job; is the unit right?")
    return kwh


def _value(answer: Any) -> float | None:
    """The one sample of an instant query, None if there is none."""
    try:
        if answer["status"] != "success":
            raise ValueError("the query failed")
        kind, result = answer["data"]["resultType"], answer["data"]["result"]
        samples = [result] if kind == "scalar" else [one["value"] for one in result]
        if len(samples) > 1:
            raise ValueError(
                f"the query gives {len(samples)} series for one job; sum them"
            )
        return float(samples[0][1]) if samples else None
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError("the answer is not that of an instant query") from error
