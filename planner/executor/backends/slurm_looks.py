"""Looks at Slurm, each of which serves all questions of a while."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from planner.executor.backends.slurm_records import Entry

FRESH_S = 1.0
"""One look serves all questions of at least this long. [s]"""

Jobs = Mapping[str, list[Entry]]
"""Slurm's jobs by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What recent looks have shown.

    Parameters
    ----------
    timer
        A steady clock. [s]
    """

    timer: Callable[[], float]
    _seen: dict[Hashable, tuple[float, Jobs]] = field(default_factory=dict)

    def recent(self, at: Hashable, look: Callable[[], Jobs]) -> Jobs:
        """What a recent look at something has shown, or a new one shows.

        Parameters
        ----------
        at
            What is looked at.
        look
            How to look anew.
        """
        began = self.timer()
        until, seen = self._seen.get(at, (began, {}))
        if began >= until:
            seen = look()
            ended = self.timer()
            for old in [one for one, (ends, _) in self._seen.items() if ends <= ended]:
                del self._seen[old]
            # What answers slowly is asked less often.
            fresh_s = max(FRESH_S, 5 * (ended - began))
            self._seen[at] = (ended + fresh_s, seen)
        return seen
