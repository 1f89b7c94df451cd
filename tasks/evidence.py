"""Evidence: the bundle by which anyone can recompute a revealed draw."""

from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import protocol
from models.database import reading
from models.draw import Draw, DrawnSubject, TeamMember
from models.freeze import canonical
from models.inspection import Inspection
from models.replacement import DRAWN, Replacement
from models.round import Round


class NotRevealed(LookupError):
    """The evidence of a draw may not leave the office yet, or there is no such draw."""


def evidence(code: str, grade: str) -> bytes:
    """The evidence bundle (证据包) of a draw, canonical. Raises NotRevealed before the reveal."""
    with reading() as session:
        draw = session.scalar(
            select(Draw).join(Round).where(Round.code == code, Draw.grade == grade)
        )
        if draw is None:
            raise NotRevealed(f"没有 {code}-{grade} 这次抽取")
        if not draw.proven:
            raise NotRevealed(f"{draw.code} 为外部抽取，无证明，没有可以验证的证据包")
        if draw.revealed_at is None:
            raise NotRevealed(f"{draw.code} 尚未公开，不得提供证据包：全部检查有记录后自动公开")
        listed = (
            select(DrawnSubject.code, DrawnSubject.ticket)
            .where(DrawnSubject.draw_id == draw.id)
            .order_by(DrawnSubject.id)
        )
        drawn = session.execute(listed.where(DrawnSubject.alternate.is_(False))).tuples()
        alternates = session.scalars(listed.where(DrawnSubject.alternate.is_(True)))
        bundle = protocol.bundle(
            draw.freeze,
            bytes.fromhex(draw.secret),
            draw.public_value,
            list(drawn),
            list(alternates),
            _teams(session, draw),
            _replacements(session, draw),
        )
    return canonical(bundle)


def _teams(session: Session, draw: Draw) -> list[protocol.Team]:
    """The teams as they were first drawn and saved, in draw order, then department order."""
    members = session.execute(
        select(Inspection.subject_code, TeamMember.department, TeamMember.certificate)
        .join(Inspection, Inspection.id == TeamMember.inspection_id)
        .where(Inspection.draw_id == draw.id, TeamMember.joined_by == DRAWN)
        .order_by(TeamMember.id)
    )
    leading = {d["code"] for d in draw.freeze["departments"] if d["initiating"]}
    teams = []
    for (subject, department), group in groupby(members, key=lambda row: (row[0], row[1])):
        drawn = tuple(row[2] for row in group)
        leader = drawn[0] if department in leading else None
        teams.append(protocol.Team(subject, department, drawn, leader))
    return teams


def _replacements(session: Session, draw: Draw) -> list[dict[str, str]]:
    rows = session.execute(
        select(Replacement, Inspection.subject_code)
        .join(Inspection, Inspection.id == Replacement.inspection_id)
        .where(Inspection.draw_id == draw.id)
        .order_by(Replacement.id)
    )
    return [
        {
            "subject": subject,
            "department": row.department,
            "out": row.out_certificate,
            "in": row.in_certificate,
            "reason": row.why,
            "decided_by": row.decided_by,
            "at": row.decided_at.isoformat(),
        }
        for row, subject in rows
    ]
