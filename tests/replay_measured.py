"""What forecast services tell of time that is over, beside their forecasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.replay_generation import entsoe_generation, measured_at
from tests.replay_price import electricity_maps_price
from tests.replay_servers import Answer, Reply, Seen
from tests.replay_services import CANARY, TOKEN, USER, Service, lb, steps, watttime, z

PAST_ONLY = (
    Service(
        name="entsoe_generation",
        zone="DE",
        answer=lambda **_: lambda _: Reply({}, 404),
        environment={"ENTSOE_API_KEY": CANARY},
        options={"factors": "factors.csv"},
    ),
    Service(
        name="watttime_average",
        zone="CAISO",
        answer=watttime,
        environment={"WATTTIME_USER": USER, "WATTTIME_PASSWORD": CANARY},
    ),
)
"""Those who forecast nothing, and are named in ``past``."""


def remembering(service: Service, now: datetime, *, scale: float = 1.0) -> Answer:
    """A service that answers about the past as well as about what is to come."""
    forecast = service.answer(issued=now)
    past = _PASTS[service.name]

    def answer(seen: Seen) -> Reply:
        told = past(seen, now, scale)
        return forecast(seen) if told is None else told

    return answer


def _electricity_maps(seen: Seen, now: datetime, scale: float) -> Reply | None:
    if not seen.path.endswith("/past-range"):
        return None
    if seen.headers.get("auth-token") != CANARY:
        return Reply({"error": "Invalid auth-token"}, 401)
    start, end = (datetime.fromisoformat(seen.query[k]) for k in ("start", "end"))
    if end - start > timedelta(days=10):
        return Reply({"status": "error", "message": "more than 10 days"}, 400)
    if "price" in seen.path:
        path = "/v4/price-day-ahead/forecast"
        return electricity_maps_price(issued=now)(Seen(path, seen.query, seen.headers))
    rows = [
        {
            "datetime": z(at, ".000"),
            "carbonIntensity": scale * measured_at(at),
            "isEstimated": True,
            "estimationMethod": "TIME_SLICER_AVERAGE",
        }
        for at in steps(start, min(end, now), 60)
    ]
    zone, step = seen.query["zone"], "hourly"
    return Reply({"zone": zone, "data": rows, "temporalGranularity": step})


def _watttime(seen: Seen, now: datetime, scale: float) -> Reply | None:
    if seen.path != "/v3/historical":
        return None
    if seen.headers.get("authorization") != f"Bearer {TOKEN}":
        return Reply(b"<html>403 Forbidden</html>", 403)
    start, end = (datetime.fromisoformat(seen.query[k]) for k in ("start", "end"))
    if end - start > timedelta(days=32):
        return Reply({"error": "INVALID_QUERY_PARAMS", "message": "32 days"}, 400)
    late = now - timedelta(hours=1)  # it publishes with a delay
    until = min(end + timedelta(minutes=5), late)  # its end counts in
    minutes = 60 if seen.query["signal_type"] == "co2_aoer" else 5
    data = [
        {"point_time": at.isoformat(), "value": scale * lb(measured_at(at))}
        for at in steps(start, until, minutes)
    ]
    meta = {
        "data_point_period_seconds": 60 * minutes,
        "region": seen.query["region"],
        "signal_type": seen.query["signal_type"],
        "units": "lbs_co2_per_mwh",
        "warnings": [],
        "model": {"date": "2023-03-01"},
    }
    return Reply({"data": data, "meta": meta})


def _uk(seen: Seen, now: datetime, scale: float) -> Reply | None:
    if not seen.path.startswith("/intensity/"):
        return None
    start, end = (datetime.fromisoformat(p) for p in seen.path.split("/")[2:4])
    if end - start > timedelta(days=14):
        return Reply({"error": {"code": "400", "message": "14 days"}}, 400)
    half = timedelta(minutes=30)
    rows = [
        {
            "from": f"{at:%Y-%m-%dT%H:%MZ}",
            "to": f"{at + half:%Y-%m-%dT%H:%MZ}",
            "intensity": {
                "forecast": 333,
                "actual": scale * measured_at(at) if at + half <= now else None,
                "index": "moderate",
            },
        }
        for at in steps(start - half, end, 30)
    ]
    return Reply({"data": rows})


def _energy_charts(seen: Seen, now: datetime, scale: float) -> Reply | None:
    if seen.path != "/co2eq":
        return None
    start, end = (
        datetime.fromtimestamp(int(seen.query[k]), UTC) for k in ("start", "end")
    )
    times = list(steps(start, min(end, now), 15))
    return Reply(
        {
            "unix_seconds": [int(at.timestamp()) for at in times],
            "co2eq": [scale * measured_at(at) for at in times],
            "co2eq_forecast": [333.0 for _ in times],
            "deprecated": False,
        }
    )


def _carbon_aware_sdk(seen: Seen, now: datetime, scale: float) -> Reply | None:
    if seen.path != "/emissions/bylocation":
        return None
    start, end = (datetime.fromisoformat(seen.query[k]) for k in ("time", "toTime"))
    rows = [
        {
            "location": seen.query["location"],
            "time": at.isoformat(),
            "rating": scale * measured_at(at),
            "duration": "01:00:00",
        }
        for at in steps(start, min(end, now), 60)
    ]
    return Reply(rows) if rows else Reply(b"", 204)


def _nothing(seen: Seen, now: datetime, scale: float) -> Reply | None:
    return None


_PASTS = {
    "electricity_maps": _electricity_maps,
    "watttime": _watttime,
    "uk_carbon_intensity": _uk,
    "energy_charts": _energy_charts,
    "entsoe": _nothing,
    "carbon_aware_sdk": _carbon_aware_sdk,
    "entsoe_generation": entsoe_generation,
    "watttime_average": _watttime,
}
