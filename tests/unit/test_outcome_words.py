"""What a settled day is said to have been."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from outputs.outcome import outcome_sentences


def meta(total_kg: float) -> dict[str, Any]:
    return {
        "segments": {"ran": 1},
        "emissions_kg": {"realised": 0.6},
        "provisional": False,
        "saving": {"segments": 0},
        "energy_kwh": {"by_label": {}},
        "regret_kg": {"total": total_kg},
        "hindsight": {"gap": 0.0},
        "sci": [],
    }


@pytest.mark.parametrize(
    ("total_kg", "said"),
    [
        (0.4, "Regret: 0.400 kg more than the best plan in hindsight (its gap: 0 %)."),
        (
            -0.4,
            "Regret: −0.400 kg, less than the best plan in hindsight (its gap: 0 %).",
        ),
    ],
)
def test_a_negative_regret_is_less_than_the_best_plan(
    total_kg: float, said: str
) -> None:
    evidence: Any = SimpleNamespace(meta=meta(total_kg))
    assert said in outcome_sentences(evidence)
