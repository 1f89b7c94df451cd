"""Suspensions and extensions: entered with their approval, counted at once, kept in mind."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from calendars import Extension, Grant, Suspension, refusal
from models import ledger
from models.database import writing
from models.entry import EntryRefused, not_after
from models.grant import GrantedTime
from models.ledger import Event
from models.mail import letter
from models.obligation import Obligation
from models.plan import DUTY_NAMES, Duty, Person, Plan, PlanVersion
from models.round import Round
from tasks.desk import find
from tasks.duty import settle


def grant_time(duty: Duty, object: str, grant: Grant, entered_by: str, at: datetime) -> str:
    """Suspend or extend one open duty of counted days; returns the round.

    Effective from its approval and never backwards: one that is overdue stays so. EntryRefused for
    an approver who is the person responsible, for a fixed date, where there is no such duty, for
    a suspension that was over before it was approved, and for one that is entered already.
    """
    not_after(grant.approved_on, at.date(), "批准日期")
    with writing() as session:
        round, inspection = find(session, object.split("/")[0])
        row = _open(session, duty, object)
        why = refusal(grant, responsible=row.person)
        if why:
            raise EntryRefused(why)
        if isinstance(grant, Suspension) and grant.through < grant.approved_on:
            raise EntryRefused(f"中止到 {grant.through} 为止，{grant.approved_on} 才批准，不能追溯")
        known = select(GrantedTime).where(GrantedTime.duty == duty, GrantedTime.object == object)
        if grant in [one.grant for one in session.scalars(known)]:
            raise EntryRefused(f"{object} 的这项{grant.reason}已经登记过")
        session.add(
            GrantedTime(
                duty=duty,
                object=object,
                from_on=grant.from_ if isinstance(grant, Suspension) else None,
                through_on=grant.through if isinstance(grant, Suspension) else None,
                working_days=grant.amount if isinstance(grant, Extension) else None,
                article=grant.article,
                document=grant.document,
                approver=grant.approver,
                approved_on=grant.approved_on,
                entered_by=entered_by,
                entered_at=at,
            )
        )
        action = "中止" if isinstance(grant, Suspension) else "延期"
        event = Event(action, f"{DUTY_NAMES[duty]} {object}", asdict(grant))
        ledger.append(session, at, entered_by, [event])
        settle(session, round, at, [inspection], entered_by, grant.reason)
        round.version += 1
        return round.code


def _open(session: Session, duty: Duty, object: str) -> Obligation:
    row = session.scalar(
        select(Obligation).where(Obligation.duty == duty, Obligation.object == object)
    )
    if row is None or not row.open:
        raise EntryRefused(f"{object} 没有未完成的“{DUTY_NAMES[duty]}”期限")
    if row.working_days is None or row.working_days < 0:
        raise EntryRefused(f"{object} 的“{DUTY_NAMES[row.duty]}”是固定日期，不能中止或延期")
    return row


def remind_approvers(at: datetime) -> int:
    """Remind each approver once a week of every suspension that lasts; how many letters are new.

    The weeks are counted from its first day, so that a missed morning is made up for by the next.
    """
    today, sent = at.date(), 0
    with writing() as session:
        lasting = session.execute(
            select(GrantedTime, Obligation, PlanVersion)
            .join(
                Obligation,
                and_(Obligation.duty == GrantedTime.duty, Obligation.object == GrantedTime.object),
            )
            .join(Round, Round.id == Obligation.round_id)
            .join(PlanVersion, PlanVersion.id == Round.plan_id)
            .where(
                Obligation.suspended,
                Obligation.open,
                GrantedTime.through_on >= today,
            )
            .order_by(GrantedTime.id)
        ).tuples()
        for row, duty, stored in lasting:
            assert row.from_on is not None
            week = (today - max(row.from_on, row.approved_on)).days // 7
            if week < 1:
                continue
            person = _approver(stored.plan, row.approver)
            name = f"{DUTY_NAMES[duty.duty]} {duty.object}"
            sent += letter(
                session,
                key=f"grant:{row.id}:{week}",
                name=person.name,
                email=person.email,
                day=today,
                subject=f"〔中止第 {week + 1} 周〕{name}",
                text=(
                    f"{row.approver}：\n\n您批准中止的“{name}”自 {row.from_on} 起中止，到 "
                    f"{row.through_on} 为止，其后期限接着计算，现为 {duty.due_on} 到期。\n"
                    f"依据：{row.article}，{row.document}。\n\n"
                    "中止的原因已经消除的，请督促责任人尽快办理。"
                ),
            )
    return sent


def _approver(plan: Plan, name: str) -> Person:
    """The approver as the plan knows them; the coordinator, to pass it on, where it does not."""
    known = [plan.coordinator, *(department.head for department in plan.departments)]
    return next((person for person in known if person.name == name.strip()), plan.coordinator)
