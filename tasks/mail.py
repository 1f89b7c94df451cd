"""The sender: claims mails of the outbox, hands them over outside any transaction, marks them.

Exactly one process sends a mail at a time. One that dies loses its claims when their lease ends;
what it had handed over but not marked goes out once more, under the same Message-ID.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Select, and_, bindparam, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from calendars.day import shanghai_day
from models.database import reading, writing
from models.mail import WAITING, Delivery, Mail, compose, message_id
from models.plan import Person, PlanVersion
from models.settings import settings
from tasks import smtp
from tasks.calendar import office_calendar
from tasks.digest import digests
from tasks.steps import tell

LEASE = timedelta(seconds=60)
CLAIM = 50
MARK = 10
MAX_TRIES = 8
DAY_OFF = "今天是休息日，不急的邮件留待下一工作日"
# Their content is what there is to do when they are first claimed.
READ_WHEN_SENT = ("digest", "urgent")
FIRST_PAUSE = timedelta(minutes=5)


@dataclass
class DeliveryFigures:
    """What one delivery did. `stopped` says in Chinese why it ended before the outbox was empty."""

    sent: int = 0
    retried: int = 0
    undeliverable: int = 0
    void: int = 0
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    mail: Mail
    at: datetime
    outcome: Literal["sent", "temporary", "permanent"]
    code: int = 0
    answer: str = ""


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed tries: 5, 10, 20, … minutes, over 10 hours in all."""
    return FIRST_PAUSE * int(2 ** (attempts - 1))


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
    today = shanghai_day(now)
    with reading(url) as session:
        day_off = _day_off(session, today)
        office = _office(session)
        waiting = _waiting(session, now, today, day_off)
    if office is None:
        return DeliveryFigures(stopped=DAY_OFF if day_off else "")
    way = transport or smtp.transport(settings())
    name = f"{worker}-{uuid4().hex}"
    sender = _Sender(now, way, office, name, url, where, lease, day_off, waiting)
    try:
        while not sender.figures.stopped and (mails := sender.claim()) is not None:
            sender.send(mails)
    finally:
        if transport is None:
            way.close()
    if day_off:
        sender.figures.stopped = sender.figures.stopped or DAY_OFF
    return sender.figures


def _day_off(session: Session, day: date) -> bool:
    return office_calendar(session).first_working_day(day) != day


def _office(session: Session) -> Person | None:
    newest = session.scalar(select(PlanVersion).order_by(PlanVersion.id.desc()).limit(1))
    return newest.plan.coordinator if newest else None


