"""The outbox: mails that go out once the transaction that asked for them is committed."""

import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from typing import Literal

from sqlalchemy import ForeignKey, Index, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from calendars import WorkingCalendar
from models.base import SHANGHAI, Base, Code, Key, Line, Prose
from models.bulk import insert_rows

MailState = Literal["pending", "claimed", "sent", "undeliverable", "void"]
MAIL_STATES: dict[MailState, str] = {
    "pending": "待发",
    "claimed": "发送中",
    "sent": "已发",
    "undeliverable": "无法送达",
    "void": "无需发送",
}

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
CRLF = compat32.clone(linesep="\r\n")
# One spelling for the indexes and the queries.
WAITING = "state IN ('pending', 'claimed')"
GATHERING = "kind = 'digest' AND state = 'pending' AND frozen_at IS NULL"


class Mail(Base):
    """One mail to one person (邮件), on `day` or the first working day after it that it can go.

    A digest gathers alerts until it is first claimed; from then on its content is frozen, so that
    every further try sends the same mail under the same Message-ID.
    """

    __tablename__ = "mail"
    __table_args__ = (
        Index("ix_mail_waiting", "day", sqlite_where=text(WAITING), postgresql_where=text(WAITING)),
        Index(
            "uq_mail_gathering",
            "email",
            unique=True,
            sqlite_where=text(GATHERING),
            postgresql_where=text(GATHERING),
        ),
        Index("ix_mail_digest_frozen", "frozen_at"),
    )

    id: Mapped[Key]
    key: Mapped[Line] = mapped_column(unique=True)
    kind: Mapped[Code]
    name: Mapped[Line]
    email: Mapped[Line]
    day: Mapped[date]
    urgent_since: Mapped[datetime | None]  # goes out at once, on days off as well
    state: Mapped[Code] = mapped_column(default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    claimed_by: Mapped[Line] = mapped_column(default="")
    claimed_until: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    message_id: Mapped[Line] = mapped_column(default="")
    subject: Mapped[Line] = mapped_column(default="")
    text: Mapped[Prose] = mapped_column(default="")
    html: Mapped[Prose] = mapped_column(default="")
    sent_at: Mapped[datetime | None]
    error: Mapped[Line] = mapped_column(default="")


class Delivery(Base):
    """One try to send a mail, and how it ended (投递记录)."""

    __tablename__ = "delivery"

    id: Mapped[Key]
    mail_id: Mapped[int] = mapped_column(ForeignKey("mail.id"), index=True)
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    worker: Mapped[Line]
    outcome: Mapped[Code]  # sent, temporary, permanent
    code: Mapped[int]  # of SMTP; 0 where there was none
    answer: Mapped[Line]


def usable(email: str) -> bool:
    """Whether mail can be addressed to `email` at all; strict, since it goes into a header."""
    return len(email) <= 254 and _EMAIL.fullmatch(email) is not None


def one_line(value: str) -> str:
    """`value`, which goes into a header. ValueError where it would break the header in two."""
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError(f"邮件头不能含换行或控制字符：{value!r}")
    return value


def _insert_or_leave(session: Session) -> postgresql.Insert | sqlite.Insert:
    """An insert into the outbox that leaves a row of the same key as it is."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(Mail).on_conflict_do_nothing(index_elements=["key"])
    return sqlite.insert(Mail).on_conflict_do_nothing(index_elements=["key"])


def letter(
    session: Session,
    *,
    key: str,
    name: str,
    email: str,
    day: date,
    subject: str,
    text: str,
    html: str = "",
    urgent_since: datetime | None = None,
) -> bool:
    """Put a single mail into the outbox, once for `key` whatever happens. False if it is there.

    With `urgent_since` it goes out at once, on days off as well.

    An address that cannot be used is shown as undeliverable at once. ValueError where name or
    subject hold a line break.
    """
    fault = "" if usable(email) else f"邮箱地址无效：{email[:200]!r}" if email else "没有邮箱地址"
    row = {
        "key": f"letter:{one_line(key)}",
        "kind": "letter",
        "name": one_line(name),
        "email": "" if fault else email,
        "day": day,
        "urgent_since": urgent_since,
        "subject": one_line(subject),
        "text": text,
        "html": html,
        "state": "undeliverable" if fault else "pending",
        "error": fault,
    }
    added = session.execute(_insert_or_leave(session).values(row).returning(Mail.id))
    return added.first() is not None


def gather(
    session: Session, recipients: Mapping[str, str], as_of: date, calendar: WorkingCalendar
) -> dict[str, int]:
    """The digest that each address's new alerts go into, by address; made where there is none.

    At most one digest a recipient gathers at a time. After one was frozen, the next goes out on
    the working day that follows, however often the sweep runs. `recipients`: names by address in
    lower case.
    """
    today = calendar.first_working_day(as_of)
    midnight = datetime.combine(today, time(), tzinfo=SHANGHAI)
    gathering = select(Mail.email, Mail.id).where(text(GATHERING)).order_by(Mail.id)
    # One that the sender is freezing right now is waited for, and then is not gathering. Nothing
    # else is locked: the sender may be marking those that it has sent.
    found = dict(session.execute(gathering.with_for_update()).tuples().all())
    last_frozen = (
        select(Mail.email, func.max(Mail.frozen_at))
        .where(Mail.kind == "digest", Mail.frozen_at >= midnight)
        .group_by(Mail.email)
    )
    spent = {
        email: calendar.first_working_day(frozen_at.date() + timedelta(days=1))
        for email, frozen_at in session.execute(last_frozen)
    }
    rows = [
        {
            "key": f"digest:{(day := spent.get(email, today)).isoformat()}:{email}",
            "kind": "digest",
            "name": name,
            "email": email,
            "day": day,
            "state": "pending",
            "attempts": 0,
        }
        | dict.fromkeys(("claimed_by", "message_id", "subject", "text", "html", "error"), "")
        for email, name in sorted(recipients.items())
        if email not in found
    ]
    if rows:
        insert_rows(session, Mail, rows)
        found = dict(session.execute(gathering).tuples().all())
    return found


def refused_addresses(session: Session, since: date) -> set[str]:
    """Addresses, in lower case, whose mails were refused for good since that day."""
    query = select(Mail.email).where(Mail.state == "undeliverable", Mail.day >= since)
    return {email.lower() for email in session.scalars(query)}


def message_id(key: str, sender: str) -> str:
    """The Message-ID of the mail of that key from that office, the same at every try."""
    digest = hashlib.sha256(f"{sender}\n{key}".encode()).hexdigest()
    return f"<{digest[:32]}@{sender.rpartition('@')[2]}>"


def compose(mail: Mail, sender_name: str, sender: str, reply_to: str = "") -> Message:
    """The frozen mail as a message; equal mails give equal bytes.

    ValueError where name or subject would break a header in two: nothing below looks for that.
    Built of the plain old classes, which take a third of the time of EmailMessage.
    """
    assert mail.frozen_at is not None
    plain = _part(mail.text, "plain")
    if mail.html:
        message: Message = MIMEMultipart("alternative", f"={mail.message_id[1:33]}=", policy=CRLF)
        message.attach(plain)
        message.attach(_part(mail.html, "html"))
    else:
        message = plain
    message["From"] = _address(sender_name, sender)
    message["To"] = _address(mail.name, mail.email)
    if reply_to and reply_to != sender:
        message["Reply-To"] = _address(sender_name, reply_to)
    message["Subject"] = _encoded(mail.subject, "Subject")
    message["Date"] = format_datetime(mail.frozen_at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    return message


def _part(content: str, subtype: str) -> MIMEText:
    return MIMEText(content, subtype, "utf-8", policy=CRLF)


def _encoded(value: str, header: str) -> str:
    return Header(one_line(value), "utf-8", header_name=header).encode()


def _address(name: str, address: str) -> str:
    if not usable(address):
        raise ValueError(f"邮箱地址无效：{address!r}")
    return f"{_encoded(name, 'Reply-To')} <{address}>"
