"""The mail server of the chaos test: keeps count, drops connections, refuses and puts off."""

import random
from collections import Counter
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import sleep

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from office import REFUSED


class Post:
    """Takes mails as a bad server would. What it took it has written down before it answers."""

    def __init__(self, log: Path, faults: Path, seed: int) -> None:
        self.log = log.open("a", buffering=1)
        self.faults = faults
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()

    def fault(self, name: str) -> None:
        self.counts[name] += 1
        self.faults.write_text("\n".join(f"{key}\t{n}" for key, n in self.counts.items()))

    async def handle_RCPT(
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address.startswith(REFUSED):
            self.fault("5xx")
            return "550 no such user"
        if self.chance.random() < 0.01:
            self.fault("4xx")
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        chance = self.chance.random()
        if chance < 0.005:  # gone before it took the mail
            self.fault("dropped before taking")
            server.transport.abort()  # type: ignore[union-attr]
            return "250 OK"
        message = message_from_bytes(envelope.content)
        day = parsedate_to_datetime(message["Date"]).date()
        self.log.write(f"{message['Message-ID']}\t{envelope.rcpt_tos[0]}\t{day}\n")
        if chance < 0.01:  # took it, and gone before it said so
            self.fault("dropped after taking")
            server.transport.abort()  # type: ignore[union-attr]
        return "250 OK"


def run(port: int, log: Path, faults: Path, seed: int) -> None:
    """Serve until killed."""
    Controller(Post(log, faults, seed), hostname="127.0.0.1", port=port).start()
    while True:
        sleep(60)
