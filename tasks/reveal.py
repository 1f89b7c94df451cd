"""Reveals: a draw becomes public once nobody can be warned by it any more (draw-1, step 9)."""

from datetime import datetime

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from models import ledger
from models.database import writing
from models.draw import Draw
from models.freeze import DrawRefused
from models.inspection import DepartmentRecord, Inspection
from models.ledger import Event
from tasks.freeze import find_draw
from tasks.round import SYSTEM, lock


def reveal_draws(code: str, at: datetime) -> int:
    """Reveal each sealed draw whose every inspection has its records; returns how many."""
    with writing() as session:
        round = lock(session, code)
        sealed = session.scalars(
            select(Draw)
            .where(
                Draw.round_id == round.id, Draw.sealed_at.is_not(None), Draw.revealed_at.is_(None)
            )
            .order_by(Draw.grade)
        ).all()
        done = [draw for draw in sealed if not _unrecorded(session, draw)]
        for draw in done:
            draw.revealed_at = at.replace(microsecond=0)
        ledger.append(session, at, SYSTEM, [Event("公开抽取", draw.code, {}) for draw in done])
    return len(done)


def order_reveal(code: str, grade: str, reason: str, ordered_by: str, at: datetime) -> str:
    """Reveal a sealed draw before all its records are in, by order; returns the round.

    DrawRefused while a record of a subject that is not to be told (不宜告知) is open.
    """
    if not (reason.strip() and ordered_by.strip()):
        raise DrawRefused("提前公开须写明理由和决定人")
    with writing() as session:
        round = lock(session, code)
        draw = find_draw(session, round, grade)
        if draw.sealed_at is None or draw.revealed_at is not None:
            state = "尚未封存" if draw.sealed_at is None else "已经公开"
            raise DrawRefused(f"{draw.code} {state}，不能提前公开")
        if _unrecorded(session, draw, untold=True):
            raise DrawRefused(f"{draw.code} 中有不宜告知的检查还没有记录，不能提前公开")
        draw.revealed_at = at.replace(microsecond=0)
        round.version += 1
        event = Event("公开抽取", draw.code, {"reason": reason, "ordered_by": ordered_by})
        ledger.append(session, at, ordered_by, [event])
        return round.code


def _unrecorded(session: Session, draw: Draw, untold: bool = False) -> bool:
    """Whether a record of the draw's inspections, or of those not told alone, is missing."""
    missing = (
        select(DepartmentRecord.id)
        .join(Inspection)
        .where(
            Inspection.draw_id == draw.id,
            Inspection.dropped_on.is_(None),
            DepartmentRecord.recorded_on.is_(None),
            Inspection.unannounced if untold else true(),
        )
        .limit(1)
    )
    return session.scalar(missing) is not None
