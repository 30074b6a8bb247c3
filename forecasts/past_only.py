"""Services that tell what was, and nothing of what will be."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from forecasts.errors import ForecastUnavailableError
from forecasts.live import LiveOptionsT, LiveProvider
from forecasts.provider import ForecastRequest
from forecasts.question import Question


class PastProvider(LiveProvider[LiveOptionsT]):
    """A ``LiveProvider`` for ``past = […]``: it is asked by ``fetch --past`` alone."""

    past_only: ClassVar[bool] = True

    def question(self, request: ForecastRequest) -> Question:
        """No forecast.

        Raises
        ------
        ForecastUnavailableError
            Always.
        """
        raise ForecastUnavailableError(
            f"{self.name} tells the past alone; name it in past = [...], collect it "
            "with planner forecast fetch --past, and forecast from that history"
        )

    @abstractmethod
    def measured(self, request: ForecastRequest) -> Question | None:
        """What to ask about time that is over, the grid of a request."""
