"""The deadline board's contents, collected by a handful of queries whatever the number of duties.

What names a drawn subject is replaced here, before it can reach a page: see `_subject`.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calendars import WorkingCalendar
from models.alert import Alert, Step, Sweep, steps
from models.board import (
    SOON_DAYS,
    UNDELIVERABLE_DAYS,
    Away,
    Board,
    Cell,
    Coverage,
    LostMail,
    OpenDuty,
    ProvisionalLine,
    RoundLine,
    ranked,
    without_addresses,
)
from models.database import reading
from models.draw import Draw
from models.inspection import Inspection
from models.leave import Leave, absences, away_through, department_names
from models.mail import Mail
from models.obligation import Obligation
from models.plan import DUTY_NAMES, Plan
from models.round import Round
from models.urgent import urgent_steps
from models.wording import MINUTE
from tasks.calendar import office_calendar
from tasks.statistics import (
    Counted,
    count_inspections,
    count_obligations,
    department_name,
    plan_statistics,
)

# Closed rounds that stay on the board, the newest ones.
CLOSED_ROUNDS = 4
LOST_MAILS = 20
# What letters begin with; the rest of a subject line may name a drawn subject.
_CODE = re.compile("〔[^〕]*〕")


def board(as_of: date, at: datetime) -> Board:
    """The board as it stands on that day."""
    with reading() as session:
        rounds = list(session.scalars(select(Round).order_by(Round.id)))
        calendars = {round.id: _calendar(session, round) for round in rounds}
        counted = count_obligations(session, rounds, as_of, at)
        duties = _open_duties(session, rounds, calendars, as_of, at)
        lost, mails = _lost_mails(session, as_of)
        swept = session.scalars(select(Sweep).order_by(Sweep.id.desc()).limit(1)).first()
        calendar = office_calendar(session)
        return Board(
            as_of=as_of,
            at=at,
            rounds=tuple(
                _line(round, counted[round.id], calendars[round.id], as_of)
                for round in _shown(rounds)
            ),
            overdue=ranked([one for one in duties if one.overdue(as_of)]),
            soon=ranked([one for one in duties if not one.overdue(as_of)]),
            provisional=_provisional(session),
            mails=mails,
            lost_mails=lost,
            swept_on=swept.as_of if swept else None,
            swept_at=swept.finished_at if swept else None,
            away=_away(session, rounds, as_of),
            coverage=Coverage(calendar.firm_through, calendar.covered_through, calendar.version),
            statistics=plan_statistics(rounds, counted, count_inspections(session, rounds)),
        )


def _calendar(session: Session, round: Round) -> WorkingCalendar:
    return office_calendar(session, round.plan_version.plan).provisional


def _shown(rounds: Sequence[Round]) -> list[Round]:
    closed = [round for round in rounds if round.closed_on is not None]
    kept = set(closed[-CLOSED_ROUNDS:])
    return [round for round in rounds if round.closed_on is None or round in kept]


def _line(
    round: Round, counted: Sequence[Counted], calendar: WorkingCalendar, as_of: date
) -> RoundLine:
    cells = []
    for duty in DUTY_NAMES:
        own = [one for one in counted if one.tally.duty == duty]
        first = min((one.first_due_on for one in own if one.first_due_on), default=None)
        cells.append(
            Cell(
                duty,
                total=sum(one.tally.total for one in own),
                done=sum(one.tally.total - one.tally.open for one in own),
                overdue=sum(one.tally.overdue for one in own),
                soon=sum(one.soon for one in own),
                first_due_on=first,
                left=-_days_over(calendar, first, as_of) if first else None,
            )
        )
    return RoundLine(round.code, round.outcome, round.closed_on, tuple(cells))


def _days_over(calendar: WorkingCalendar, due_on: date, as_of: date) -> int:
    """Working days over the due day; negative: left until it."""
    if due_on <= as_of:
        return calendar.count_working_days(due_on, as_of)
    return -calendar.count_working_days(as_of, due_on)


def _open_duties(
    session: Session,
    rounds: Sequence[Round],
    calendars: dict[int, WorkingCalendar],
    as_of: date,
    at: datetime,
) -> list[OpenDuty]:
    """What is open and overdue or due soon, with the last alert that was mailed of it."""
    known = {round.id: round for round in rounds}
    last = (
        select(func.max(Alert.id))
        .where(Alert.obligation_id == Obligation.id, Alert.mail_id.is_not(None))
        .correlate(Obligation)
        .scalar_subquery()
    )
    query = (
        select(
            Obligation.duty,
            Obligation.object,
            Obligation.inspection,
            Obligation.round_id,
            Obligation.about,
            Obligation.department,
            Obligation.person,
            Obligation.started_at,
            Obligation.due_on,
            Obligation.due_at,
            Obligation.provisional,
            Obligation.suspended,
            Obligation.alerted_level,
            Alert.name.label("alert"),
            Alert.raised_on,
            Draw.revealed_at,
        )
        .outerjoin(Inspection, Inspection.code == Obligation.inspection)
        .outerjoin(Draw, Draw.id == Inspection.draw_id)
        .outerjoin(Alert, Alert.id == last)
        .where(
            Obligation.open,
            Obligation.due_on <= as_of + timedelta(days=SOON_DAYS),
        )
    )

    @cache
    def days(round_id: int, due_on: date) -> int:
        return _days_over(calendars[round_id], due_on, as_of)

    @cache
    def following(
        round_id: int, due_on: date, provisional: bool, alerted: str
    ) -> Step[date] | None:
        levels = known[round_id].plan_version.plan.alerts
        return next(steps(due_on, provisional, levels, calendars[round_id], alerted), None)

    minute = at.replace(second=0, microsecond=0)
    found = []
    for row in session.execute(query):
        plan = known[row.round_id].plan_version.plan
        by_the_clock = row.started_at is not None
        step = (
            _next_urgent(row, plan)
            if by_the_clock
            else following(row.round_id, row.due_on, row.provisional, row.alerted_level)
        )
        if row.suspended:
            step = None
        found.append(
            OpenDuty(
                duty=row.duty,
                object=row.object,
                round=known[row.round_id].code,
                inspection=row.inspection,
                subject=_subject(row),
                department=department_name(plan, row.department),
                person=row.person,
                due_on=row.due_on,
                days=days(row.round_id, row.due_on),
                provisional=row.provisional,
                suspended=row.suspended,
                last_alert=row.alert or "",
                last_alert_on=row.raised_on,
                next=step.name if step else "",
                next_on=step.on if step else None,
                due_at=row.due_at if by_the_clock else None,
                over=(minute - row.due_at) // MINUTE if by_the_clock else None,
            )
        )
    return found


def _next_urgent(row: Any, plan: Plan) -> Step[date] | None:
    levels = plan.urgent_alerts
    step = next(urgent_steps(row.started_at, row.due_at, levels, row.alerted_level), None)
    return Step(step.level, step.name, step.on.date(), step.to) if step else None


def _subject(row: Any) -> str:
    """Whom it is about; before its draw is revealed, the inspection's code and nothing more."""
    about: str = row.about
    if row.inspection and row.revealed_at is None:
        return str(row.inspection)
    return about


