"""Energy of an attempt by a query to Prometheus, through the disciplined client.

Documented at https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from forecasts.errors import ForecastError
from forecasts.http.client import HttpClient
from forecasts.http.json_body import read_json
from forecasts.http.message import HttpRequest
from forecasts.http.secret import Secret
from inputs.settings import PrometheusTable
from planner.executor.energy import J_PER_KWH, MEASURED
from planner.executor.energy_file import MAX_KWH
from planner.settlement.attempts import Attempt, Times

SOURCE = "Prometheus"
TOKEN = "PROMETHEUS_TOKEN"
"""Variable with the bearer token, if the server wants one."""

_KWH_IN = {"kWh": 1.0, "J": 1 / J_PER_KWH}
_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Attempts with the energy that was found, and what went wrong, once each."""

    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...]


def metered_by_query(
    attempts: Iterable[Attempt],
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
    found, problems = [], dict[str, None]()
    for attempt in attempts:
        asked = attempt
        if _is_wanted(attempt):
            try:
                kwh = _ask(attempt, table, http, environment)
                asked = attempt if kwh is None else _with(attempt, kwh, table)
            except (ForecastError, ValueError) as error:
                problems[f"{SOURCE}: {error}"] = None
        found.append(asked)
    return Answers(attempts=tuple(found), notes=tuple(problems)[:3])


def query_for(attempt: Attempt, template: str) -> str:
    """Query about one attempt; values are escaped as in a PromQL string.

    Only the placeholders are replaced, so that the braces of a selector stay.
    """
    start, end, _ = attempt.times()
    values = {
        "{key}": attempt.key,
        "{job_id}": attempt.job_id,
        "{region}": attempt.region,
        "{seconds}": str(max(1, -(-(end - start) // _US_PER_S))),
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


def _is_wanted(attempt: Attempt) -> bool:
    known = attempt.ran and attempt.energy_kwh is None
    return known and attempt.times()[2] is not Times.ASSUMED


def _with(attempt: Attempt, kwh: float, table: PrometheusTable) -> Attempt:
    return replace(
        attempt,
        energy_kwh=kwh,
        energy_label=MEASURED,
        energy_source=SOURCE,
        energy_at_plug=table.at_plug,
    )


def _ask(
    attempt: Attempt,
    table: PrometheusTable,
    http: HttpClient,
    environment: Mapping[str, str],
) -> float | None:
    token = environment.get(TOKEN)
    request = HttpRequest(
        url=f"{table.url.rstrip('/')}/api/v1/query",
        params={
            "query": query_for(attempt, table.query),
            "time": f"{attempt.times()[1] / _US_PER_S:.3f}",
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
