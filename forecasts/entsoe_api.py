"""What all data of the ENTSO-E Transparency Platform have in common: how it is asked.

The parts of the API that are used are described in docs/providers/entsoe.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.http.message import HttpRequest, Media, one_line
from forecasts.http.secret import Secret
from forecasts.http.xml_body import Element, read_xml
from inputs.errors import Finding
from inputs.timegrid import TimeGrid

SERVICE = "https://web-api.tp.entsoe.eu"
TOKEN = "ENTSOE_API_KEY"
NOTHING = "Acknowledgement_MarketDocument"


def api_request(
    base_url: str, asked: Mapping[str, str], *, grid: TimeGrid, key: Secret
) -> HttpRequest:
    """Request for data of the time of a grid; its key stands in the query."""
    return HttpRequest(
        url=f"{base_url}/api",
        params={
            **asked,
            "periodStart": _minute(grid.start),
            "periodEnd": _minute(grid.end),
            "securityToken": key,
        },
        media=Media.XML,
        # older installations say with a 400 that there is nothing
        answers=frozenset({400}),
    )


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%d%H%M}"


def document(
    body: bytes, *, source: str, wanted: str, none: Callable[[str], str]
) -> Element:
    """Root of an answer that holds data; what it is, that element says.

    Parameters
    ----------
    body
        As sent.
    source
        Provider, for messages.
    wanted
        Name of the root.
    none
        Sentence for an answer that says that there is no such data, from its words.

    Raises
    ------
    ForecastError
        If it cannot be read, is another document, or says that there is nothing.
    """
    root = read_xml(body, source=source)
    if root.name == NOTHING:
        raise _refusal(root, none)
    if root.name != wanted:
        finding = Finding(
            path=f"answer of {source}",
            found=f"a document {one_line(root.name)!r}",
            expected=wanted,
        )
        raise ForecastFormatError([finding])
    return root


def _refusal(root: Element, none: Callable[[str], str]) -> ForecastUnavailableError:
    """What a document without data says; usually that there is none."""
    texts = [one_line(reason.first("text") or "") for reason in root.every("Reason")]
    said = f"the service says: {'; '.join(text for text in texts if text) or 'nothing'}"
    if any("no matching data" in text.lower() for text in texts):
        return ForecastUnavailableError(none(said))
    return ForecastUnavailableError(said)
