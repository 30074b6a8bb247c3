from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from forecasts.http.errors import (
    AnswerRefusedError,
    HttpError,
    PassingFaultError,
    RestingError,
)
from forecasts.http.limits import Limits, retry_after_s, wait_s
from forecasts.http.message import HttpRequest, one_line
from forecasts.http.secret import Secret
from forecasts.http.transfer import Route
from tests.drivers_live import SHORT, Waits, client_of
from tests.replay_servers import (
    Reply,
    Seen,
    closed_port,
    drip_body,
    endless,
    hang,
    redirect,
    replying,
    serving,
)
from tests.replay_services import NOW


def good(seen: Seen) -> Reply:
    return Reply({"path": seen.path})


def test_waits_are_spread_and_grow_and_never_undercut_what_was_asked() -> None:
    limits, rng = Limits(), Random(1)
    first = [wait_s(0, asked_s=None, limits=limits, rng=rng) for _ in range(200)]
    third = [wait_s(2, asked_s=None, limits=limits, rng=rng) for _ in range(200)]
    assert 0.5 <= min(first) < 0.6 < 1.4 < max(first) <= 1.5
    assert 2.0 <= min(third) < max(third) <= 6.0
    asked = [wait_s(0, asked_s=7.0, limits=limits, rng=rng) for _ in range(200)]
    assert 7.0 <= min(asked) < max(asked) <= 8.0


def test_two_clients_do_not_wait_alike_and_one_seed_does() -> None:
    def slept(seed: int) -> list[float]:
        waits = Waits()
        client = client_of(waits, seed=seed)
        with pytest.raises(HttpError):
            client.get(HttpRequest(url=closed_port()))
        return waits.slept

    assert slept(1) == slept(1)
    assert slept(1) != slept(2)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("Sat, 21 Nov 2026 18:01:00 GMT", 60),
        ("Sat, 21 Nov 2026 17:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 18:01:00 -0000", 60),
        ("9" * 400, 86_400),
        ("Sat, 21 Nov 9026 18:01:00 GMT", 86_400),
        ("-1", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(
    value: str | None, seconds: float | None
) -> None:
    assert retry_after_s(value, NOW) == seconds


def test_failing_host_costs_its_total_once_however_many_ask() -> None:
    waits = Waits()
    client = client_of(waits)
    with serving(good) as server:
        server.misbehave(forever=replying(500))
        for path in "abc":
            with pytest.raises(HttpError):
                client.get(HttpRequest(url=f"{server.url}/{path}"))
        assert len(server.seen) == client.limits.attempts
    assert sum(waits.slept) < client.limits.total_s


def test_slow_host_is_left_when_its_time_of_the_run_is_used_up() -> None:
    waits = Waits()
    client = client_of(waits, limits=Limits(total_s=5, attempts=20))
    with serving(good) as server:
        server.misbehave(*[replying(500)] * 2)
        client.get(HttpRequest(url=server.url))
        spent = sum(waits.slept)
        server.misbehave(forever=replying(500))
        with pytest.raises(HttpError, match="gave up"):
            client.get(HttpRequest(url=server.url))
    assert spent > 1
    assert sum(waits.slept) < 5


def test_hosts_do_not_pay_for_each_other() -> None:
    client = client_of()
    with serving(good) as one, serving(good) as other:
        one.misbehave(forever=replying(500))
        with pytest.raises(HttpError):
            client.get(HttpRequest(url=one.url))
        assert client.get(HttpRequest(url=other.url)).status == 200


@pytest.mark.parametrize("status", [400, 404, 410, 418, 422, 501])
def test_lasting_refusal_is_not_asked_again(status: int) -> None:
    with serving(good) as server:
        server.misbehave(replying(status, {"detail": "no\nno"}))
        with pytest.raises(AnswerRefusedError, match=f"HTTP {status}.*no") as caught:
            client_of().get(HttpRequest(url=server.url))
        assert len(server.seen) == 1
    assert "\n" not in str(caught.value)


def test_answer_that_is_too_long_is_cut_off_and_not_asked_for_again() -> None:
    limits = Limits(max_bytes=100_000)
    with serving(good) as server:
        server.misbehave(forever=endless)
        with pytest.raises(AnswerRefusedError, match="longer than 100,000 bytes"):
            client_of(limits=limits).get(HttpRequest(url=server.url))
        assert len(server.seen) == 1


@pytest.mark.parametrize("fault", [hang, drip_body])
def test_no_thread_is_left_behind_at_the_deadline(fault: object) -> None:
    before = set(threading.enumerate())
    with serving(good) as server:
        server.misbehave(forever=fault)  # type: ignore[arg-type]
        with pytest.raises(HttpError):
            client_of(limits=SHORT).get(HttpRequest(url=server.url))
        for thread in set(threading.enumerate()) - before:
            if thread.name == "http-transfer":
                thread.join(timeout=1)
                assert not thread.is_alive()


def test_key_is_never_sent_in_the_open_to_another_machine() -> None:
    request = HttpRequest(
        url="http://192.0.2.1/x", headers={"auth-token": Secret("canary-canary")}
    )
    with pytest.raises(AnswerRefusedError, match="only sent over https") as caught:
        client_of().get(request)
    assert "canary" not in f"{caught.value!r} {request!r}"


def test_key_that_the_service_echoes_is_not_in_its_answer() -> None:
    secret = Secret("canary/canary+key")
    request_headers = {"auth-token": secret}
    with serving(lambda seen: Reply({"you": seen.headers["auth-token"]})) as server:
        request = HttpRequest(url=server.url, headers=request_headers)
        assert client_of().get(request).body == b'{"you": "***"}'


def test_netrc_and_proxies_of_the_process_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login me password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, closed_port())
    with serving(good) as server:
        client_of().get(HttpRequest(url=server.url))
    assert "authorization" not in server.seen[0].headers
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_route_comes_from_the_given_environment() -> None:
    route = Route.of(
        {
            "HTTPS_PROXY": "http://me:canary@proxy:3128",
            "NO_PROXY": "localhost, .inside",
            "SSL_CERT_FILE": "/etc/ca.pem",
        }
    )
    assert route.proxy_for("https://api.example/x") == "http://me:canary@proxy:3128"
    for direct in ("http://api.example", "https://a.inside", "https://localhost:8"):
        assert route.proxy_for(direct) is None
    assert (
        Route.of({"HTTPS_PROXY": "p", "NO_PROXY": "*"}).proxy_for("https://x") is None
    )
    assert route.certificates == "/etc/ca.pem"
    assert "canary" not in repr(route)


