"""Messages by mail, over one SMTP server, encrypted by STARTTLS."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from planner.executor.backends.http_call import Network, connect, is_open
from planner.executor.errors import BackendError, RejectedError
from planner.operations.alerts.channel import networks, revealed
from planner.operations.alerts.message import Message, shortened
from planner.operations.errors import AlertError, AlertRefusedError

if TYPE_CHECKING:
    from inputs.settings_operations import AlertTable
    from planner.executor.backends.deadline import CallLimits


class Mail:
    """Channel ``email``."""

    def __init__(self, alert: AlertTable, environ: Mapping[str, str]) -> None:
        self._alert = alert
        self._environ = environ

    def send(self, message: Message, limits: CallLimits) -> None:
        """Hand the mail to the server, for all who are to get it."""
        alert = self._alert
        assert alert.server is not None, "checked with the settings"
        assert alert.sender is not None, "checked with the settings"
        password = revealed(alert.password or "", self._environ)
        mail = mail_of(message, sender=alert.sender, to=alert.to)
        try:
            with _connected(alert, limits) as smtp:
                if alert.starttls:
                    smtp.starttls(context=_context(self._environ))
                if alert.user is not None:
                    smtp.login(alert.user, password)
                refused = smtp.send_message(mail)
        except smtplib.SMTPResponseException as error:
            raise _judged(error.smtp_code) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _judged(min(codes, default=550)) from error
        except RejectedError as error:
            raise AlertRefusedError(str(error)) from error
        except (smtplib.SMTPException, BackendError) as error:
            raise AlertError(_said(error)) from error
        except ssl.SSLCertVerificationError as error:
            raise AlertRefusedError(
                "the server's certificate is not trusted"
            ) from error
        except OSError as error:
            raise AlertError(_said(error)) from error
        if refused:
            raise AlertRefusedError(f"{len(refused)} of {len(alert.to)} addresses")


def mail_of(message: Message, *, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The mail; nothing in a notice can become a header."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = shortened(message.subject)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join([message.subject, "", *message.lines, ""]))
    return mail


class _Smtp(smtplib.SMTP):
    """A client that connects to a checked address and to no other."""

    def __init__(
        self, *, allowed: tuple[Network, ...], limits: CallLimits, name: str
    ) -> None:
        self._allowed = allowed
        self._limits = limits
        super().__init__(local_hostname=name, timeout=limits.silent_s)

    def reach(self, host: str, port: int) -> None:
        """Connect; encryption is checked against this name."""
        self._host = host
        code, _ = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, b"")

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        sock = connect(host, port, allowed=self._allowed, limits=self._limits)
        sock.settimeout(self._limits.silent_s)
        return sock


@contextmanager
def _connected(alert: AlertTable, limits: CallLimits) -> Iterator[_Smtp]:
    """A client whose socket is shut down at the deadline, whatever happens."""
    assert alert.server is not None
    assert alert.sender is not None
    host, _, port = alert.server.rpartition(":")
    allowed = networks(alert)
    smtp = _Smtp(allowed=allowed, limits=limits, name=_domain(alert.sender))

    def shut() -> None:
        # Not SSLSocket.shutdown, which would drop the encryption first.
        if isinstance(sock := smtp.sock, socket.socket):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    clock = threading.Timer(limits.total_s, shut)
    clock.daemon = True
    clock.start()
    try:
        smtp.reach(host, int(port))
        if not alert.starttls:
            _refuse_open_way(smtp, allowed)
        yield smtp
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
    finally:
        clock.cancel()
        smtp.close()


def _refuse_open_way(smtp: _Smtp, allowed: tuple[Network, ...]) -> None:
    """Mail that is not encrypted stays on this machine, and only if that is meant."""
    assert isinstance(smtp.sock, socket.socket)
    address = ipaddress.ip_address(smtp.sock.getpeername()[0])
    if not (address.is_loopback and is_open(address, allowed)):
        raise RejectedError("without starttls only a server on this machine is used")


def _context(environ: Mapping[str, str]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=environ.get("SSL_CERT_FILE") or None)


def _judged(code: int) -> AlertError:
    """What an SMTP reply means; its text may repeat what was sent."""
    if code >= 500 and code not in (530, 535):  # credentials may be mended
        return AlertRefusedError(f"the mail server refuses with {code}")
    return AlertError(f"the mail server answers {code}")


def _said(error: BaseException) -> str:
    if isinstance(error, BackendError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "the mail server timed out"
    return (
        f"the mail server: {getattr(error, 'strerror', None) or type(error).__name__}"
    )


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2]
