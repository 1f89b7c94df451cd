"""The agenda: which rounds, alerts and mails have something due, and on which day the next is."""

from datetime import date

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from calendars.deadline import end_of
from models.database import reading
from models.draw import Draw
from models.inspection import Inspection
from models.mail import Mail
from models.notice import Notice
from models.obligation import OPEN, Obligation
from models.round import Round
from tasks.calendar import office_calendar


def round_codes() -> list[str]:
    """Every registered round, in order."""
    with reading() as session:
        return list(session.scalars(select(Round.code).order_by(Round.id)))


def any_open() -> bool:
    """Whether any registered round is not closed yet."""
    with reading() as session:
        open_round = select(Round.id).where(Round.closed_on.is_(None)).limit(1)
        return session.scalar(open_round) is not None


def rounds_with_work(as_of: date) -> list[str]:
    """The rounds in which a pass on that day would do something."""
    with reading() as session:
        waiting = {code for code, day in _waiting(session) if day <= as_of}
        changed = session.scalars(
            select(Round.code).where(
                Round.opened_on.is_not(None),
                Round.closed_on.is_(None),
                or_(Round.version > Round.passed_version, Round.code.in_(waiting)),
            )
        )
        return sorted(waiting | set(changed))


def next_days(after: date) -> list[date]:
    """The days after that one on which an alert, an opening or a notice is due."""
    with reading() as session:
        days = {day for _, day in _waiting(session)}
        alert = session.scalar(select(func.min(Obligation.next_alert_on)).where(text(OPEN)))
        if alert is not None:
            days.add(alert)
        return sorted(day for day in days if day > after)


def next_urgent_days(after: date) -> list[date]:
    """The days after that one, days off included, on which an urgent alert falls due."""
    with reading() as session:
        alerts = select(Obligation.next_alert_at).where(text(OPEN))
        days = {at.date() for at in session.scalars(alerts) if at is not None}
        return sorted(day for day in days if day > after)


def alerts_due(as_of: date) -> bool:
    """Whether a sweep on that day would find anything; on a day off what is urgent alone."""
    with reading() as session:
        working = office_calendar(session).provisional.is_working_day(as_of)
        fallen = Obligation.next_alert_at < end_of(as_of)
        if working:
            fallen = or_(fallen, Obligation.next_alert_on <= as_of)
        due = select(Obligation.id).where(text(OPEN), fallen).limit(1)
        return session.scalar(due) is not None


def mails_sent() -> int:
    """How many mails went out."""
    with reading() as session:
        sent = select(func.count()).select_from(Mail).where(Mail.state == "sent")
        return session.scalar(sent) or 0


def _waiting(session: Session) -> list[tuple[str, date]]:
    """Rounds to open and notices to make, each with its day."""
    found = []
    for round in session.scalars(select(Round).where(Round.closed_on.is_(None))):
        calendar = office_calendar(session, round.plan_version.plan).provisional
        if round.opened_on is None:
            found.append((round.code, calendar.first_working_day(round.opens_on)))
            continue
        sealed = session.scalars(
            select(Draw.sealed_at)
            .join(Inspection, Inspection.draw_id == Draw.id)
            .outerjoin(Notice, Notice.inspection_id == Inspection.id)
            .where(
                Draw.round_id == round.id,
                Notice.id.is_(None),
                Inspection.unannounced.is_(False),
                Inspection.ended_on.is_(None),
                Inspection.dropped_on.is_(None),
            )
            .distinct()
        )
        after = round.plan_version.plan.notices_after
        found += [(round.code, calendar.add_working_days(at.date(), after)) for at in sealed if at]
    return found


def rounds_to_seal() -> list[str]:
    """The rounds with a frozen draw that waits for its digest to go out, and for nothing else."""
    with reading() as session:
        waiting = select(Round.code).join(Draw, Draw.round_id == Round.id).where(Draw.ready)
        return sorted(set(session.scalars(waiting)))
