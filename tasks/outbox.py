"""The outbox: what may go out is claimed by one sender at a time, and what became of it is noted.

A claim has a lease. One whose holder died runs out with it, and another takes the mail over.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from calendars.day import shanghai_day
from models.database import writing
from models.mail import WAITING, Delivery, Mail, MailState, message_id
from tasks.calendar import office_calendar
from tasks.digest import digests

LEASE = timedelta(seconds=60)
CLAIM = 50
MAX_TRIES = 8
FIRST_PAUSE = timedelta(minutes=5)
# Their content is what there is to do when they are first claimed.
READ_WHEN_SENT = ("digest", "urgent")


@dataclass(frozen=True, slots=True)
class Try:
    """One try to hand a claimed mail over (投递), and what the server said."""

    mail: Mail
    at: datetime
    outcome: Literal["sent", "temporary", "permanent"]
    code: int = 0
    answer: str = ""

    @property
    def attempt(self) -> int:
        """The how manieth try of its mail it is, from 1 on."""
        return self.mail.attempts + 1

    @property
    def leads_to(self) -> MailState:
        """The state of its mail after it."""
        if self.outcome == "sent":
            return "sent"
        if self.outcome == "temporary" and self.attempt < MAX_TRIES:
            return "pending"
        return "undeliverable"


@dataclass(frozen=True)
class Holder:
    """Who claims mails: its name, unlike any other's, and how long a claim of its lasts.

    `where` says in each digest where duties are dealt with; `address` is the sender's own.
    """

    name: str
    address: str
    where: str = ""
    lease: timedelta = LEASE
    url: str | None = None


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failed tries: 5, 10, 20, … minutes, over 10 hours in all."""
    return FIRST_PAUSE * int(2 ** (attempts - 1))


def is_day_off(session: Session, day: date) -> bool:
    """Whether only what is urgent goes out on that day."""
    return office_calendar(session).first_working_day(day) != day


def waiting(session: Session, now: datetime, only_urgent: bool) -> int:
    """How many mails a delivery that begins now finds."""
    free = _free(now, shanghai_day(now), only_urgent).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(free)) or 0


def claim(holder: Holder, now: datetime, day: date, only_urgent: bool) -> tuple[list[Mail], int]:
    """Claim some mails that may go out on that day, their content frozen now at the latest.

    Returns them, and how many proved to be about nothing any more. With neither, nothing waits.
    """
    with writing(holder.url) as session:
        free = _free(now, day, only_urgent).limit(CLAIM).with_for_update(skip_locked=True)
        mails = list(session.scalars(free))
        fresh = [mail for mail in mails if mail.frozen_at is None]
        gathered = [mail for mail in fresh if mail.kind in READ_WHEN_SENT]
        content = digests(session, gathered, now, holder.where)
        for mail in fresh:
            mail.frozen_at = now.replace(microsecond=0)
            mail.message_id = message_id(mail.key, holder.address)
        for mail in gathered:
            if told := content.get(mail.id):
                mail.subject, mail.text, mail.html = told.subject, told.text, told.html
            else:
                mail.state, mail.error = "void", "事项均已办结或期限已变更"
        claimed = [mail for mail in mails if mail.state != "void"]
        for mail in claimed:
            mail.state, mail.claimed_by = "claimed", holder.name
            mail.claimed_until = now + holder.lease
        session.flush()
        session.expunge_all()
    return claimed, len(mails) - len(claimed)


def note(holder: Holder, tries: list[Try], unsent: list[Mail]) -> None:
    """Note how tries ended, and give the `unsent` back, in one transaction."""
    if not tries and not unsent:
        return
    this, mine = Mail.id == bindparam("number"), Mail.claimed_by == holder.name
    with writing(holder.url) as session:
        changes = session.connection()
        if tries:
            # A mail that is out is out, whoever holds the claim by now.
            known = or_(mine, bindparam("to") == "sent")
            changes.execute(
                update(Mail)
                .where(this, Mail.state != "sent", known)
                .values(
                    state=bindparam("to"),
                    attempts=bindparam("tries"),
                    next_try_at=bindparam("again"),
                    sent_at=bindparam("out"),
                    error=bindparam("fault"),
                    claimed_by="",
                ),
                [_ended(one) for one in tries],
            )
            changes.execute(insert(Delivery), [_logged(one, holder.name) for one in tries])
        if unsent:
            changes.execute(
                update(Mail).where(this, mine).values(state="pending", claimed_by=""),
                [{"number": mail.id} for mail in unsent],
            )


def _ended(one: Try) -> dict[str, Any]:
    state = one.leads_to
    return {
        "number": one.mail.id,
        "to": state,
        "tries": one.attempt,
        "again": one.at + pause_after(one.attempt) if state == "pending" else None,
        "out": one.at if state == "sent" else None,
        "fault": f"{one.code or ''} {one.answer}".strip()[:500] if state != "sent" else "",
    }


def _logged(one: Try, worker: str) -> dict[str, Any]:
    return {
        "mail_id": one.mail.id,
        "attempt": one.attempt,
        "at": one.at,
        "worker": worker,
        "outcome": one.outcome,
        "code": one.code,
        "answer": one.answer[:500],
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


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail as it would go out now."""

    number: int
    name: str
    email: str
    subject: str
    text: str


def outgoing(session: Session, now: datetime, where: str = "") -> list[Outgoing]:
    """What a delivery at `now` would send, without sending or freezing anything (dry run)."""
    today = shanghai_day(now)
    mails = list(session.scalars(_free(now, today, is_day_off(session, today))))
    gathering = [mail for mail in mails if mail.kind in READ_WHEN_SENT and mail.frozen_at is None]
    fresh = digests(session, gathering, now, where)
    return [
        Outgoing(mail.id, mail.name, mail.email, content.subject, content.text)
        for mail in mails
        if (content := fresh.get(mail.id) or (mail if mail not in gathering else None))
    ]
