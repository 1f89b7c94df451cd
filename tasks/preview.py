"""The dry run: the sweeps of a day really made, looked at, and undone; nobody is told anything.

What it shows is therefore what a sweep does. It holds up other writers for as long as a sweep.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from calendars.deadline import end_of
from models.alert import Alert
from models.base import SHANGHAI
from models.database import undone
from models.leave import OFFICE
from models.obligation import Obligation
from models.plan import DUTY_NAMES, Role
from models.round import Round
from tasks.obligation import sweep_in
from tasks.outbox import Outgoing, outgoing
from tasks.plan import newest_plan
from tasks.statistics import department_name
from tasks.urgent import next_urgent, sweep_urgent_in

ROLES: dict[Role, str] = {
    "responsible": "责任人",
    "head": "部门负责人",
    "coordinator": OFFICE,
}


@dataclass(frozen=True)
class Foreseen:
    """One alert that would go out to `to`; `why` where that is not who has the `role`."""

    level: str
    role: str
    to: str
    why: str
    duty: str
    object: str
    department: str
    person: str
    due_on: date


def preview(as_of: date) -> list[Foreseen]:
    """The alerts of the sweeps of that day, by what is known now; first due first.

    Raises SweepIncomplete where somebody keeps obligations locked.
    """
    with undone() as session:
        before = session.scalar(select(func.max(Alert.id))) or 0
        for _ in _sweeps(session, as_of):
            pass
        rows = session.execute(
            select(Alert, Obligation, Round)
            .join(Obligation, Obligation.id == Alert.obligation_id)
            .join(Round, Round.id == Obligation.round_id)
            .where(Alert.id > before, Alert.mail_id.is_not(None))
            .order_by(Obligation.due_at, Obligation.id, Alert.id)
        ).tuples()
        return [
            Foreseen(
                alert.name,
                ROLES[alert.role],
                alert.recipient,
                alert.why,
                DUTY_NAMES[duty.duty],
                duty.object,
                department_name(round.plan_version.plan, duty.department),
                duty.person,
                duty.due_on,
            )
            for alert, duty, round in rows
        ]


def preview_mails(as_of: date, where: str = "") -> list[Outgoing]:
    """The mails that would go out on that day, in the order of their going; as `preview`."""
    with undone() as session:
        found: dict[int, Outgoing] = {}
        for at in _sweeps(session, as_of):
            found = {mail.number: mail for mail in outgoing(session, at, where)} | found
        return list(found.values())


def _sweeps(session: Session, as_of: date) -> Iterator[datetime]:
    """Make the morning's sweep and each urgent one, in this transaction; the time of each."""
    plan = newest_plan(session)
    if plan is None:
        return
    midnight = datetime.combine(as_of, time(), SHANGHAI)
    morning = datetime.combine(as_of, plan.sweep_at, SHANGHAI)
    sweep_in(session, as_of, morning)
    yield morning
    while (at := next_urgent(session)) is not None and at < end_of(as_of):
        at = max(at, midnight)
        sweep_urgent_in(session, at)
        yield at
