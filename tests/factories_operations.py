"""A site that is watched over, and the servers on this machine that it tells."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from inputs.settings_operations import AlertTable
from planner.executor.backends.deadline import CallLimits
from planner.operations.alerts.delivery import Post
from planner.operations.incidents import Incident, Level, Trouble
from tests.factories_executor import at

QUICK = CallLimits(connect_s=1.0, silent_s=1.0, total_s=1.0)
HERE = ["127.0.0.0/8"]


def alert(**changes: Any) -> AlertTable:
    """A table of ``[[alerts]]``, checked."""
    table = AlertTable.model_validate({"kind": "webhook", "allow": HERE} | changes)
    assert list(table.faults()) == []
    return table


def incident(subject: str = "a", when: str = "02:00", **changes: Any) -> Incident:
    """A failed job."""
    facts: dict[str, Any] = {
        "code": "dispatch-failed",
        "level": Level.ERROR,
        "message": f"{subject} in north is failed",
        "at": at(when),
        "trouble": Trouble.FAILED,
        "subject": subject,
        "facts": {"job_id": subject, "plan_id": "p"},
    }
    return Incident(**facts | changes)


@dataclass
class Desk:
    """The alerts of a site, with what it logs."""

    folder: Path
    alerts: list[AlertTable]
    environ: Mapping[str, str] = field(default_factory=dict)
    limits: CallLimits = QUICK
    logged: list[Incident] = field(default_factory=list)

    @property
    def post(self) -> Post:
        """As a process of its own would have it."""
        return Post(
            alerts=self.alerts,
            memory=self.folder / "operations" / "alerts.sqlite",
            environ=self.environ,
            site="night",
            log=self.logged.append,
            limits=self.limits,
            rng=Random(1),
        )

    def tell(self, *incidents: Incident, when: str = "02:00", **options: Any) -> None:
        """One run, at an instant of the planned day, or so many hours later."""
        hours, minutes = (int(part) for part in when.split(":"))
        now = at("00:00") + timedelta(hours=hours, minutes=minutes)
        self.post.tell(incidents, now=now, **options)

    @property
    def codes(self) -> list[str]:
        return [one.code for one in self.logged]


@dataclass
class MailServer:
    """What an SMTP server on a port of this machine was told.

    Parameters
    ----------
    refuse
        Reply to a command of SMTP, instead of a good one.
    """

    port: int
    refuse: dict[str, str] = field(default_factory=dict)
    mails: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    silent: bool = False


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """A small SMTP server; with STARTTLS if there is a certificate."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = MailServer(listener.getsockname()[1])
        stopping = threading.Event()

        def serve() -> None:
            while not stopping.is_set():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    with connection, suppress(OSError, ssl.SSLError):
                        connection.settimeout(5)
                        session = _Session(server, connection, tls, stopping)
                        try:
                            session.run()
                        finally:
                            session.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


class _Session:
    def __init__(
        self,
        server: MailServer,
        connection: socket.socket,
        tls: ssl.SSLContext | None,
        stopping: threading.Event,
    ) -> None:
        self.server, self.connection, self.tls = server, connection, tls
        self.stopping = stopping
        self.is_encrypted = False
        self.lines = connection.makefile("rb")

    def run(self) -> None:
        if self.server.silent:
            self.stopping.wait(10)
            return
        self.say("220 here")
        handlers: dict[str, Callable[[str], None]] = {
            "EHLO": self.greet,
            "STARTTLS": self.encrypt,
            "AUTH": self.log_in,
            "DATA": self.data,
        }
        while line := self.lines.readline().decode().strip():
            word = line.split()[0].upper()
            self.server.commands.append(line)
            if word in self.server.refuse:
                self.say(self.server.refuse[word])
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                handlers.get(word, lambda _: self.say("250 good"))(line)

    def close(self) -> None:
        self.lines.close()
        self.connection.close()

    def greet(self, line: str) -> None:
        offer = "STARTTLS" if self.tls and not self.is_encrypted else "AUTH PLAIN"
        self.say("250-here", f"250 {offer}")

    def encrypt(self, line: str) -> None:
        assert self.tls is not None
        self.say("220 go on")
        self.lines.close()
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.lines, self.is_encrypted = self.connection.makefile("rb"), True

    def log_in(self, line: str) -> None:
        self.server.logins.append(base64.b64decode(line.split()[2]).decode())
        self.say("235 welcome")

    def data(self, line: str) -> None:
        self.say("354 go on")
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            text += self.lines.readline()
        self.server.mails.append(text.decode())
        self.server.encrypted.append(self.is_encrypted)
        self.say("250 taken")

    def say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())
