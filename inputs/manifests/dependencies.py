"""Whether ``depends_on`` makes sense: every name exists and nothing waits for itself.

Linear in jobs and dependencies. Planning with dependencies comes later; mistakes in
them are told already now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from inputs.findings import nearest, quoted
from inputs.manifests.draft import Draft

_SHOWN = 6
_MOST_CYCLES = 20
"""Cycles told at once; each costs a walk along the path."""

_MOST_COMPARED = 10_000


def check_dependencies(drafts: Sequence[Draft]) -> None:
    """Report missing names and cycles, a cycle once in each manifest it touches.

    Parameters
    ----------
    drafts
        All manifests of the workspace: a job may depend on another team's.
    """
    place: dict[str, tuple[Draft, int]] = {}
    waits: dict[str, list[str]] = {}
    if not any("depends_on" in draft.columns for draft in drafts):
        return
    for draft in drafts:
        ids, lists = draft.strings("id").to_pylist(), draft.lists("depends_on")
        for row, (id_, before) in enumerate(zip(ids, lists.to_pylist(), strict=True)):
            if id_ is not None:
                place.setdefault(id_, (draft, row))
                waits.setdefault(id_, before or [])
    for id_, before in waits.items():
        missing = [name for name in before if name not in waits]
        if missing:
            hint = _nearest_id(missing[0], waits)
            _tell(place[id_], quoted(missing[0]), "a job's id", hint)
    for cycle in _cycles(waits):
        shown = [*cycle[:_SHOWN], "…"] if len(cycle) > _SHOWN else cycle
        found = f"a cycle of {len(cycle):,}: {' → '.join([*shown, cycle[0]])}"
        first = {id(place[id_][0]): place[id_] for id_ in reversed(cycle)}
        for at in first.values():
            _tell(at, found, "jobs that wait for others only", None)


def _nearest_id(name: str, known: Mapping[str, object]) -> str | None:
    """Hint with the closest id, unless there are too many to compare."""
    return nearest(name, known) if len(known) <= _MOST_COMPARED else None


def _tell(at: tuple[Draft, int], found: str, expected: str, hint: str | None) -> None:
    draft, row = at
    draft.findings.add(
        line=draft.locate(row, "depends_on"),
        job=draft.job(row),
        field="depends_on",
        found=found,
        expected=expected,
        hint=hint,
    )


def _cycles(waits: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """First cycles met by one depth-first walk, without recursion."""
    done: set[str] = set()
    cycles = []
    for root in waits:
        if root in done:
            continue
        path: dict[str, int] = {root: 0}
        stack = [(root, iter(waits[root]))]
        while stack:
            id_, rest = stack[-1]
            below = next(rest, None)
            if below is None:
                stack.pop()
                done.add(id_)
                del path[id_]
            elif below in path:
                cycles.append(list(path)[path[below] :])
                if len(cycles) == _MOST_CYCLES:
                    return cycles
            elif below in waits and below not in done:
                path[below] = len(path)
                stack.append((below, iter(waits[below])))
    return cycles
