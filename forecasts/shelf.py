"""Where answers and issues of one zone of one provider are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from forecasts.http.answers import Answers, folder_name
from forecasts.issues import newest_about
from forecasts.provider import ForecastRequest, Observations
from forecasts.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Folders of one question asked again and again.

    Parameters
    ----------
    answers
        The newest answer to each form of it.
    history
        Folder of every issue ever fetched.
    """

    answers: Answers
    history: Path

    @classmethod
    def of(cls, outputs: Path, own: Path) -> Shelf:
        """Shelf below ``outputs``; ``own`` is provider and name."""
        return cls(
            answers=Answers(folder=outputs / "cache" / "http" / own),
            history=outputs / "forecasts" / "history" / own,
        )

    def past(self, request: ForecastRequest) -> tuple[Observations, ...]:
        """Earlier issues about the part of the horizon that is over."""
        about = newest_about(
            self.history,
            series=request.series,
            as_of=request.now,
            span=(request.grid.start, request.now),
        )
        return tuple(replace(issue, place=request.region.name) for issue in about)


def shelf_name(zone: str, series: Series) -> str:
    """Name of a folder for a zone; other series than carbon stand beside it.

    Examples
    --------
    >>> shelf_name("SE-SE3", Series.CARBON), shelf_name("SE-SE3", Series.PRICE)
    ('SE-SE3', 'SE-SE3.price')
    """
    name = folder_name(zone)
    return name if series is Series.CARBON else f"{name}.{series.value}"
