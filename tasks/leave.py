"""Leave: entered ahead or when somebody falls ill, and ended; kept for the sweeps that follow."""

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import ledger
from models.database import writing
from models.leave import (
    OFFICE,
    Leave,
    LeaveEntry,
    ReturnEntry,
    Staff,
    check_leave,
    department_names,
    repeats,
    returning,
)
from models.ledger import Event
from models.mail import refused_addresses
from models.obligation import OPEN, Obligation
from models.plan import Plan, PlanVersion
from models.subject import Inspector
from tasks.alert import REFUSED_DAYS


def enter_leave(entry: LeaveEntry, at: datetime) -> str:
    """Enter who is away and who acts for them; returns what stands, as one Chinese line.

    It goes before what was entered earlier for the same days, and works from the next sweep on.
    The same again changes nothing; EntryRefused says what is wrong.
    """
    today = at.date()
    with writing() as session:
        ledger.queue(session)  # entries about one person come one after the other
        staff = _staff(session)
        department, person = staff.whose(entry.department, entry.person)
        leave = Leave(
            department=department,
            person=person,
            first_on=entry.first_on,
            last_on=entry.last_on,
            delegate=entry.delegate,
            delegate_email=entry.delegate_email,
        )
        known = list(session.scalars(select(Leave).where(Leave.last_on >= today)))
        if not repeats(leave, known):
            refused = refused_addresses(session, today - timedelta(days=REFUSED_DAYS))
            check_leave(leave, known, staff, refused, today)
            _keep(session, "登记请假", leave, entry, at)
        return f"{staff.named(leave.whose)} {leave.days} 请假，{leave.acting}"


def end_leave(entry: ReturnEntry, at: datetime) -> str:
    """Enter that somebody is back (销假); returns what stands, as one Chinese line.

    The absence that the day is in ends before it, or was none; mails already out stay as they
    are. The same again changes nothing; EntryRefused where there is no such absence.
    """
    with writing() as session:
        ledger.queue(session)
        staff = _staff(session)
        whose = staff.whose(entry.department, entry.person)
        own = select(Leave).where(Leave.department == whose[0], Leave.person == whose[1])
        back = returning(whose, entry.back_on, list(session.scalars(own)), staff, at.date())
        if back is not None:
            _keep(session, "登记销假", back, entry, at)
        return f"{staff.named(whose)} {entry.back_on} 起销假"


def _keep(
    session: Session, action: str, leave: Leave, entry: LeaveEntry | ReturnEntry, at: datetime
) -> None:
    leave.entered_by, leave.entered_at = entry.entered_by, at
    session.add(leave)
    subject = f"{leave.department or OFFICE}/{leave.person}"
    detail = entry.model_dump() | {"first_on": leave.first_on, "last_on": leave.last_on}
    ledger.append(session, at, entry.entered_by, [Event(action, subject, detail)])


def _staff(session: Session) -> Staff:
    """Whom the registers, the plans and the open duties name."""
    plans = [row.plan for row in session.scalars(select(PlanVersion).order_by(PlanVersion.id))]
    registered = session.execute(select(Inspector.department, Inspector.name)).tuples()
    owing = session.execute(
        select(Obligation.department, Obligation.person).where(text(OPEN)).distinct()
    ).tuples()
    people = {*registered, *owing, *(one for plan in plans for one in _told(plan))}
    return Staff(department_names(plans), people)


def _told(plan: Plan) -> list[tuple[str, str]]:
    heads = [(one.code, one.head.name) for one in plan.departments]
    return [*heads, ("", plan.coordinator.name)]
