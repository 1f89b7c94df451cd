"""Freezes: everything that decides a draw, written down before any seed exists (draw-1, step 2)."""

import hashlib
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import freeze as protocol
from models import ledger
from models.database import reading, writing
from models.draw import DRAW_1, Draw
from models.freeze import DrawRefused
from models.ledger import Event, LedgerEntry
from models.mail import Mail, letter
from models.plan import Plan
from models.registers import CLOSED
from models.round import Round
from models.subject import Inspector, Subject
from tasks.calendar import office_calendar
from tasks.plan import witnesses
from tasks.rotation import lately_inspected
from tasks.round import SYSTEM, lock

BLOCKED = "抽取受阻"


def freeze_draws(code: str, at: datetime) -> list[str]:
    """Freeze each draw that is due (draw-1, step 2), the digest going out in the same transaction.

    A draw is due from the round's day on, one working day after its commitment at the earliest.
    Returns the reasons, in Chinese, why any could not be frozen; then nothing of that one is.
    """
    refused = []
    with reading() as session:
        grades = list(
            session.scalars(
                select(Draw.grade)
                .join(Round)
                .where(Round.code == code, Draw.source == DRAW_1, Draw.frozen_at.is_(None))
                .order_by(Draw.grade)
            )
        )
    for grade in grades:
        try:
            freeze_draw(code, grade, at)
        except DrawRefused as error:
            refused.append(f"{code}-{grade}：{error}")
    if refused:
        with writing() as session:
            known = session.scalar(
                select(LedgerEntry.detail)
                .where(LedgerEntry.action == BLOCKED, LedgerEntry.subject == code)
                .order_by(LedgerEntry.id.desc())
                .limit(1)
            )
            if known != {"reasons": refused}:  # told once, not at every pass
                event = Event(BLOCKED, code, {"reasons": refused})
                ledger.append(session, at, SYSTEM, [event])
    return refused


def freeze_draw(code: str, grade: str, at: datetime) -> bool:
    """Freeze one draw, if it is due and not frozen yet; whether it was. DrawRefused: why not."""
    with writing() as session:
        round = lock(session, code)
        draw = find_draw(session, round, grade)
        if not draw.proven or draw.frozen_at is not None or at.date() < round.opens_on:
            return False
        plan = round.plan_version.plan
        calendar = office_calendar(session, plan).provisional
        if calendar.count_working_days(draw.committed_at.date(), at.date()) < 1:
            return False
        refuse_ungraded(session)
        frozen = _freeze_object(session, round, draw, plan, at)
        written = protocol.canonical(frozen)
        ratio = next(ratio for ratio in plan.grades if ratio.grade == grade)
        draw.frozen, draw.freeze_digest = written.decode(), hashlib.sha256(written).hexdigest()
        draw.frozen_at, draw.ratio = at.replace(microsecond=0), frozen["ratio"]
        draw.ratio_reason = ratio.reason
        draw.pool = len(frozen["pool"])
        round.opened_on = round.opened_on or at.date()
        detail = {"digest": draw.freeze_digest, "pool": draw.pool}
        if frozen["excluded"]:
            detail["excluded"] = len(frozen["excluded"])
        ledger.append(session, at, SYSTEM, [Event("冻结", draw.code, detail)])
        _tell_witnesses(session, draw, plan, len(frozen["excluded"]), at)
        return True


def find_draw(session: Session, round: Round, grade: str) -> Draw:
    """The draw of that grade in a round. DrawRefused where there is none."""
    draw = session.scalar(select(Draw).where(Draw.round_id == round.id, Draw.grade == grade))
    if draw is None:
        raise DrawRefused(f"没有 {round.code}-{grade} 这次抽取")
    return draw


def digest_is_out(session: Session, draw: Draw) -> bool:
    """Whether the freeze's digest has left the office: to one witness at least, none waiting.

    Step 2 wants it published before any seed is computed; who holds it can show a later change.
    """
    states = session.scalars(
        select(Mail.state).where(Mail.key.startswith(f"letter:freeze:{draw.code}:"))
    ).all()
    return "sent" in states and not {"pending", "claimed"} & set(states)


def _tell_witnesses(session: Session, draw: Draw, plan: Plan, excluded: int, at: datetime) -> None:
    left_out = f"，另按方案排除 {excluded} 户" if excluded else ""
    for role, person in witnesses(plan):
        letter(
            session,
            key=f"freeze:{draw.code}:{role}",
            name=person.name,
            email=person.email,
            day=at.date(),
            subject=f"〔{draw.code}〕抽取冻结摘要，请留存",
            text=(
                f"{draw.code} 的名录库和执法检查人员名录库已于 {at:%Y-%m-%d %H:%M} 冻结，"
                f"名录库 {draw.pool} 户{left_out}。\n\n冻结摘要：{draw.freeze_digest}\n"
                f"承诺值：{draw.commitment}\n\n"
                "自此任何人都不能改动抽取结果而不被持有本摘要的人发现。请留存。"
            ),
        )


def refuse_ungraded(session: Session) -> None:
    """DrawRefused while an open subject has no grade: it could not be drawn by anyone."""
    count = session.scalar(
        select(func.count())
        .select_from(Subject)
        .where(Subject.grade.is_(None), Subject.status.not_in(CLOSED))
    )
    if count:
        raise DrawRefused(f"在营检查对象中有 {count} 户没有风险等级，未冻结。请先补齐等级")


def able_inspectors(session: Session, plan: Plan, through: date) -> dict[str, Inspector]:
    """Who may serve through that day, with what the plan's items ask for; by certificate."""
    return {
        inspector.certificate: inspector
        for inspector in session.scalars(select(Inspector))
        if inspector.department in {department.code for department in plan.departments}
        and inspector.may_serve(through, plan.qualifications(inspector.department))
    }


def _freeze_object(
    session: Session, round: Round, draw: Draw, plan: Plan, at: datetime
) -> dict[str, Any]:
    ratio = next(ratio for ratio in plan.grades if ratio.grade == draw.grade)
    # As one text: row by row, a million take six times as long.
    joined = session.scalar(
        select(func.aggregate_strings(Subject.code, "\n")).where(
            Subject.grade == draw.grade, Subject.status.not_in(CLOSED)
        )
    )
    codes = joined.split("\n") if joined else []
    months = plan.exclude_inspected_within_months
    lately = lately_inspected(session, months, at.date())
    inspectors = able_inspectors(session, plan, round.ends_on).values()
    return protocol.freeze(
        round=round.task_number,
        grade=draw.grade,
        commitment=draw.commitment,
        committed_at=draw.committed_at,
        frozen_at=at,
        ratio=ratio.ratio,
        minimum=ratio.minimum,
        pool=[code for code in codes if code not in lately] if lately else codes,
        excluded=[
            (code, f"{months} 个月内已检查（{lately[code]}）") for code in codes if code in lately
        ]
        if lately
        else (),
        departments=[(d.code, d.inspectors, d.initiating) for d in plan.departments],
        inspectors=[(i.department, i.certificate) for i in inspectors],
        recusals=[(code, i.certificate) for i in inspectors for code in i.recusals],
        public_value_rule=draw.public_value_rule,
    )
