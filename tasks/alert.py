"""Alerts as rows: whom each goes to, and what the ledger keeps of them; for both sweeps."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from models.alert import Alert, Fallen, Recipient, Step, reasons, recipient
from models.leave import Leave, absences
from models.ledger import Event
from models.mail import refused_addresses
from models.obligation import Obligation
from models.plan import Plan, PlanVersion, Role
from models.round import Round

# An address refused for good within so many days counts as none.
REFUSED_DAYS = 14


def plans_of(session: Session, round_ids: Iterable[int]) -> dict[int, Plan]:
    """The newest plan of each round, every plan read once."""
    pairs = session.execute(select(Round.id, Round.plan_id).where(Round.id.in_(round_ids))).all()
    versions = {number: session.get_one(PlanVersion, number) for _, number in pairs}
    return {round_id: versions[number].plan for round_id, number in pairs}


def already_told(session: Session, due: ColumnElement[bool]) -> set[tuple[int, int, str, str]]:
    """Alerts there are of the `due` versions; none, unless a day or the plan was turned back."""
    query = (
        select(Alert.obligation_id, Alert.due_version, Alert.level, Alert.role)
        .join(
            Obligation,
            and_(Obligation.id == Alert.obligation_id, Obligation.due_version == Alert.due_version),
        )
        .where(due)
    )
    return set(session.execute(query).tuples())


class Teller:
    """Makes alerts of what fell due: to whom, and to whom instead where one cannot be reached."""

    def __init__(self, session: Session, plans: Mapping[int, Plan], as_of: date) -> None:
        self._plans = plans
        self._as_of = as_of
        self._away = absences(session.scalars(select(Leave).where(Leave.last_on >= as_of)), as_of)
        self._refused = refused_addresses(session, as_of - timedelta(days=REFUSED_DAYS))
        self._whom = cache(self._found)

    def _found(
        self, role: Role, person: str, email: str, department: str, round_id: int
    ) -> Recipient:
        plan = self._plans[round_id]
        return recipient(role, (person, email), department, plan, self._away, self._refused)

    def alerts(
        self, row: Any, fell: Fallen[Any], told: set[tuple[int, int, str, str]]
    ) -> Iterator[dict[str, Any]]:
        """One row an alert not `told` yet; `mail_id` is true where it is mailed, else None."""
        for step, role, mailed in fell.told():
            if (row.id, row.due_version, step.level, role) in told:
                continue
            to = self._whom(role, row.person, row.email, row.department, row.round_id)
            yield self._alert(row, step, role, to, mailed)
            noted = (row.id, row.due_version, step.level, "coordinator")
            if mailed and to.redirected and "coordinator" not in step.to and noted not in told:
                told.add(noted)  # once, also where two roles of a level cannot be reached
                office = self._whom("coordinator", "", "", "", row.round_id)
                why = reasons(f"{to.why}，已转{to.name}", office.why)
                note = Recipient(office.name, office.email, why)
                yield self._alert(row, step, "coordinator", note, True)

    def _alert(
        self, row: Any, step: Step[Any], role: Role, to: Recipient, mailed: bool
    ) -> dict[str, Any]:
        return {
            "obligation_id": row.id,
            "due_version": row.due_version,
            "level": step.level,
            "name": step.name,
            "role": role,
            "recipient": to.name,
            "email": to.email,
            "why": to.why,
            "raised_on": self._as_of,
            "mail_id": mailed or None,  # its number follows
        }


def entry(
    action: str, when: str, obligations: int, alerts: list[dict[str, Any]], mails: int
) -> Event:
    """One entry for all: the figures, and a digest that the alerts' rows can be checked against."""
    keys = sorted(
        f"{alert['obligation_id']} {alert['due_version']} {alert['level']} {alert['role']} "
        f"{alert['email']}"
        for alert in alerts
    )
    mailed = [alert for alert in alerts if alert["mail_id"] is not None]
    detail = {
        "obligations": obligations,
        "alerts": len(mailed),
        "skipped": len(alerts) - len(mailed),
        "mails": mails,
        "levels": dict(Counter(alert["level"] for alert in mailed)),
        "digest": hashlib.sha256("\n".join(keys).encode()).hexdigest(),
    }
    return Event(action, when, detail)
