"""Hands one message to the mail server: by SMTP when one is named, into the demonstration's mailbox when none is.

A failure says whose it is: the server's (try everything later), the moment's (try this one later) or the message's own.
"""

import smtplib
import socket
import ssl
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from workflow.settings import settings

SECONDS = 5.0  # for each answer of the server
GOING_AWAY, PERMANENT = 421, 500


class Unreachable(Exception):
    """The server is away, refuses us, or broke off; nothing is wrong with the message."""


class Later(Exception):
    """The server asks to try this message again later."""


class Never(Exception):
    """The server, or the address itself, refuses this message for good."""


def message(sender_of: str, address: str, subject: str, body: str, message_id: str, made_at: datetime) -> EmailMessage:
    """The mail as it goes out; `sender_of` is the office shown beside our name. Raises `Never` for a bad address."""
    name, own = parseaddr(settings().mail_from)
    mail = EmailMessage(policy=SMTP)
    try:
        mail["From"] = Address(display_name=f"{name}({sender_of})" if sender_of else name, addr_spec=own)
        mail["To"] = Address(addr_spec=address)
        mail["Subject"] = subject
    # What the standard library raises for line breaks and broken addresses.
    except (ValueError, IndexError, MessageError) as error:
        raise Never(f"宛先か件名が正しくありません({type(error).__name__})") from error
    mail["Message-ID"] = message_id
    mail["Date"] = format_datetime(made_at)
    mail["Auto-Submitted"] = "auto-generated"
    # Base64 passes every server, also one without 8BITMIME.
    mail.set_content(body, charset="utf-8", cte="base64")
    return mail


class Post:
    """One connection to the mail server for a run, opened with its first message; nothing is sent without a server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.gone = ""  # why the server cannot be reached; nothing more is tried in this run
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()  # no farewell: a hanging server must not hold the run

    @property
    def named(self) -> bool:
        """Whether there is a server at all."""
        return bool(self.url)

    def send(self, mail: EmailMessage) -> None:
        """Hand the mail over. Raises `Unreachable`, `Later`, `Never`."""
        if self.gone:
            raise Unreachable(self.gone)
        try:
            if self._server is None:
                self._server = _connect(self.url)
            self._server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise self._refusal(code, words) from error
        except smtplib.SMTPDataError as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            if self._server is not None and isinstance(error, smtplib.SMTPNotSupportedError):
                raise Never("宛先に、メールサーバーが扱えない文字があります") from error
            raise self._lost(_told(error)) from error
        except UnicodeError as error:
            raise Never("宛先に、メールアドレスに使えない文字があります") from error

    def _refusal(self, code: int, words: bytes | str) -> Exception:
        told = f"{code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
        if code == GOING_AWAY:
            return self._lost(told)
        return (Never if code >= PERMANENT else Later)(f"メールサーバーが受け取りません({told})")

    def _lost(self, why: str) -> Unreachable:
        self.gone = f"メールサーバーに渡せません({why})"
        return Unreachable(self.gone)


def _connect(url: str) -> smtplib.SMTP:
    """A greeted connection of `smtp://user:password@host:port?starttls=1` or `smtps://…`."""
    parts = urlsplit(url)
    secure, starttls = parts.scheme == "smtps", parse_qs(parts.query).get("starttls") == ["1"]
    host, port = parts.hostname or "", parts.port or (465 if secure else 587 if starttls else 25)
    name = socket.gethostname()  # asked by smtplib itself, a name server could hold us
    if secure:
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, name, timeout=SECONDS, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, name, timeout=SECONDS)
    try:
        if starttls:
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _told(error: Exception) -> str:
    """What went wrong in a few words, without addresses."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code}"
    return type(error).__name__ if not isinstance(error, TimeoutError) else "応答がありません"
