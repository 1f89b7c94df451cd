"""The deadline sweep: every alert that fell due becomes a row, and a place in somebody's digest.

It selects by standing condition, so an outage of any length loses nothing, and what it found and
what it noted of it stand or fall in one transaction.
"""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.orm import Session

from models.alert import Alert, Fallen, Sweep, fallen
from models.bulk import among, insert_rows
from models.database import reading, writing
from models.ledger import append, queue
from models.mail import gather
from models.obligation import OPEN, Obligation
from models.round import LATEST_DAYS, stale
from tasks.alert import Teller, already_told, entry, plans_of
from tasks.calendar import office_calendar
from tasks.round import SYSTEM

BATCH = 10_000
# Rows that a stage holds locked are waited for: so many times so long.
PATIENCE, PAUSE_SECONDS = 50, 0.2
OCCUPIED = "有期限事项正被占用，请稍后再试算"


class SweepIncomplete(Exception):
    """Obligations stayed locked by others; run the sweep again."""


@dataclass
class SweepFigures:
    """What one sweep did. `stale`: an older day than the newest sweep's, so it did nothing."""

    as_of: date
    stale: bool = False
    obligations: int = 0
    alerts: int = 0
    skipped: int = 0
    mails: int = 0
    levels: Counter[str] = field(default_factory=Counter)

    @property
    def told(self) -> str:
        """The figures in words."""
        if self.stale:
            return "已有更晚日期的检查，本次不做任何事"
        return (
            f"到提醒日的期限 {self.obligations} 项，提醒 {self.alerts} 条"
            f"（补记未发 {self.skipped} 条），汇总邮件 {self.mails} 封"
        )


def sweep(
    as_of: date,
    now: datetime,
    *,
    url: str | None = None,
    batch: int = BATCH,
) -> SweepFigures:
    """Alert every level that fell due through `as_of` and is not alerted yet.

    In transactions of at most `batch` obligations, each with its entry in the ledger. Any number
    of sweeps may run at once, be killed or be repeated: no alert is lost or doubled. Raises
    SweepIncomplete where somebody kept obligations locked.
    """
    figures = SweepFigures(as_of)
    with reading(url) as session:
        known = Sweep.as_of <= as_of + timedelta(days=LATEST_DAYS)
        newest = session.scalar(select(func.max(Sweep.as_of)).where(known))
    if stale(as_of, newest):
        figures.stale = True
        return figures
    for _ in range(PATIENCE):
        while True:
            with writing(url) as session:
                done = _batch(session, as_of, now, batch, figures)
                if done < batch and not _anything_due(session, as_of):
                    session.add(
                        Sweep(
                            as_of=as_of,
                            finished_at=now,
                            obligations=figures.obligations,
                            alerts=figures.alerts,
                            skipped=figures.skipped,
                            mails=figures.mails,
                        )
                    )
                    return figures
            if not done:
                break
        time.sleep(PAUSE_SECONDS)
    raise SweepIncomplete(f"催办扫描 {as_of}：有期限事项一直被占用，请稍后重试")


def sweep_in(session: Session, as_of: date, now: datetime) -> None:
    """The same within a transaction at hand, whatever was swept before: for the dry run."""
    while _batch(session, as_of, now, BATCH, SweepFigures(as_of)):
        pass
    if _anything_due(session, as_of):
        raise SweepIncomplete(OCCUPIED)


def _due(as_of: date) -> ColumnElement[bool]:
    return and_(text(OPEN), Obligation.next_alert_on <= as_of)


def _anything_due(session: Session, as_of: date) -> bool:
    return session.scalar(select(Obligation.id).where(_due(as_of)).limit(1)) is not None


def _batch(
    session: Session,
    as_of: date,
    now: datetime,
    limit: int,
    figures: SweepFigures,
) -> int:
    """Alert up to `limit` obligations; how many there were."""
    if not _anything_due(session, as_of):
        return 0
    # The ledger's queue first: a stage may hold it while it waits for an obligation, so whoever
    # holds obligations must not wait for the ledger.
    queue(session)
    rows = session.execute(
        select(
            Obligation.id,
            Obligation.round_id,
            Obligation.department,
            Obligation.person,
            Obligation.email,
            Obligation.due_on,
            Obligation.due_version,
            Obligation.provisional,
            Obligation.alerted_level,
        )
        .where(_due(as_of))
        .order_by(Obligation.next_alert_on, Obligation.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    told = already_told(session, _due(as_of))
    plans = plans_of(session, {row.round_id for row in rows})
    calendars = {number: office_calendar(session, plan) for number, plan in plans.items()}
    teller = Teller(session, plans, as_of)

    @cache
    def fell(round_id: int, due_on: date, provisional: bool, alerted: str) -> Fallen[date]:
        levels, calendar = plans[round_id].alerts, calendars[round_id]
        return fallen(due_on, provisional, alerted, as_of, levels, calendar)

    alerts: list[dict[str, Any]] = []
    moves: dict[tuple[str, date | None], list[int]] = defaultdict(list)
    for row in rows:
        found = fell(row.round_id, row.due_on, row.provisional, row.alerted_level)
        level = found.steps[-1].level if found.steps else row.alerted_level
        moves[level, found.next_on].append(row.id)
        alerts += teller.alerts(row, found, told)
    mails = _into_mails(session, alerts, as_of)
    _note(session, moves)
    figures.obligations += len(rows)
    figures.mails += mails
    kept = [alert for alert in alerts if alert["mail_id"] is not None]
    figures.alerts += len(kept)
    figures.skipped += len(alerts) - len(kept)
    figures.levels.update(alert["level"] for alert in kept)
    append(session, now, SYSTEM, [entry("催办", as_of.isoformat(), len(rows), alerts, mails)])
    return len(rows)


def _into_mails(session: Session, alerts: list[dict[str, Any]], as_of: date) -> int:
    """Give each alert that is mailed its digest, and save all of them; how many digests."""
    told = [alert for alert in alerts if alert["mail_id"]]
    names = {alert["email"].lower(): alert["recipient"] for alert in told}
    digests = gather(session, names, as_of, office_calendar(session)) if names else {}
    for alert in told:
        alert["mail_id"] = digests[alert["email"].lower()]
    insert_rows(session, Alert, alerts)
    return len(names)


def _note(session: Session, moves: dict[tuple[str, date | None], list[int]]) -> None:
    """Note on each obligation how far it is alerted, and the day to look at it again."""
    for (level, next_on), numbers in moves.items():
        session.execute(
            update(Obligation)
            .where(among(session, "id", numbers))
            .values(alerted_level=level, next_alert_on=next_on),
            execution_options={"synchronize_session": False},
        )
