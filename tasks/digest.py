"""The content of digests, read from the obligations as they stand when the digest is frozen."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.alert import Alert, reasons
from models.digest import Digest, Item, item, render, render_urgent
from models.mail import Mail
from models.obligation import Obligation
from models.plan import PlanVersion
from models.round import Round
from tasks.calendar import office_calendar
from tasks.ledger import head


def digests(
    session: Session, mails: list[Mail], at: datetime, where: str = ""
) -> dict[int, Digest]:
    """The content of each digest and urgent mail by its number; none where all of it is done."""
    if not mails:
        return {}
    rows = session.execute(
        select(Alert, Obligation, Round.plan_id)
        .join(Obligation, Obligation.id == Alert.obligation_id)
        .join(Round, Round.id == Obligation.round_id)
        .where(Alert.mail_id.in_([mail.id for mail in mails]))
        .order_by(Obligation.due_on, Obligation.id, Alert.id)
    ).all()
    versions = {row.plan_id for row in rows}
    plans = {number: session.get_one(PlanVersion, number).plan for number in versions}
    calendars = {number: office_calendar(session, plan) for number, plan in plans.items()}
    told: dict[int, dict[int, list[Alert]]] = {}
    duties: dict[int, tuple[Obligation, int]] = {}
    for alert, duty, plan_id in rows:
        if duty.open and not duty.suspended and alert.due_version == duty.due_version:
            told.setdefault(alert.mail_id, {}).setdefault(duty.id, []).append(alert)
            duties[duty.id] = duty, plan_id

    def each(number: int, alerts: list[Alert]) -> Item:
        duty, plan_id = duties[number]
        why = reasons(*(alert.why for alert in alerts))
        level = alerts[-1].name
        return item(duty, plans[plan_id], level, why, at, calendars[plan_id], where)

    issuer = "、".join(dict.fromkeys(plan.issuer for plan in plans.values()))
    end = head(session)

    def content(mail: Mail) -> Digest:
        items = [each(*pair) for pair in told[mail.id].items()]
        if mail.kind == "urgent":
            return render_urgent(mail.name, at, issuer, items[0], end)
        return render(mail.name, at, issuer, items, end)

    return {mail.id: content(mail) for mail in mails if mail.id in told}
