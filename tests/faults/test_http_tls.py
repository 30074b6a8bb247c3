"""FC-17: certificates that are not trusted, on a loopback server."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from forecasts.http.errors import AnswerRefusedError
from forecasts.http.message import HttpRequest
from forecasts.http.secret import Secret
from tests.drivers_live import client_of
from tests.replay_servers import Reply, Seen, serving

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="makes a certificate")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a good certificate, one for another host and one run out."""
    folder = tmp_path_factory.mktemp("tls")
    for name, host in (("good", "IP:127.0.0.1"), ("other", "DNS:elsewhere.invalid")):
        command = [
            str(OPENSSL), "req", "-x509", "-nodes",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-subj", "/CN=replay", "-addext", f"subjectAltName={host}",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
        ]  # fmt: skip
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    _run_out(folder)
    return folder


def _run_out(folder: Path) -> None:
    """The good certificate again, but over since yesterday."""
    shutil.copy(folder / "good.key", folder / "expired.key")
    (folder / "names.txt").write_text("subjectAltName=IP:127.0.0.1\n")
    asked = [str(OPENSSL), "req", "-new", "-key", "expired.key",
             "-subj", "/CN=replay", "-out", "expired.csr"]  # fmt: skip
    signed = [str(OPENSSL), "x509", "-req", "-in", "expired.csr", "-days", "-1",
              "-signkey", "expired.key", "-extfile", "names.txt",
              "-out", "expired.pem"]  # fmt: skip
    for command in (asked, signed):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def context(folder: Path, name: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return made


def answer(seen: Seen) -> Reply:
    return Reply({"fine": True})


def request_to(url: str) -> HttpRequest:
    return HttpRequest(url=url, headers={"auth-token": Secret("canary-canary")})


def test_fc_17_self_signed_certificate_is_refused_at_once_and_sees_no_key(
    certificates: Path,
) -> None:
    with serving(answer, context(certificates, "good")) as server:
        with pytest.raises(AnswerRefusedError, match="not trusted"):
            client_of().get(request_to(server.url))
        assert not server.seen


def test_fc_17_certificate_for_another_host_is_refused(certificates: Path) -> None:
    trusted = {"SSL_CERT_FILE": str(certificates / "other.pem")}
    with serving(answer, context(certificates, "other")) as server:
        with pytest.raises(AnswerRefusedError, match="not trusted"):
            client_of(environment=trusted).get(request_to(server.url))
        assert not server.seen


def test_fc_17_trusted_certificate_that_has_expired_is_refused_and_sees_no_key(
    certificates: Path,
) -> None:
    trusted = {"SSL_CERT_FILE": str(certificates / "expired.pem")}
    with serving(answer, context(certificates, "expired")) as server:
        with pytest.raises(AnswerRefusedError, match=r"not trusted.*expired"):
            client_of(environment=trusted).get(request_to(server.url))
        assert not server.seen


def test_fc_17_certificate_that_the_user_trusts_is_good(certificates: Path) -> None:
    trusted = {"SSL_CERT_FILE": str(certificates / "good.pem")}
    with serving(answer, context(certificates, "good")) as server:
        got = client_of(environment=trusted).get(request_to(server.url))
        assert got.body == b'{"fine": true}'
        assert server.seen[0].headers["auth-token"] == "canary-canary"
