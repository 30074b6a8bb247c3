"""Draws gap over time as SVG: ``python -m benchmarks.price_picture OUT.svg``."""

from __future__ import annotations

import sys
from math import log10
from pathlib import Path

from benchmarks.measuring import measure
from benchmarks.synthetic import synthetic_day
from solvers.solution import SolveOptions

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _BOTTOM = 680, 360, 60, 90, 40
_SECONDS, _GAPS = (0.1, 100.0), (1e-5, 1.0)
_DAYS = {1_000: "#b2563b", 10_000: "#2f6f8f", 100_000: "#4b8b3b"}


def _x(seconds: float) -> float:
    low, high = map(log10, _SECONDS)
    share = (log10(min(max(seconds, _SECONDS[0]), _SECONDS[1])) - low) / (high - low)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(gap: float) -> float:
    low, high = map(log10, _GAPS)
    share = (log10(min(max(gap, _GAPS[0]), _GAPS[1])) - low) / (high - low)
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - 20)


def _axes() -> list[str]:
    parts = []
    for seconds in (0.1, 1.0, 10.0, 100.0):
        parts.append(
            f'<text x="{_x(seconds):.0f}" y="{_HEIGHT - 18}" text-anchor="middle">'
            f"{seconds:g} s</text>"
        )
    for gap in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        y = _y(gap)
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{100 * gap:g} %</text>"
        )
    return parts


def _curve(trace: list[tuple[float, float]], colour: str, label: str) -> str:
    points = [(_x(t), _y(gap)) for t, gap in trace]
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    path += "".join(f"H{x:.1f}V{y:.1f}" for x, y in points[1:])
    x, y = points[-1]
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{x + 6:.1f}" y="{y + 4:.1f}" fill="{colour}">{label}</text>'
    )


def picture(traces: dict[int, list[tuple[float, float]]]) -> str:
    """SVG of proven gap against solving time, both on log scales."""
    curves = [
        _curve(trace, _DAYS[n], f"{n:,} jobs") for n, trace in traces.items() if trace
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        + "".join(_axes() + curves)
        + "</svg>\n"
    )


def main() -> None:
    """Solve one day of each size and draw how the gap falls."""
    traces = {}
    for n in _DAYS:
        options = SolveOptions(gap=1e-5, time_limit_s=40.0, threads=2)
        trace = measure("price", synthetic_day(n, seed=1), options)["trace"]
        assert isinstance(trace, list)
        traces[n] = trace
    Path(sys.argv[1]).write_text(picture(traces), encoding="utf-8")


if __name__ == "__main__":
    main()