def test_proxy_that_is_down_is_a_passing_fault_without_its_password() -> None:
    proxy = closed_port().replace("//", "//me:canary-canary@")
    client = client_of(environment={"HTTPS_PROXY": proxy})
    with pytest.raises(HttpError, match="Connection refused") as caught:
        client.get(HttpRequest(url="https://192.0.2.1/x"))
    assert "canary" not in str(caught.value)


def test_redirect_changes_neither_scheme_nor_port() -> None:
    with serving(good) as server:
        for target in (
            server.url.replace("http", "https"),
            "http://127.0.0.1:1/",
            "//x",
        ):
            server.misbehave(redirect(target))
            with pytest.raises(AnswerRefusedError, match="another host"):
                client_of().get(HttpRequest(url=server.url))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"until": 1}', '{"until": "2026-11-22T00:00"}']
)
def test_damaged_memory_of_a_cool_down_keeps_nobody_away(
    tmp_path: Path, content: str
) -> None:
    with serving(good) as server:
        client = client_of(memory=tmp_path)
        server.misbehave(forever=replying(429, headers={"Retry-After": "900"}))
        with pytest.raises(HttpError):
            client.get(HttpRequest(url=server.url))
        with pytest.raises(RestingError):
            client_of(memory=tmp_path).get(HttpRequest(url=server.url))
        server.misbehave()
        (file,) = tmp_path.iterdir()
        file.write_text(content)
        assert client_of(memory=tmp_path).get(HttpRequest(url=server.url)).status == 200


def test_cool_down_further_away_than_any_is_not_believed(tmp_path: Path) -> None:
    with serving(good) as server:
        server.misbehave(forever=replying(429, headers={"Retry-After": "86400"}))
        with pytest.raises(HttpError):
            client_of(memory=tmp_path).get(HttpRequest(url=server.url))
        server.misbehave()
        clock_set_back = client_of(memory=tmp_path, now=NOW - timedelta(days=30))
        assert clock_set_back.get(HttpRequest(url=server.url)).status == 200


def test_client_without_a_folder_remembers_within_the_run() -> None:
    client = client_of()
    with serving(good) as server:
        server.misbehave(replying(503, headers={"Retry-After": "900"}))
        with pytest.raises(HttpError, match="left alone"):
            client.get(HttpRequest(url=server.url))
        with pytest.raises(RestingError):
            client.get(HttpRequest(url=server.url))
        assert len(server.seen) == 1


def test_asking_nobody_loads_no_http_library() -> None:
    code = (
        "import sys; from forecasts.registry import names_for; "
        "from forecasts.series import Series; names_for(Series.CARBON); "
        "print('requests' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_faults_carry_what_the_service_asked_for() -> None:
    fault = PassingFaultError("busy", retry_after_s=3.0, busy=True)
    assert (fault.retry_after_s, fault.busy, str(fault)) == (3.0, True, "busy")


def test_text_from_outside_is_quoted_on_one_line() -> None:
    assert one_line("a\x1b[31m\n\tb" + "c" * 100).startswith("a [31m bccc")
    assert len(one_line("c" * 100)) == 80


KEY = Secret("canary/canary+key")


def test_keys_in_query_and_path_are_sent_and_never_part_of_an_address() -> None:
    with serving(lambda seen: Reply({"path": seen.path})) as server:
        request = HttpRequest(
            url=f"{server.url}/***/x", params={"a": "1", "token": KEY}, url_key=KEY
        )
        client_of().get(request)
        (seen,) = server.seen
    assert seen.path == "/canary%2Fcanary%2Bkey/x"
    assert seen.query == {"a": "1", "token": "canary/canary+key"}
    assert request.address == f"{server.url}/***/x?a=1&token=***"
    assert "canary" not in f"{request!r} {request.address}"


def test_address_without_a_key_needs_no_secret_target() -> None:
    request = HttpRequest(url="https://x/y", params={"a": "1"}, headers={"k": KEY})
    assert request.secret_target is None


@pytest.mark.parametrize("where", ["query", "path"])
def test_key_in_an_address_is_hidden_again_after_a_redirect(where: str) -> None:
    with serving(good) as server:
        request = (
            HttpRequest(url=f"{server.url}/a", params={"token": KEY})
            if where == "query"
            else HttpRequest(url=f"{server.url}/***/a", url_key=KEY)
        )
        coded = "canary%2Fcanary%2Bkey"
        target = f"/b?token={coded}" if where == "query" else f"/{coded}/b"
        server.misbehave(redirect(target), replying(404))
        with pytest.raises(AnswerRefusedError, match="HTTP 404") as caught:
            client_of().get(request)
        assert len(server.seen) == 2
    assert server.seen[1].path == ("/b" if where == "query" else f"/{coded}/b")
    assert "canary" not in str(caught.value)
