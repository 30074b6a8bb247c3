"""Promise against outcome: a settled day in a table and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outputs.evidence import Evidence
from outputs.sheets import Sheet
from outputs.wording import NOTHING, amount, amounts, counted, percent

_STAGES = {
    "promised_of_what_ran": "promised (planned, at forecast values)",
    "planned_at_actual": "the same plan at actual values",
    "dispatched_at_actual": "begun where and when it really began",
    "realised": "realised",
    "hindsight": "best plan in hindsight",
}
_CAUSES = {
    "forecast_error": "forecasts that came out otherwise",
    "dispatch_error": "starts at another time or place than planned",
    "runtime_error": "running times, energies and attempts that were not planned",
}


def outcome_sheet(evidence: Evidence) -> Sheet:
    """Every stage from promise to outcome, on the segments that ran."""
    emitted = evidence.meta["emissions_kg"]
    stages = {words: emitted[name] for name, words in _STAGES.items()}
    saving = evidence.meta["saving"]
    if saving["segments"]:
        stages["asap, with the same work, at actual values"] = saving["baseline_kg"]
    return Sheet(
        columns=("segments that ran", "kg CO₂e"),
        rows=tuple(zip(stages, amounts(list(stages.values())), strict=True)),
        strong=frozenset({list(_STAGES).index("realised")}),
        notes=_left_out(saving),
    )


def regret_sheet(evidence: Evidence) -> Sheet | None:
    """Where the difference to the best plan comes from; None if that is unknown."""
    regret = evidence.meta["regret_kg"]
    if regret is None:
        return None
    lines = {words: regret[cause] for cause, words in _CAUSES.items()}
    lines["together"] = regret["total"]
    return Sheet(
        columns=("more than the best plan because of", "kg CO₂e"),
        rows=tuple(zip(lines, amounts(list(lines.values())), strict=True)),
        strong=frozenset({len(_CAUSES)}),
    )


def outcome_sentences(evidence: Evidence) -> list[str]:
    """The outcome in words, each figure with what it rests on."""
    meta = evidence.meta
    ran = meta["segments"].get("ran", 0)
    all_of = sum(meta["segments"].values())
    emitted = amount(meta["emissions_kg"]["realised"])
    said = [
        f"{ran} of {counted(all_of, 'segment')} ran and are settled; they emitted "
        f"{emitted} kg CO₂e{_provisional(meta)}.",
        _saving_sentence(meta["saving"]),
        _energy_sentence(meta["energy_kwh"]),
        _regret_sentence(meta),
    ]
    said += [_sci_sentence(score) for score in meta["sci"]]
    return [sentence for sentence in said if sentence]


def _provisional(meta: Mapping[str, Any]) -> str:
    return " (provisional: settle again later)" if meta["provisional"] else ""


def _saving_sentence(saving: Mapping[str, Any]) -> str:
    if not saving["segments"]:
        return "No saving is realised: nothing ran that asap would have run."
    if saving["percent"] is None:
        return "No saving is realised: asap would have emitted nothing."
    sure = "" if saving["energy"] == "measured" else f", on {saving['energy']} energy"
    return (
        f"Realised saving against asap with the same work at the same actual values: "
        f"{percent(saving['percent'] / 100)} or {amount(saving['avoided_kg'])} "
        f"kg{sure}."
    )


def _energy_sentence(energy: Mapping[str, Any]) -> str:
    parts = [
        f"{amount(kwh)} kWh {label}"
        for label, kwh in energy["by_label"].items()
        if kwh > 0
    ]
    return f"Energy: {', '.join(parts)}." if parts else ""


def _regret_sentence(meta: Mapping[str, Any]) -> str:
    regret = meta["regret_kg"]
    if regret is None:
        return f"The best plan in hindsight is not known: {_why(meta)}."
    gap = meta["hindsight"]["gap"]
    proof = NOTHING if gap is None else percent(gap)
    than = ", less" if regret["total"] < 0 else " more"
    return (
        f"Regret: {amount(regret['total'])} kg{than} than the best plan in hindsight "
        f"(its gap: {proof})."
    )


def _why(meta: Mapping[str, Any]) -> str:
    return str(meta["hindsight"]["why_unknown"]).rstrip(".")


def _sci_sentence(score: Mapping[str, Any]) -> str:
    if score["g_per_unit"] is None:
        return f"SCI for each {score['unit']}: not known, none was counted."
    made = "with" if score["embodied_kg"] is not None else "without"
    return (
        f"SCI: {amount(score['g_per_unit'])} g CO₂e for each {score['unit']} "
        f"({amount(score['units'])} counted by {score['counted_by']}, {made} the "
        "making of the hardware)."
    )


def _left_out(saving: Mapping[str, Any]) -> tuple[str, ...]:
    left = saving["segments_left_out"]
    if not left or not saving["segments"]:
        return ()
    return (
        f"asap leaves out {counted(left, 'segment')} that ran; its line, and the "
        "saving, are of the others.",
    )
