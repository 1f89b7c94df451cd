"""Statistics: every obligation counted once, by round, department and stage, in one query."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from models.board import SOON_DAYS
from models.draw import Draw
from models.inspection import Inspection
from models.obligation import Obligation, past_due
from models.plan import DUTY_NAMES, Plan
from models.round import Round
from models.statistics import Inspections, Statistics, Tally, statistics


@dataclass(frozen=True)
class Counted:
    """A tally of one round's obligations, with what of it is due soon and when the first is due.

    `missed`: how many were ever overdue; `ended_late`: of those, the ones that are met or closed.
    `first_met_on` and `last_met_on`: between which days they were met.
    """

    tally: Tally
    soon: int
    first_due_on: date | None
    missed: int
    ended_late: int
    first_met_on: date | None
    last_met_on: date | None


def department_name(plan: Plan, code: str) -> str:
    """The department's name; the coordinator's where the duty is the office's own."""
    return plan.department(code).name if code else plan.coordinator.name


def count_obligations(
    session: Session, rounds: Sequence[Round], as_of: date, at: datetime
) -> dict[int, list[Counted]]:
    """The obligations of each round by department and duty, in the order of stages.

    As they stand on that day; those that run by the clock, at that minute.
    """
    met, closed = Obligation.met_on.is_not(None), Obligation.closed_on.is_not(None)
    before = func.json_array_length(Obligation.missed_on) > 0
    missed = or_(Obligation.late, before)
    over = past_due(as_of, at)
    soon = and_(~over, Obligation.due_on <= as_of + timedelta(days=SOON_DAYS))
    closed_late = and_(~met, Obligation.closed_on > Obligation.due_on)
    ever = or_(missed, func.coalesce(closed_late, false()), and_(Obligation.open, over))
    query = (
        select(
            Obligation.round_id,
            Obligation.duty,
            Obligation.department,
            func.count(),
            _how_many(and_(met, ~missed)),
            _how_many(and_(met, missed)),
            _how_many(and_(closed, ~met)),
            _how_many(and_(Obligation.open, over)),
            _how_many(and_(Obligation.open, soon)),
            func.min(case((Obligation.open, Obligation.due_on))),
            _how_many(ever),
            _how_many(and_(ever, ~Obligation.open)),
            func.min(Obligation.met_on),
            func.max(Obligation.met_on),
        )
        .where(Obligation.round_id.in_([round.id for round in rounds]))
        .group_by(Obligation.round_id, Obligation.duty, Obligation.department)
    )
    known = {round.id: round for round in rounds}
    found: dict[int, list[Counted]] = {round.id: [] for round in rounds}
    rows = session.execute(query).tuples().all()
    order = list(DUTY_NAMES)
    for number, duty, department, *figures in sorted(
        rows, key=lambda row: (row[0], order.index(row[1]), row[2])
    ):
        total, on_time, late, ended, overdue, *more = figures
        round = known[number]
        name = department_name(round.plan_version.plan, department)
        tally = Tally(round.code, name, duty, total, on_time, late, ended, overdue)
        found[number].append(Counted(tally, *more))
    return found


def count_inspections(session: Session, rounds: Sequence[Round]) -> dict[int, Inspections]:
    """The inspections of each round."""
    numbers = [round.id for round in rounds]
    waiting = set(
        session.scalars(
            select(Draw.round_id).where(Draw.round_id.in_(numbers), Draw.sealed_at.is_(None))
        )
    )
    counted = session.execute(
        select(
            Inspection.round_id,
            func.count(),
            func.count(Inspection.ended_on),
            func.count(Inspection.dropped_on),
        )
        .where(Inspection.round_id.in_(numbers))
        .group_by(Inspection.round_id)
    ).tuples()
    found = {number: (total, ended, dropped) for number, total, ended, dropped in counted}
    return {
        number: Inspections(*found.get(number, (0, 0, 0)), number not in waiting)
        for number in numbers
    }


def plan_statistics(
    rounds: Iterable[Round],
    counted: dict[int, list[Counted]],
    inspections: dict[int, Inspections],
) -> tuple[Statistics, ...]:
    """The figures of each plan over all of its rounds, from what was counted already."""
    by_plan: dict[str, list[Round]] = {}
    for round in rounds:
        by_plan.setdefault(round.plan_version.number, []).append(round)
    return tuple(
        statistics(
            number,
            (one.tally for round in own for one in counted[round.id]),
            (inspections[round.id] for round in own),
            len(own[0].plan_version.plan.rounds),
        )
        for number, own in by_plan.items()
    )


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