def _provisional(session: Session) -> tuple[ProvisionalLine, ...]:
    query = (
        select(Round.code, Obligation.duty, Obligation.due_on, func.count())
        .join(Round, Round.id == Obligation.round_id)
        .where(
            Obligation.open,
            Obligation.provisional.is_(True),
        )
        .group_by(Round.code, Obligation.duty, Obligation.due_on)
        .order_by(Obligation.due_on, Round.code, Obligation.duty)
    )
    return tuple(ProvisionalLine(*row) for row in session.execute(query).tuples())


def _away(session: Session, rounds: Sequence[Round], as_of: date) -> tuple[Away, ...]:
    """Who is on leave that day, by department."""
    names = department_names(round.plan_version.plan for round in rounds)
    leaves = list(session.scalars(select(Leave).where(Leave.last_on >= as_of)))
    return tuple(
        Away(
            names.get(leave.department, leave.department),
            leave.person,
            away_through(leaves, whose, as_of) or as_of,
            leave.acting,
        )
        for whose, leave in sorted(absences(leaves, as_of).items())
    )


def _lost_mails(session: Session, as_of: date) -> tuple[int, tuple[LostMail, ...]]:
    """How many mails reached nobody lately, and the newest of them."""
    lost = (
        Mail.state == "undeliverable",
        Mail.day > as_of - timedelta(days=UNDELIVERABLE_DAYS),
        Mail.day <= as_of + timedelta(days=UNDELIVERABLE_DAYS),
    )
    number = session.scalar(select(func.count()).select_from(Mail).where(*lost)) or 0
    rows = session.execute(
        select(Mail.name, Mail.kind, Mail.subject, Mail.day, Mail.error)
        .where(*lost)
        .order_by(Mail.day.desc(), Mail.id.desc())
        .limit(LOST_MAILS)
    ).tuples()
    return number, tuple(
        LostMail(name, _about(kind, subject), day, without_addresses(why))
        for name, kind, subject, day, why in rows
    )


def _about(kind: str, subject: str) -> str:
    """What a mail was about: no more of a letter's subject than the code that it begins with."""
    code = _CODE.match(subject)
    known = {"digest": "期限汇总", "urgent": "加急提醒"}
    return known.get(kind) or f"信件{code[0] if code else ''}"
