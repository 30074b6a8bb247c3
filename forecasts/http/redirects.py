"""Redirects within a host, with keys kept where they were."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, quote, urljoin

from forecasts.http.errors import AnswerRefusedError
from forecasts.http.message import HttpAnswer, HttpRequest, origin_of
from forecasts.http.secret import HIDDEN, spellings


def redirected(request: HttpRequest, answer: HttpAnswer) -> HttpRequest:
    """The same request at the new address, if that is of the same host.

    Raises
    ------
    AnswerRefusedError
        If it is not, or would hold a key in an odd place.
    """
    target = urljoin(request.address, answer.headers.get("location", ""))
    try:
        stays = origin_of(target) == request.origin
    except ValueError:
        stays = False
    if not stays:
        raise AnswerRefusedError(
            f"{request.url}: redirects to another host, which is not followed; if the "
            "service has moved, set its new base_url"
        )
    return _at(target, request)


def _at(target: str, request: HttpRequest) -> HttpRequest:
    """The request at another address; keys that stand in it are hidden again."""
    url, _, query = target.partition("?")
    known = {secret.reveal(): secret for secret in request.secrets}
    params = {name: known.get(value, value) for name, value in parse_qsl(query)}
    key = request.url_key
    if key is not None:
        url = url.replace(quote(key.reveal(), safe=""), HIDDEN, 1)
        key = key if HIDDEN in url else None
    plain = [url, *(f"{n}={v}" for n, v in params.items() if isinstance(v, str))]
    if any(
        spelling in text for spelling in spellings(request.secrets) for text in plain
    ):
        raise AnswerRefusedError(
            f"{request.url}: redirects to an address with a key in an odd place, "
            "which is not followed"
        )
    return replace(request, url=url, params=params, url_key=key)
