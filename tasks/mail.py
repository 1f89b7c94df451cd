"""The sender: hands the outbox's mails over outside any transaction, and marks them.

Exactly one process sends a mail at a time. One that dies loses its claims when their lease ends;
what it had handed over but not marked goes out once more, under the same Message-ID.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import uuid4

from calendars.day import shanghai_day
from models.database import reading
from models.mail import Mail, compose
from models.plan import Person
from models.settings import settings
from tasks import outbox, smtp
from tasks.outbox import LEASE, Holder, Try
from tasks.plan import newest_plan
from tasks.steps import tell

MARK = 10
DAY_OFF = "今天是休息日，不急的邮件留待下一工作日"


@dataclass
class DeliveryFigures:
    """What one delivery did. `stopped` says in Chinese why it ended before the outbox was empty."""

    sent: int = 0
    retried: int = 0
    undeliverable: int = 0
    void: int = 0
    stopped: str = ""

    def count(self, one: Try) -> None:
        """Count how one try left its mail."""
        state = one.leads_to
        self.sent += state == "sent"
        self.retried += state == "pending"
        self.undeliverable += state == "undeliverable"


def deliver(
    now: datetime,
    transport: smtp.Transport | None = None,
    *,
    url: str | None = None,
    where: str = "",
    worker: str = "sender",
    lease: timedelta = LEASE,
) -> DeliveryFigures:
    """Send what is waiting and may go out on this day; on a day off only what is urgent.

    Runs until nothing is left for it, at `now` plus the time it has taken itself. `where` says in
    each digest where duties are dealt with. A mail's failure never stops the others; where the
    server takes none at all, the rest stays for the next delivery and no try is counted.
    """
    with reading(url) as session:
        day_off = outbox.is_day_off(session, shanghai_day(now))
        plan = newest_plan(session)
        waiting = outbox.waiting(session, now, day_off)
    if plan is None:
        return DeliveryFigures(stopped=DAY_OFF if day_off else "")
    way = transport or smtp.transport(settings())
    office = plan.coordinator
    address = way.sender or office.email
    holder = Holder(f"{worker}-{uuid4().hex}", address, where, lease, url)
    sender = _Sender(holder, now, way, office, day_off, waiting)
    try:
        sender.run()
    finally:
        if transport is None:
            way.close()
    if day_off:
        sender.figures.stopped = sender.figures.stopped or DAY_OFF
    return sender.figures


class _Sender:
    """One delivery at work."""

    def __init__(
        self,
        holder: Holder,
        now: datetime,
        transport: smtp.Transport,
        office: Person,
        only_urgent: bool,
        waiting: int,
    ) -> None:
        self.figures = DeliveryFigures()
        self._holder = holder
        self._began = now, monotonic()
        self._transport = transport
        self._office = office
        self._only_urgent = only_urgent
        self._waiting, self._tried = waiting, 0

    def _now(self) -> datetime:
        start, ticks = self._began
        return start + timedelta(seconds=monotonic() - ticks)

    def run(self) -> None:
        """Claim and send until nothing waits, or the server takes nothing."""
        day = shanghai_day(self._began[0])
        while not self.figures.stopped:
            mails, void = outbox.claim(self._holder, self._now(), day, self._only_urgent)
            self.figures.void += void
            if not mails and not void:
                return
            self._send(mails)

    def _send(self, mails: list[Mail]) -> None:
        """Hand claimed mails over, marking every few; what is left for any reason is given back."""
        until = self._now() + self._holder.lease / 2  # the other half is for the mail at hand
        tries: list[Try] = []
        done = 0
        try:
            for done, mail in enumerate(mails, start=1):  # noqa: B007
                tries.append(self._try(mail))
                self._tried += 1
                tell("发信", self._tried, max(self._tried, self._waiting))
                if len(tries) == MARK:
                    self._mark(tries, [])
                    tries = []
                if self._now() > until:
                    break
        except smtp.Unavailable as fault:
            done -= 1
            self.figures.stopped = str(fault)
        finally:
            self._mark(tries, mails[done:])

    def _mark(self, tries: list[Try], unsent: list[Mail]) -> None:
        outbox.note(self._holder, tries, unsent)
        for one in tries:
            self.figures.count(one)

    def _try(self, mail: Mail) -> Try:
        try:
            message = compose(mail, self._office.name, self._holder.address, self._office.email)
        except ValueError as fault:  # unfit for a header
            return Try(mail, self._now(), "permanent", 0, str(fault))
        try:
            self._transport.send(message)
        except smtp.Temporary as fault:
            return Try(mail, self._now(), "temporary", fault.code, fault.answer)
        except smtp.Permanent as fault:
            return Try(mail, self._now(), "permanent", fault.code, fault.answer)
        return Try(mail, self._now(), "sent", 250)