class _Sender:
    """One delivery at work."""

    def __init__(
        self,
        now: datetime,
        transport: smtp.Transport,
        office: Person,
        name: str,
        url: str | None,
        where: str,
        lease: timedelta,
        only_urgent: bool,
        waiting: int,
    ) -> None:
        self.figures = DeliveryFigures()
        self._waiting, self._tried = waiting, 0
        self._began = now, monotonic()
        self._today = shanghai_day(now)
        self._transport = transport
        self._office = office
        self._address = transport.sender or office.email
        self._name = name
        self._url = url
        self._where = where
        self._lease = lease
        self._only_urgent = only_urgent

    def _now(self) -> datetime:
        start, ticks = self._began
        return start + timedelta(seconds=monotonic() - ticks)

    def claim(self) -> list[Mail] | None:
        """Claim some mails, their content frozen now at the latest. None: nothing waits."""
        with writing(self._url) as session:
            now = self._now()
            free = (
                _free(now, self._today, self._only_urgent)
                .limit(CLAIM)
                .with_for_update(skip_locked=True)
            )
            mails = list(session.scalars(free))
            fresh = [mail for mail in mails if mail.frozen_at is None]
            gathered = [mail for mail in fresh if mail.kind in READ_WHEN_SENT]
            content = digests(session, gathered, now, self._where)
            for mail in fresh:
                mail.frozen_at = now.replace(microsecond=0)
                mail.message_id = message_id(mail.key, self._address)
            for mail in gathered:
                if told := content.get(mail.id):
                    mail.subject, mail.text, mail.html = told.subject, told.text, told.html
                else:
                    mail.state, mail.error = "void", "事项均已办结或期限已变更"
            claimed = [mail for mail in mails if mail.state != "void"]
            for mail in claimed:
                mail.state, mail.claimed_by, mail.claimed_until = (
                    "claimed",
                    self._name,
                    now + self._lease,
                )
            session.flush()
            session.expunge_all()
        self.figures.void += len(mails) - len(claimed)
        return claimed if mails else None

    def send(self, mails: list[Mail]) -> None:
        """Hand claimed mails over, marking every few; what is left for any reason is given back."""
        until = self._now() + self._lease / 2  # the other half is for the mail at hand
        outcomes: list[_Outcome] = []
        done = 0
        try:
            for done, mail in enumerate(mails, start=1):  # noqa: B007
                outcomes.append(self._try(mail))
                self._tried += 1
                tell("发信", self._tried, max(self._tried, self._waiting))
                if len(outcomes) == MARK:
                    self._mark(outcomes, [])
                    outcomes = []
                if self._now() > until:
                    break
        except smtp.Unavailable as fault:
            done -= 1
            self.figures.stopped = str(fault)
        finally:
            self._mark(outcomes, mails[done:])

    def _try(self, mail: Mail) -> _Outcome:
        try:
            message = compose(mail, self._office.name, self._address, self._office.email)
        except ValueError as fault:  # unfit for a header
            return _Outcome(mail, self._now(), "permanent", 0, str(fault))
        try:
            self._transport.send(message)
        except smtp.Temporary as fault:
            return _Outcome(mail, self._now(), "temporary", fault.code, fault.answer)
        except smtp.Permanent as fault:
            return _Outcome(mail, self._now(), "permanent", fault.code, fault.answer)
        return _Outcome(mail, self._now(), "sent", 250)

    def _mark(self, outcomes: list[_Outcome], unsent: list[Mail]) -> None:
        """Note how tries ended, and give the `unsent` back, in one transaction."""
        if not outcomes and not unsent:
            return
        mine = and_(Mail.id == bindparam("number"), Mail.claimed_by == self._name)
        with writing(self._url) as session:
            changes = session.connection()
            if outcomes:
                # A mail that is out is out, whoever holds the claim by now.
                known = or_(Mail.claimed_by == self._name, bindparam("to") == "sent")
                changes.execute(
                    update(Mail)
                    .where(Mail.id == bindparam("number"), Mail.state != "sent", known)
                    .values(
                        state=bindparam("to"),
                        attempts=bindparam("tries"),
                        next_try_at=bindparam("again"),
                        sent_at=bindparam("out"),
                        error=bindparam("fault"),
                        claimed_by="",
                    ),
                    [self._ended(outcome) for outcome in outcomes],
                )
                changes.execute(insert(Delivery), [self._logged(each) for each in outcomes])
            if unsent:
                changes.execute(
                    update(Mail).where(mine).values(state="pending", claimed_by=""),
                    [{"number": mail.id} for mail in unsent],
                )
        for outcome in outcomes:
            state = self._ended(outcome)["to"]
            self.figures.sent += state == "sent"
            self.figures.retried += state == "pending"
            self.figures.undeliverable += state == "undeliverable"

    def _ended(self, outcome: _Outcome) -> dict[str, Any]:
        tries = outcome.mail.attempts + 1
        again = outcome.outcome == "temporary" and tries < MAX_TRIES
        sent = outcome.outcome == "sent"
        return {
            "number": outcome.mail.id,
            "to": "sent" if sent else "pending" if again else "undeliverable",
            "tries": tries,
            "again": outcome.at + pause_after(tries) if again else None,
            "out": outcome.at if sent else None,
            "fault": f"{outcome.code or ''} {outcome.answer}".strip()[:500] if not sent else "",
        }

    def _logged(self, outcome: _Outcome) -> dict[str, Any]:
        return {
            "mail_id": outcome.mail.id,
            "attempt": outcome.mail.attempts + 1,
            "at": outcome.at,
            "worker": self._name,
            "outcome": outcome.outcome,
            "code": outcome.code,
            "answer": outcome.answer[:500],
        }


def _free(now: datetime, today: date, only_urgent: bool) -> Select[tuple[Mail]]:
    """Mails that anybody may claim: those waiting, and those whose claim has run out.

    Urgent ones first, so that no crowd of others delays them.
    """
    free = or_(
        and_(Mail.state == "pending", or_(Mail.next_try_at.is_(None), Mail.next_try_at <= now)),
        and_(Mail.state == "claimed", Mail.claimed_until <= now),
    )
    urgent = Mail.urgent_since.is_not(None)
    found = select(Mail).where(text(WAITING), Mail.day <= today, free)
    if only_urgent:
        found = found.where(urgent)
    return found.order_by(urgent.desc(), Mail.attempts, Mail.id)


def _waiting(session: Session, now: datetime, today: date, only_urgent: bool) -> int:
    free = _free(now, today, only_urgent).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(free)) or 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail as it would go out now."""

    name: str
    email: str
    subject: str
    text: str


def outgoing(
    now: datetime,
    *,
    url: str | None = None,
    where: str = "",
) -> list[Outgoing]:
    """What a delivery at `now` would send, without sending or freezing anything (dry run)."""
    today = shanghai_day(now)
    with reading(url) as session:
        mails = list(session.scalars(_free(now, today, _day_off(session, today))))
        gathering = [
            mail for mail in mails if mail.kind in READ_WHEN_SENT and mail.frozen_at is None
        ]
        fresh = digests(session, gathering, now, where)
        return [
            Outgoing(mail.name, mail.email, content.subject, content.text)
            for mail in mails
            if (content := fresh.get(mail.id) or (mail if mail not in gathering else None))
        ]
