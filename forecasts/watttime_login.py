"""WattTime's login: user and password for a token that lets in for half an hour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from forecasts.errors import ForecastUnavailableError
from forecasts.http.errors import KeyRefusedError
from forecasts.http.json_body import read_json
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.http.secret import Secret, basic, bearer, from_environment
from forecasts.provider import ForecastRequest
from forecasts.question import Get, Send

USER, PASSWORD = "WATTTIME_USER", "WATTTIME_PASSWORD"
TOKEN_LIFE = timedelta(minutes=30)

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: Secret
    until: datetime


class Login:
    """Keeps the token of one run in memory, for all regions."""

    def __init__(self) -> None:
        self._token: _Token | None = None

    def sending(
        self, http: HttpRequest, base_url: str, request: ForecastRequest
    ) -> Send:
        """How a request is sent: with a token, for which it logs in if need be.

        Raises
        ------
        ForecastError
            If the environment has no user or password.
        """
        login = login_request(
            base_url,
            user=from_environment(request.environment, USER),
            password=from_environment(request.environment, PASSWORD),
        )
        return partial(self._send, http, login, now=request.now)

    def _send(
        self, http: HttpRequest, login: HttpRequest, get: Get, *, now: datetime
    ) -> HttpAnswer:
        """Ask with the token at hand; if it has run out unseen, with one more."""
        token = self._token
        if token is not None and now < token.until:
            try:
                return get(with_token(http, token.value))
            except KeyRefusedError:
                self._token = None
        self._token = _log_in(login, get=get, now=now)
        return get(with_token(http, self._token.value))


def login_request(base_url: str, *, user: Secret, password: Secret) -> HttpRequest:
    """Request for a token."""
    return HttpRequest(
        url=f"{base_url}/login",
        headers={"Authorization": basic(user, password)},
        gives_key=True,
    )


def with_token(http: HttpRequest, token: Secret) -> HttpRequest:
    """The same request with the token that lets it in."""
    return HttpRequest(
        url=http.url, params=http.params, headers={"Authorization": token}
    )


def _log_in(login: HttpRequest, *, get: Get, now: datetime) -> _Token:
    try:
        answer = get(login)
    except KeyRefusedError as error:
        raise KeyRefusedError(f"{error}; that is {USER} and {PASSWORD}") from None
    # not read_model: its findings would quote the token
    read = read_json(answer.body, source="watttime login")
    token = read.get("token") if isinstance(read, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ForecastUnavailableError("the login gave no token of any use")
    # a minute early, so that none runs out on the way
    return _Token(value=bearer(token), until=now + TOKEN_LIFE - timedelta(minutes=1))
