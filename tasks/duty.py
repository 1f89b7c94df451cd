"""Duties: the obligations of a round brought in line with its facts, in the facts' transaction."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session

from calendars import Grant
from models import ledger
from models.alert import first_alert_on, next_alert_on
from models.brief import Brief
from models.database import writing
from models.draw import Draw
from models.duty import Duties
from models.grant import GrantedTime
from models.inspection import Inspection, unprepared
from models.ledger import Event
from models.obligation import Obligation
from models.reconciliation import Move, reconcile
from models.round import Round
from tasks.calendar import office_calendar
from tasks.fault import Faults
from tasks.round import SYSTEM, lock, rounds_to_pass


def update_duties(code: str, at: datetime) -> int:
    """Bring every obligation of a round in line with its facts; returns how many due days moved."""
    with writing() as session:
        return len(settle(session, lock(session, code), at))


def update_all_duties(at: datetime) -> int:
    """The same for every open round: what a lost pass left undone, a suspension that ended.

    A round that cannot be brought in line stops no other; ExceptionGroup at the end tells of it.
    """
    moved = 0
    with Faults() as faults:
        for code in rounds_to_pass(at.date()):
            with faults.kept():
                moved += update_duties(code, at)
    return moved


def settle(
    session: Session,
    round: Round,
    at: datetime,
    inspections: Iterable[Inspection] | None = None,
    actor: str = SYSTEM,
    why: str = "事实变更",
) -> list[Move]:
    """The same within the caller's transaction; of some inspections only, where given.

    A closed round in which something is to be done again, or to be prepared for publication as it
    was corrected, is open again.
    """
    session.flush()
    plan = round.plan_version.plan
    calendar = office_calendar(session, plan)
    # Held against a sweep, which would set their levels by the days of before.
    stored = select(Obligation).where(Obligation.round_id == round.id).with_for_update()
    duties = Duties(plan, calendar, at.date(), _grants(session))
    if inspections is None:
        of_round = select(Inspection).where(Inspection.round_id == round.id)
        draws = list(session.scalars(select(Draw).where(Draw.round_id == round.id)))
        every = list(session.scalars(of_round))
        brief = session.scalar(select(Brief).where(Brief.round_id == round.id))
        whole = duties.of_round(round, draws, every, brief)
        wanted = chain(duties.of(round, draws, every), whole)
    else:
        some = list(inspections)
        stored = stored.where(Obligation.inspection.in_([one.code for one in some]))
        wanted = chain(duties.of(round, (), some))
    known: dict[tuple[str, str], Obligation] = {
        (row.duty, row.object): row for row in session.scalars(stored)
    }
    found = reconcile(
        known,
        wanted,
        round.id,
        at,
        partial(first_alert_on, plan=plan, calendar=calendar),
        why,
    )
    for row in known.values():
        if row.open and row.started_at is None:
            row.next_alert_on = next_alert_on(row, plan, calendar)
    session.add_all(found.new)
    events = found.events
    if round.closed_on and (
        any(row.open for row in [*known.values(), *found.new])
        or session.execute(unprepared(round.id).limit(1)).first()
    ):
        # Or nothing would look after what a correction left to do.
        events = [*events, Event("轮次恢复", round.code, {"closed_on": round.closed_on})]
        round.closed_on, round.outcome = None, ""
    ledger.append(session, at, actor, events)
    return found.moved


def _grants(session: Session) -> dict[tuple[str, str], list[Grant]]:
    found: dict[tuple[str, str], list[Grant]] = defaultdict(list)
    for row in session.scalars(select(GrantedTime).order_by(GrantedTime.id)):
        found[row.duty, row.object].append(row.grant)
    return found
