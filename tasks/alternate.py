"""Alternates: the next of the 递补名单 inspected besides a drawn subject that has closed."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ledger, protocol
from models.database import writing
from models.draw import Draw, DrawnSubject
from models.entry import EntryRefused
from models.inspection import Inspection
from models.ledger import Event
from models.registers import CLOSED
from models.replacement import BY_TICKET, worded
from models.subject import Subject
from tasks import team
from tasks.calendar import office_calendar
from tasks.desk import find
from tasks.duty import settle
from tasks.freeze import able_inspectors


def take_alternate(code: str, reason: str, decided_by: str, at: datetime) -> str:
    """Inspect the draw's next alternate too, as the subject of `code` has closed (draw-1, step 8).

    The closed one stays in the sample, and its inspection gets its result. Returns the round.
    EntryRefused or DrawRefused, with what to do, where the plan does not say so or it cannot be.
    """
    with writing() as session:
        round, inspection = find(session, code)
        plan, draw = round.plan_version.plan, inspection.draw
        if not plan.replace_closed_subjects:
            raise EntryRefused(
                f"{code} 方案没有规定递补检查对象（replace_closed_subjects）："
                "已注销等的对象留在样本中，登记相应的检查结果"
            )
        if draw.seed is None or draw.revealed_at is not None:
            why = "是外部抽取，没有递补名单" if draw.seed is None else "已经公开，不再递补"
            raise EntryRefused(f"{code} 所属抽取 {draw.code} {why}")
        _refuse_unless_closed(session, inspection)
        taken = session.scalar(select(Inspection.code).where(Inspection.replaces == code))
        if taken:
            raise EntryRefused(f"{code} 已由 {taken} 递补，不能再次递补")
        calendar = office_calendar(session, plan).provisional
        # Time for the notice, made again each morning, and for its service.
        planned_on = calendar.add_working_days(at.date(), plan.notices_after + 2)
        if planned_on > round.ends_on:
            raise EntryRefused(
                f"{code} 到检查时间届满日 {round.ends_on} 已来不及告知和检查递补对象"
            )
        alternate = _next(session, draw)
        if alternate is None:
            raise EntryRefused(f"{draw.code} 的递补名单中已没有可递补的在营对象")
        able = {
            certificate
            for certificate, person in able_inspectors(session, plan, planned_on).items()
            if alternate not in person.recusals
        }
        teams = protocol.alternate_teams(draw.freeze, bytes.fromhex(draw.seed), alternate, able)
        made = select(func.count()).where(Inspection.draw_id == draw.id)
        ids = team.save_inspections(
            session,
            round,
            draw,
            plan,
            [alternate],
            [planned_on],
            first=(session.scalar(made) or 0) + 1,
            replaces=code,
        )
        team.save_teams(session, ids, teams, BY_TICKET)
        new = session.scalars(select(Inspection).where(Inspection.replaces == code)).one()
        detail = {"inspection": new.code, "reason": worded(reason, "理由")}
        by = worded(decided_by, "决定人")
        ledger.append(session, at, by, [Event("递补检查对象", code, detail)])
        settle(session, round, at, [new], by)
        round.version += 1
        return round.code


def _refuse_unless_closed(session: Session, inspection: Inspection) -> None:
    status = session.scalar(select(Subject.status).where(Subject.code == inspection.subject_code))
    if status not in CLOSED:
        raise EntryRefused(
            f"{inspection.code} 的对象在名录库中为“{status}”，只有{'、'.join(sorted(CLOSED))}的才可"
            "递补；确已关闭的，请先导入更新后的名录库"
        )


def _next(session: Session, draw: Draw) -> str | None:
    """The first alternate that is open for business and not inspected in this draw yet."""
    inspected = select(Inspection.subject_code).where(Inspection.draw_id == draw.id)
    return session.scalar(
        select(DrawnSubject.code)
        .join(Subject, Subject.code == DrawnSubject.code)
        .where(
            DrawnSubject.draw_id == draw.id,
            DrawnSubject.alternate,
            DrawnSubject.code.not_in(inspected),
            Subject.status.not_in(CLOSED),
        )
        .order_by(DrawnSubject.position)
        .limit(1)
    )
