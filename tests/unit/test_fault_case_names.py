"""Each case of the list of faults of forecasts and HTTP has tests that name it."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
NAME = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def test_every_fault_of_forecasts_is_named_by_tests() -> None:
    found: set[int] = set()
    for path in TESTS.rglob("test_*.py"):
        for name in NAME.findall(path.read_text(encoding="utf-8")):
            found |= {int(number) for number in re.findall(r"_fc_(\d\d)", name)}
    assert found == set(range(1, 19))
