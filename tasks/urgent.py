"""The urgent sweep: alerts of terms that run by the clock, at their minute, days off included.

Like the morning's sweep it selects by standing condition, so an outage of any length loses
nothing. Its mails wait for no working day, and for no other mail to the same person.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, text
from sqlalchemy.orm import Session

from models.alert import Alert
from models.database import reading, writing
from models.ledger import append, queue
from models.mail import Mail
from models.obligation import OPEN, Obligation
from models.urgent import urgent_fallen
from tasks.alert import Teller, already_told, entry, plans_of
from tasks.obligation import OCCUPIED, PATIENCE, PAUSE_SECONDS, SweepIncomplete
from tasks.round import SYSTEM


@dataclass
class UrgentFigures:
    """What one urgent sweep did."""

    obligations: int = 0
    alerts: int = 0
    skipped: int = 0
    mails: int = 0
    levels: Counter[str] = field(default_factory=Counter)


def sweep_urgent(now: datetime, *, url: str | None = None) -> UrgentFigures:
    """Alert every urgent level that fell due until `now` and is not alerted yet.

    Each transaction has its entry in the ledger. Any number of sweeps may run at once, be killed,
    be repeated or come out of order: no alert is lost or doubled. Raises SweepIncomplete where
    somebody kept obligations locked.
    """
    figures = UrgentFigures()
    for _ in range(PATIENCE):
        with reading(url) as session:  # nothing to do is the rule: no writer is held up for it
            if not anything_urgent(session, now):
                return figures
        with writing(url) as session:
            done = _tell(session, now, figures)
        if not done:
            time.sleep(PAUSE_SECONDS)
    raise SweepIncomplete(f"加急催办 {now:%Y-%m-%d %H:%M}：有期限事项一直被占用，请稍后重试")


def sweep_urgent_in(session: Session, now: datetime) -> None:
    """The same within a transaction at hand: for the dry run."""
    while _tell(session, now, UrgentFigures()):
        pass
    if anything_urgent(session, now):
        raise SweepIncomplete(OCCUPIED)


def next_urgent(session: Session) -> datetime | None:
    """The minute at which the next urgent alert falls due; past where none told it."""
    return session.scalar(select(func.min(Obligation.next_alert_at)).where(text(OPEN)))


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(text(OPEN), Obligation.next_alert_at <= now)


def anything_urgent(session: Session, now: datetime) -> bool:
    """Whether an urgent alert should be out by now and is not."""
    return session.scalar(select(Obligation.id).where(_due(now)).limit(1)) is not None


def _tell(session: Session, now: datetime, figures: UrgentFigures) -> bool:
    """Alert what is due and locked by nobody; whether there was any."""
    queue(session)  # before any obligation: see tasks.obligation
    rows = session.scalars(
        select(Obligation)
        .where(_due(now))
        .order_by(Obligation.next_alert_at, Obligation.id)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return False
    told = already_told(session, _due(now))
    plans = plans_of(session, {row.round_id for row in rows})
    teller = Teller(session, plans, now.date())
    alerts: list[dict[str, Any]] = []
    mails: dict[str, Mail] = {}
    for row in rows:
        assert row.started_at is not None
        levels = plans[row.round_id].urgent_alerts
        fell = urgent_fallen(row.started_at, row.due_at, row.alerted_level, now, levels)
        own = list(teller.alerts(row, fell, told))
        for alert in own:
            if alert["mail_id"]:
                alert["mail_id"] = _mail(session, mails, alert, now)
        alerts += own
        if fell.steps:
            row.alerted_level = fell.steps[-1].level
        row.next_alert_at = fell.next_on
    session.add_all(Alert(**alert) for alert in alerts)
    mailed = [alert for alert in alerts if alert["mail_id"] is not None]
    figures.obligations += len(rows)
    figures.mails += len(mails)
    figures.alerts += len(mailed)
    figures.skipped += len(alerts) - len(mailed)
    figures.levels.update(alert["level"] for alert in mailed)
    when = f"{now:%Y-%m-%d %H:%M}"
    append(session, now, SYSTEM, [entry("加急催办", when, len(rows), alerts, len(mails))])
    return True


def _mail(session: Session, mails: dict[str, Mail], alert: dict[str, Any], now: datetime) -> int:
    """The number of the mail to one address about one version of one duty's due minute, made now.

    Its content is read when it is sent: what has been met by then is not told any more.
    """
    email = alert["email"].lower()
    key = f"urgent:{alert['obligation_id']}:{alert['due_version']}:{alert['level']}:{email}"
    if key not in mails:
        mails[key] = Mail(
            key=key,
            kind="urgent",
            name=alert["recipient"],
            email=email,
            day=now.date(),
            urgent_since=now,
        )
        session.add(mails[key])
        session.flush()
    return mails[key].id
