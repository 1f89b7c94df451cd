"""The post of an office: a mail server whose every mood comes from the seed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from email.message import Message
from email.utils import parseaddr
from random import Random

from tasks.smtp import Permanent, Temporary, Unavailable


@dataclass(frozen=True)
class Accepted:
    """A mail that the server took: by the office's clock, for whom, and its bytes' digest."""

    at: datetime
    to: str
    message_id: str
    sha256: str

    @property
    def day(self) -> date:
        """The day of it."""
        return self.at.date()


class Post:
    """A way out for mails (`tasks.smtp.Transport`) that remembers what it took.

    `bad` addresses are refused for good; while `down` it takes nothing; otherwise a few mails fail
    for now, and of a few it takes the answer is lost, so that they come again.
    """

    sender = ""

    def __init__(self, random: Random, now: Callable[[], datetime], alive: Callable[[], None]):
        self.accepted: list[Accepted] = []
        self.bad: set[str] = set()
        self.down = False
        self.trouble = 0.05
        self._random, self._now, self._alive = random, now, alive

    def send(self, message: Message) -> None:
        """Take it, or fail in one of the ways in which servers fail."""
        self._alive()
        if self.down:
            raise Unavailable(0, "连不上邮件服务器")
        to = parseaddr(message["To"])[1]
        if to.lower() in self.bad:
            raise Permanent(550, "没有这个收件人")
        mood = self._random.random()
        if mood < self.trouble:
            raise Temporary(451, "请稍后再试")
        sha256 = hashlib.sha256(message.as_bytes()).hexdigest()
        self.accepted.append(Accepted(self._now(), to.lower(), message["Message-ID"], sha256))
        if mood < self.trouble * 1.3:
            raise Temporary(0, "连接中断（DATA）")
        self._alive()

    def close(self) -> None:
        """Nothing is held open."""
