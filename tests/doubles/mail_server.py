"""A mail server on loopback, real SMTP: it keeps what it is given, or refuses it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class MailServer:
    """Where it is, what it got, and what it answers to a letter."""

    host: str = "127.0.0.1"
    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer: str = "250 taken"

    async def handle_DATA(  # noqa: N802 - the library calls it so
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        if self.answer.startswith("250"):
            self.recipients += envelope.rcpt_tos
            read = message_from_bytes(envelope.content, policy=default)
            assert isinstance(read, EmailMessage)
            self.letters.append(read)
        return self.answer


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Take letters until the block ends."""
    held = MailServer()
    with socket.create_server((held.host, 0)) as free:
        held.port = free.getsockname()[1]
    controller = Controller(held, hostname=held.host, port=held.port)
    controller.start()
    try:
        yield held
    finally:
        controller.stop()
