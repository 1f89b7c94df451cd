"""Teams: what a draw leads to, saved in few statements however many were drawn."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import Base
from models.bulk import among, defaults, insert_rows
from models.draw import Draw, DrawnSubject, TeamMember
from models.inspection import DepartmentRecord, Inspection
from models.plan import Plan
from models.protocol import Team
from models.registers import SubjectRow
from models.round import Round
from models.subject import Inspector, Subject

# Rows to a statement: bounds memory, and the number of parameters.
PART = 10_000


def save_tickets(session: Session, draw: Draw, tickets: Iterable[tuple[str, str, bool]]) -> None:
    """Drawn subjects and, marked so, alternates (递补名单), in order: (code, ticket, alternate)."""
    positions = {False: 0, True: 0}

    def row(code: str, ticket: str, alternate: bool) -> dict[str, Any]:
        positions[alternate] += 1
        return {
            "draw_id": draw.id,
            "position": positions[alternate],
            "alternate": alternate,
            "code": code,
            "ticket": ticket,
        }

    _insert(session, DrawnSubject, [row(*one) for one in tickets])


def save_inspections(
    session: Session,
    round: Round,
    draw: Draw,
    plan: Plan,
    codes: Sequence[str],
    days: list[date],
    first: int = 1,
    replaces: str = "",
) -> dict[str, int]:
    """An inspection on its day for each subject, with a record a department; ids by code.

    They are numbered from `first`; `replaces` is the inspection whose closed subject they follow.
    """
    width = max(2, len(str(draw.count or len(codes))))
    for start in range(0, len(codes), PART):
        part = codes[start : start + PART]
        entries = _register(session, part)
        _insert(
            session,
            Inspection,
            [
                {
                    "round_id": round.id,
                    "draw_id": draw.id,
                    "code": f"{draw.code}{first + place:0{width}}",
                    "subject_code": code,
                    "subject": entries[code],
                    "replaces": replaces,
                    "planned_on": days[place],
                }
                for place, code in enumerate(part, start)
            ],
        )
    saved = (
        select(Inspection.subject_code, Inspection.id)
        .where(Inspection.draw_id == draw.id)
        .order_by(Inspection.id)
        .offset(first - 1)
    )
    ids = dict(session.execute(saved).tuples().all())
    departments = [department.code for department in plan.departments]
    records = [
        {"inspection_id": id, "department": department}
        for id in ids.values()
        for department in departments
    ]
    _insert(session, DepartmentRecord, records)
    return ids


def _register(session: Session, codes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Subjects as the register has them now, by code, as JSON keeps them."""
    fields = [getattr(Subject, name) for name in SubjectRow.model_fields]
    rows = session.execute(select(*fields).where(among(session, "code", codes))).mappings()
    return {
        row["code"]: {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in row.items()
        }
        for row in rows
    }


def save_teams(
    session: Session, inspections: dict[str, int], teams: Sequence[Team], joined_by: str
) -> None:
    """Everyone's place in the teams; names and addresses as the register has them now."""
    people = {
        certificate: (name, email)
        for certificate, name, email in session.execute(
            select(Inspector.certificate, Inspector.name, Inspector.email)
        )
    }
    for start in range(0, len(teams), PART):
        rows = [
            {
                "inspection_id": inspections[team.subject],
                "department": team.department,
                "certificate": certificate,
                "name": people[certificate][0],
                "email": people[certificate][1],
                "position": position,
                "leader": certificate == team.leader,
                "joined_by": joined_by,
            }
            for team in teams[start : start + PART]
            for position, certificate in enumerate(team.drawn, start=1)
        ]
        _insert(session, TeamMember, rows)


def _insert(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    fixed = defaults(table)
    for start in range(0, len(rows), PART):
        insert_rows(session, table, [fixed | row for row in rows[start : start + PART]])
