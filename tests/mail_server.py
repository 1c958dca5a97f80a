"""A real SMTP server for tests: keeps what it accepted and answers as it is told to."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword


@dataclass
class Handler:
    """What came in; `refuse` may answer a recipient, `swallow` loses the reply to that many accepted messages."""

    letters: list[bytes] = field(default_factory=list)  # read when somebody asks: a hundred thousand must fit in
    recipients: list[str] = field(default_factory=list)
    refuse: Callable[[str], str | None] = lambda address: None
    swallow: int = 0
    delay: float = 0.0

    @property
    def accepted(self) -> list[EmailMessage]:
        return [message_from_bytes(letter, policy=policy.SMTP) for letter in self.letters]

    @property
    def ids(self) -> list[str]:
        heads = BytesHeaderParser()
        return [str(heads.parsebytes(letter)["Message-ID"]).strip() for letter in self.letters]


@dataclass
class _Hooks:
    """What aiosmtpd calls. It reads every attribute for each connection, so that nothing costly may stand among them."""

    kept: Handler

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        answer = self.kept.refuse(address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.kept.delay)
        assert isinstance(envelope.original_content, bytes)
        self.kept.letters.append(envelope.original_content)
        self.kept.recipients += envelope.rcpt_tos
        if self.kept.swallow:
            self.kept.swallow -= 1
            server.transport.close()
        return "250 OK"


@dataclass
class MailServer:
    """A running server; `url` is what SMTP_URL names."""

    port: int
    handler: Handler
    login: tuple[str, str] | None = None

    @property
    def url(self) -> str:
        user = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"smtp://{user}127.0.0.1:{self.port}"


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(port: int | None = None, login: tuple[str, str] | None = None) -> Iterator[MailServer]:
    """A server on this port, or a free one; with `login` it takes mail only from that user."""

    def check(server: Any, session: Any, envelope: Any, mechanism: str, told: Any) -> AuthResult:
        known = isinstance(told, LoginPassword) and login == (told.login.decode(), told.password.decode())
        return AuthResult(success=known, handled=False)

    made = MailServer(port or free_port(), Handler(), login)
    auth: dict[str, Any] = {"authenticator": check, "auth_required": True, "auth_require_tls": False} if login else {}
    controller = Controller(_Hooks(made.handler), hostname="127.0.0.1", port=made.port, **auth)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """The URL of a server that takes the connection and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
