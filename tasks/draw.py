"""Draws: sealed once and never again; each a transaction of its own (draw-1, steps 3 to 7)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger, protocol
from models.database import reading, writing
from models.draw import Draw
from models.freeze import DrawRefused, check_text
from models.ledger import Event
from models.protocol import Team
from models.replacement import DRAWN
from models.round import Round
from models.visit import planned_visits
from tasks import team
from tasks.calendar import office_calendar
from tasks.freeze import digest_is_out, find_draw, freeze_draw, freeze_draws
from tasks.mail import deliver
from tasks.reveal import reveal_draws
from tasks.round import SYSTEM, lock, with_round
from tasks.steps import tell

__all__ = ["draw_grade", "enter_public_value", "freeze_draws", "reveal_draws", "seal_draws"]


def seal_draws(code: str, at: datetime) -> int:
    """Draw and seal each frozen draw that waits for nothing; returns how many were sealed now.

    Once sealed it is never drawn again: of two at the same instant one is refused, and recorded.
    """
    with reading() as session:
        round = with_round(session, code)
        ready = session.execute(
            select(Draw.grade, Draw.pool)
            .where(Draw.round_id == round.id, Draw.ready)
            .order_by(Draw.grade)
        ).all()
    sealed, over, subjects = 0, 0, sum(pool for _, pool in ready)
    for grade, pool in ready:
        sealed += not _seal(code, grade, SYSTEM, at)
        over += pool
        tell("抽取", over, subjects)
    return sealed


def draw_grade(code: str, grade: str, asked_by: str, at: datetime) -> str:
    """Freeze and seal one draw at somebody's request, once its day has come; returns the round.

    DrawRefused where it cannot be, or was drawn already: such a request goes into the ledger.
    """
    if not asked_by.strip():
        raise DrawRefused("请写明由谁申请抽取")
    with writing() as session:
        round = lock(session, code)
        draw = find_draw(session, round, grade)
        refusal, proven = refuse_again(session, draw, asked_by, at), draw.proven
    if refusal:
        raise DrawRefused(refusal)
    if not proven:
        raise DrawRefused(f"{code}-{grade} 依方案由外部平台抽取，请导入其名单")
    freeze_draw(code, grade, at)
    deliver(at)
    refusal = _seal(code, grade, asked_by, at)
    if refusal:
        raise DrawRefused(refusal)
    return code


def refuse_again(session: Session, draw: Draw, asked_by: str, at: datetime) -> str:
    """Why a sealed draw is not touched again, for people; the attempt goes into the ledger.

    The caller commits before it raises. Empty where the draw is not sealed.
    """
    if draw.sealed_at is None:
        return ""
    detail = {"sealed_at": draw.sealed_at, "freeze": draw.freeze_digest, "count": draw.count}
    ledger.append(session, at, asked_by, [Event("拒绝再次抽取", draw.code, detail)])
    return (
        f"{draw.code} 已于 {draw.sealed_at:%Y-%m-%d %H:%M} 封存，不能再抽、更改或删除；"
        "本次请求已记入台账"
    )


def _seal(code: str, grade: str, asked_by: str, at: datetime) -> str:
    """Draw, steps 4 to 6: subjects, then inspectors. Returns why not, empty where it is sealed."""
    with writing() as session:
        round = lock(session, code)
        draw = find_draw(session, round, grade)
        if refusal := refuse_again(session, draw, asked_by, at):
            return refusal
        if draw.frozen_at is None:
            return f"{draw.code} 还没有到抽取的日子：定于 {round.opens_on}，且承诺公布满一个工作日"
        if draw.waits_for_public_value:
            return f"{draw.code} 已冻结，待公共值，请由两人按规则录入"
        if not digest_is_out(session, draw):
            return f"{draw.code} 已冻结，冻结摘要还没有送出，送出后才能抽取"
        frozen, secret = draw.freeze, bytes.fromhex(draw.secret)
        digest = draw.digest_of_frozen
        if digest != draw.freeze_digest:
            raise DrawRefused(f"{draw.code} 的冻结内容与送出的冻结摘要不符，不得抽取；请核查数据库")
        seed = protocol.seed_of(frozen, digest, secret, draw.public_value)
        drawn, alternates = protocol.draw_subjects(frozen, seed)
        tickets = [(one, ticket, False) for one, ticket in drawn]
        tickets += [(one, protocol.ticket(seed, one), True) for one in alternates]
        team.save_tickets(session, draw, tickets)
        teams = protocol.draw_teams(frozen, seed, drawn)
        codes = [one for one, _ in drawn]
        save_sealed(session, round, draw, codes, teams, DRAWN, at, seed.hex())
        round.version += asked_by != SYSTEM
        return ""


def save_sealed(
    session: Session,
    round: Round,
    draw: Draw,
    codes: list[str],
    teams: list[Team],
    joined_by: str,
    at: datetime,
    seed: str | None = None,
) -> None:
    """Seal the draw and make its inspections and teams, in the caller's transaction."""
    plan = round.plan_version.plan
    calendar = office_calendar(session, plan)
    # A draw that came late leaves time for the notice and its service before the first visit.
    ready_on = calendar.provisional.add_working_days(at.date(), plan.notices_after + 2)
    days = planned_visits(plan.rounds[round.number - 1], len(codes), calendar, ready_on)
    inspections = team.save_inspections(session, round, draw, plan, codes, days)
    team.save_teams(session, inspections, teams, joined_by)
    draw.seed, draw.count = seed, len(codes)
    draw.sealed_at = at.replace(microsecond=0)
    detail = {"count": draw.count, "freeze": draw.freeze_digest}
    ledger.append(session, at, SYSTEM, [Event("抽取封存", draw.code, detail)])


def enter_public_value(
    code: str, grade: str, value: str, entered_by: list[str], at: datetime
) -> None:
    """Enter a frozen draw's public value, once, by two people (step 3). DrawRefused otherwise."""
    people = [name.strip() for name in entered_by if name.strip()]
    if len(set(people)) < 2:
        raise DrawRefused("公共值须由两名不同的人共同录入，请写明两人姓名")
    check_text(value, "公共值")
    with writing() as session:
        round = lock(session, code)
        draw = find_draw(session, round, grade)
        refusal = refuse_again(session, draw, "、".join(people), at)
        if not refusal and draw.waits_for_public_value:
            draw.public_value, draw.public_value_by = value, people
            draw.public_value_at = at.replace(microsecond=0)
            round.version += 1
            event = Event("录入公共值", draw.code, {"value": value})
            ledger.append(session, at, "、".join(people), [event])
            return
    raise DrawRefused(f"{code}-{grade} 现在不待录入公共值" + (refusal and f"：{refusal}"))
