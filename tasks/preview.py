"""What a sweep would tell, and whom, without telling anybody or noting anything (dry run)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from calendars.deadline import end_of
from models.alert import fallen
from models.database import reading
from models.obligation import OPEN, Obligation
from models.plan import DUTY_NAMES, Role
from models.round import Round
from models.urgent import urgent_fallen
from models.wording import MINUTE
from tasks.calendar import office_calendar
from tasks.statistics import department_name

ROLES: dict[Role, str] = {
    "responsible": "责任人",
    "head": "部门负责人",
    "coordinator": "联席会议办公室",
}


@dataclass(frozen=True)
class Due:
    """One alert that would go out; `role` says to whom besides, or instead of, `person`."""

    level: str
    role: str
    duty: str
    object: str
    department: str
    person: str
    due_on: date


def preview(as_of: date) -> list[Due]:
    """The alerts of a sweep on that day, by what is known now; first due first.

    Absences and refused addresses are left to the real sweep.
    """
    with reading() as session:
        rounds = {round.id: round for round in session.scalars(select(Round))}
        rows = session.execute(
            select(
                Obligation.round_id,
                Obligation.duty,
                Obligation.object,
                Obligation.department,
                Obligation.person,
                Obligation.due_on,
                Obligation.provisional,
                Obligation.alerted_level,
            )
            .where(text(OPEN), Obligation.next_alert_on <= as_of)
            .order_by(Obligation.due_on, Obligation.id)
        ).all()
        found = []
        for row in rows:
            plan = rounds[row.round_id].plan_version.plan
            calendar = office_calendar(session, plan)
            fell = fallen(
                row.due_on, row.provisional, row.alerted_level, as_of, plan.alerts, calendar
            )
            found += [
                Due(
                    step.name,
                    ROLES[role],
                    DUTY_NAMES[row.duty],
                    row.object,
                    department_name(plan, row.department),
                    row.person,
                    row.due_on,
                )
                for step, role, mailed in fell.told()
                if mailed
            ]
        return [*found, *_urgent(session, rounds, as_of)]


def _urgent(session: Session, rounds: dict[int, Round], as_of: date) -> Iterator[Due]:
    """What the urgent sweeps of that day would tell, each level at its minute."""
    until = end_of(as_of)
    rows = session.scalars(
        select(Obligation)
        .where(text(OPEN), Obligation.next_alert_at < until)
        .order_by(Obligation.due_at, Obligation.id)
    )
    for row in rows:
        plan = rounds[row.round_id].plan_version.plan
        assert row.started_at is not None
        last = until - MINUTE
        fell = urgent_fallen(
            row.started_at, row.due_at, row.alerted_level, last, plan.urgent_alerts
        )
        department = department_name(plan, row.department)
        name = DUTY_NAMES[row.duty]
        for step in fell.steps:
            for role in step.to:
                yield Due(
                    step.name, ROLES[role], name, row.object, department, row.person, row.due_on
                )
