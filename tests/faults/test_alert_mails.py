"""Alerts as mails: what they hold, which servers get them, and how long it may take."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.factories_operations import (
    HERE,
    Desk,
    alert,
    incident,
    mail_server,
)

NEEDS_OPENSSL = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="makes a certificate"
)
SECRET = "canary-alert-password"


def mailed(tmp_path: Path, port: int, **changes: Any) -> Desk:
    facts: dict[str, Any] = {
        "kind": "email",
        "server": f"127.0.0.1:{port}",
        "sender": "planner@example.org",
        "to": ["ops@example.org", "night@example.org"],
        "starttls": False,
        "allow": HERE,
    }
    return Desk(tmp_path, [alert(**facts | changes)])


def test_a_mail_goes_to_all_and_nothing_in_it_becomes_a_header(tmp_path: Path) -> None:
    with mail_server() as server:
        desk = mailed(tmp_path, server.port)
        desk.tell(incident("a", message="x\r\nBcc: eve@example.org\r\n.\r\nRSET"))
        assert desk.logged == []
        (mail,) = server.mails
        recipients = [c for c in server.commands if c.upper().startswith("RCPT")]
    assert len(recipients) == 2
    headers, _, text = mail.partition("\r\n\r\n")
    assert "Subject: planner night: 1 failed" in headers
    assert "Bcc" not in headers
    assert "Bcc: eve@example.org . RSET" in text


def test_se_10_a_mail_server_at_a_private_address_is_refused_unless_allowed(
    tmp_path: Path,
) -> None:
    with mail_server() as server:
        desk = mailed(tmp_path, server.port, allow=[])
        desk.tell(incident("a"))
        assert server.commands == []
    assert desk.codes == ["alert-given-up"]


def test_a_mail_server_that_is_busy_is_tried_again_and_a_refusal_is_final(
    tmp_path: Path,
) -> None:
    with mail_server() as server:
        server.refuse["MAIL"] = "451 later"
        desk = mailed(tmp_path, server.port)
        desk.tell(incident("a"), when="02:00")
        server.refuse["MAIL"] = "550 never"
        desk.tell(when="02:05")
        desk.tell(when="05:00")
    assert desk.codes == ["alert-failed", "alert-given-up"]


def test_a_silent_mail_server_costs_no_more_than_its_limit(tmp_path: Path) -> None:
    with mail_server() as server:
        server.silent = True
        desk = mailed(tmp_path, server.port)
        began = time.monotonic()
        desk.tell(incident("a"))
        assert time.monotonic() - began < 3
    assert desk.codes == ["alert-failed"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [
        "openssl", "req", "-x509", "-nodes", "-newkey", "ec",
        "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
        "-keyout", str(path), "-out", str(path.with_suffix(".crt")),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@NEEDS_OPENSSL
def test_the_password_goes_only_to_a_trusted_server_and_encrypted(
    tmp_path: Path, certificate: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    variable = "PLANNER_ALERT_MAIL"
    with mail_server(tls) as server:
        desk = mailed(
            tmp_path, server.port, starttls=True, user="u", password=f"env:{variable}"
        )
        desk.environ = {variable: SECRET}
        desk.tell(incident("a"), when="02:00")
        assert (server.logins, server.mails) == ([], [])
        assert "not trusted" in desk.logged[0].message
        desk.environ = {variable: SECRET, "SSL_CERT_FILE": str(certificate)}
        desk.tell(incident("b"), when="02:01")
        assert server.logins == [f"\0u\0{SECRET}"]
        assert server.encrypted == [True]
        assert SECRET not in " ".join(server.mails)


def test_a_server_without_encryption_gets_neither_password_nor_mail(
    tmp_path: Path,
) -> None:
    with mail_server() as server:
        desk = mailed(tmp_path, server.port, starttls=True)
        desk.tell(incident("a"))
        assert server.mails == []
    assert desk.codes == ["alert-failed"]


def test_sockets_are_closed_after_a_failure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        desk = mailed(tmp_path, deaf.getsockname()[1])
        desk.tell(incident("a"))
    assert desk.codes == ["alert-failed"]
