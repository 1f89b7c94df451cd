"""Rounds: locked, numbered by pass, closed when nothing in them is open."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ledger
from models.database import reading, writing
from models.draw import Draw
from models.inspection import Inspection, unprepared
from models.ledger import Event
from models.obligation import Obligation
from models.round import Pass, Round, stale

SYSTEM = "系统"


class UnknownRound(LookupError):
    """No round of that code; the message is one Chinese line."""


def lock(session: Session, code: str) -> Round:
    """The round, held until the transaction ends: every stage takes this first, then looks again.

    Raises UnknownRound.
    """
    found = session.scalar(select(Round).where(Round.code == code).with_for_update(of=Round))
    return found or _unknown(session, code)


def with_round(session: Session, code: str) -> Round:
    """The round, for reading. Raises UnknownRound."""
    found = session.scalar(select(Round).where(Round.code == code))
    return found or _unknown(session, code)


def _unknown(session: Session, code: str) -> NoReturn:
    known = "、".join(session.scalars(select(Round.code).order_by(Round.code))) or "无"
    raise UnknownRound(f"没有轮次“{code}”；已登记的轮次：{known}")


@dataclass(frozen=True)
class Begun:
    """A pass that may go on, by its number."""

    number: int
    round_code: str


def begin_pass(code: str, at: datetime, flow_run_id: str) -> Begun | None:
    """Number a new pass; None where a pass of a later day was made already: this one is stale."""
    with writing() as session:
        round = lock(session, code)
        if stale(at.date(), round.passed_on):
            return None
        round.pass_number += 1
        round.passed_on, round.passed_version = at.date(), round.version
        session.add(
            Pass(
                round_id=round.id,
                number=round.pass_number,
                as_of=at.date(),
                flow_run_id=flow_run_id,
            )
        )
        return Begun(round.pass_number, code)


def close_round(code: str, at: datetime) -> bool:
    """Close the round if it may be: all drawn, and no obligation of it open. Returns whether it is.

    §八 and the plan: published or 未实施, referrals sent, follow-ups closed, and its brief sent.
    With no inspection at all it closes as 无对象. See `tasks.duty.settle` for what opens it again.
    """
    with writing() as session:
        round = lock(session, code)
        if round.closed_on is not None:
            return True
        if _waits(session, round):
            return False
        inspections = session.scalar(
            select(func.count()).select_from(Inspection).where(Inspection.round_id == round.id)
        )
        round.closed_on = at.date()
        round.outcome = "已办结" if inspections else "无对象"
        ledger.append(session, at, SYSTEM, [Event("轮次办结", code, {"outcome": round.outcome})])
        return True


def _waits(session: Session, round: Round) -> bool:
    """Whether anything in the round is yet to be drawn, to be done or to be prepared."""
    unsealed = select(Draw.id).where(Draw.round_id == round.id, Draw.sealed_at.is_(None))
    owed = select(Obligation.id).where(
        Obligation.round_id == round.id,
        Obligation.open,
    )
    waiting = (unsealed, owed, unprepared(round.id))
    return any(session.execute(one.limit(1)).first() is not None for one in waiting)


def rounds_to_pass(as_of: date) -> list[str]:
    """The codes of rounds that are due to be passed over: opened by plan, and not closed."""
    with reading() as session:
        return list(
            session.scalars(
                select(Round.code)
                .where(Round.opens_on <= as_of, Round.closed_on.is_(None))
                .order_by(Round.code)
            )
        )
