"""Notices: made for every inspection that may be announced, and their service confirmed."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger
from models.database import reading, writing
from models.draw import Draw
from models.entry import EntryRefused, not_after
from models.inspection import Inspection
from models.ledger import Event
from models.mail import letter
from models.notice import Notice, ServiceEntry
from models.paper import DepartmentItems, InspectionNotice, TeamMember
from models.plan import Plan
from models.round import Round
from tasks import filing
from tasks.calendar import office_calendar
from tasks.desk import desk, find
from tasks.duty import settle
from tasks.round import SYSTEM, lock, with_round


def prepare_notices(code: str, at: datetime) -> int:
    """Make the notice (告知书, §六.2) of each inspection that is due one; returns how many.

    Due from the plan's `notices_after`-th working day after the draw, until then it can be ordered
    that a subject is not to be told; such a one gets none. One whose team has changed since is
    made again: whom to expect is what recusal can be asked of.
    """
    with reading() as session:
        round = with_round(session, code)
        due = _due(session, round, at)
        drafts = [
            filing.Draft(
                _notice(session, round, inspection, at), inspection.code, inspection.team_version
            )
            for inspection in due
        ]
    made = filing.make(code, drafts)
    if not made:
        return 0
    with writing() as session:
        round = lock(session, code)
        still = {inspection.code: inspection for inspection in _due(session, round, at)}
        new = filing.enter(session, round, [m for m in made if m.draft.object in still], at.date())
        for draft in new:
            inspection = still[draft.object]
            if inspection.notice is not None:
                inspection.notice.version = draft.version
                _tell_leader(session, inspection, at)
                continue
            session.add(
                Notice(
                    inspection_id=inspection.id,
                    number=_number(inspection, round.plan_version.plan),
                    issued_on=at.date(),
                    version=draft.version,
                )
            )
            tell_team(session, inspection, at)
        events = [Event("制作告知书", draft.object, {"version": draft.version}) for draft in new]
        ledger.append(session, at, SYSTEM, events)
    return len(new)


def _due(session: Session, round: Round, at: datetime) -> list[Inspection]:
    plan = round.plan_version.plan
    calendar, after = office_calendar(session, plan).provisional, plan.notices_after
    sealed = [
        draw.id
        for draw in session.scalars(
            select(Draw).where(Draw.round_id == round.id, Draw.sealed_at.is_not(None))
        )
        if draw.sealed_at and calendar.count_working_days(draw.sealed_at.date(), at.date()) >= after
    ]
    return [
        inspection
        for inspection in session.scalars(
            select(Inspection)
            .where(
                Inspection.draw_id.in_(sealed),
                Inspection.unannounced.is_(False),
                Inspection.ended_on.is_(None),
                Inspection.dropped_on.is_(None),
            )
            .order_by(Inspection.id)
        )
        if inspection.notice is None or inspection.notice.version < inspection.team_version
    ]


def _number(inspection: Inspection, plan: Plan) -> str:
    return f"双随机告〔{plan.issued_on.year}〕{inspection.code}号"


def _notice(
    session: Session, round: Round, inspection: Inspection, at: datetime
) -> InspectionNotice:
    plan = round.plan_version.plan
    subject = inspection.subject_row
    names = {department.code: department.name for department in plan.departments}
    return InspectionNotice(
        drill=plan.drill,
        number=_number(inspection, plan),
        subject_name=subject.name,
        subject_code=subject.code,
        plan_number=plan.number,
        plan_title=plan.title,
        statutes=plan.basis,
        task_number=round.task_number,
        departments=tuple(
            DepartmentItems(
                department=department.name,
                items=tuple(item.name for item in plan.items_of(department.code)),
            )
            for department in plan.departments
        ),
        start_on=inspection.planned_on,
        end_on=inspection.planned_on,
        method="实地检查",
        materials=tuple(dict.fromkeys(text for item in plan.items for text in item.materials)),
        consequences=plan.refusal,
        inspectors=tuple(
            TeamMember(
                name=member.name,
                department=names[member.department],
                certificate=member.certificate,
                leader=member.leader,
            )
            for member in inspection.members()
        ),
        contact=plan.coordinator.name,
        phone=plan.coordinator.phone or "见通知",
        department=plan.full_name(plan.initiating.code),
        issued_on=at.date(),
        replaces=inspection.notice.issued_on if inspection.notice else None,
    )


def tell_team(session: Session, inspection: Inspection, at: datetime) -> None:
    """Each inspector on the team is told of the visit once, when its notice is out."""
    leader = inspection.members()[0]
    for member in inspection.members():
        if not member.email:
            continue
        part = "组长" if member.leader else "组员"
        letter(
            session,
            key=f"team:{inspection.code}:{member.certificate}",
            name=member.name,
            email=member.email,
            day=at.date(),
            subject=f"〔{inspection.code}〕检查任务：{inspection.name}",
            text=(
                f"{member.name}：\n\n您经随机抽取，参加对“{inspection.name}”的联合检查（{part}），"
                f"计划检查日 {inspection.planned_on}，检查编号 {inspection.code}。\n"
                f"组长：{leader.name}。告知书已制作，请组长于检查日前送达并登记。\n"
                "有应当回避情形的，请立即报告本部门负责人。"
            ),
        )


def _tell_leader(session: Session, inspection: Inspection, at: datetime) -> None:
    leader = inspection.members()[0]
    if not leader.email:
        return
    version = inspection.team_version
    letter(
        session,
        key=f"notice:{inspection.code}:{version}",
        name=leader.name,
        email=leader.email,
        day=at.date(),
        subject=f"〔{inspection.code}〕检查人员已更换，告知书已重新制作",
        text=(
            f"{leader.name}：\n\n对“{inspection.name}”的检查有人员更换，告知书已按现在的检查小组"
            f"重新制作（第 {version} 版），计划检查日 {inspection.planned_on}。\n"
            "请在检查日前送达；此前已送达的登记仍然有效。"
        ),
    )


def confirm_service(entries: Sequence[ServiceEntry], entered_by: str, at: datetime) -> set[str]:
    """Enter how notices were served (送达); returns the rounds concerned.

    All or nothing: EntryRefused, with the inspection's code, where one cannot stand.
    """
    with desk([entry.inspection for entry in entries]) as taken:
        for entry in entries:
            _, inspection = taken.find(entry.inspection)
            notice = inspection.notice
            if notice is None:
                why = "不宜告知" if inspection.unannounced else "告知书尚未制作"
                raise EntryRefused(f"{inspection.code} {why}，没有可登记的送达")
            not_after(entry.served_on, at.date(), f"{inspection.code} 送达日期")
            if entry.served_on < notice.issued_on:
                raise EntryRefused(f"{inspection.code} 送达日期 {entry.served_on} 早于告知书制作日")
            notice.served_on, notice.manner = entry.served_on, entry.manner
            notice.served_by, notice.received_by = entry.served_by, entry.received_by
            notice.place, notice.note = entry.place, entry.note
            notice.entered_at, notice.entered_by = at, entered_by
            taken.note(inspection, "登记送达", inspection.code, entry, entered_by)
        return taken.settle(at)


def withhold_notice(code: str, reason: str, approved_by: str, at: datetime) -> str:
    """Order that an inspection is not announced (不宜告知, §六.2); returns its round.

    EntryRefused once its notice is made or the visit over, or without reason and approver.
    """
    if not (reason.strip() and approved_by.strip()):
        raise EntryRefused("不宜告知须写明理由和批准人")
    with writing() as session:
        round, inspection = find(session, code)
        if inspection.notice is not None:
            raise EntryRefused(f"{code} 的告知书已制作，不能再定为不宜告知")
        if inspection.ended_on or inspection.dropped_on:
            raise EntryRefused(f"{code} 的检查已经结束，不能再定为不宜告知")
        inspection.unannounced = True
        inspection.unannounced_why, inspection.unannounced_by = reason, approved_by
        event = Event("不宜告知", code, {"reason": reason, "approved_by": approved_by})
        ledger.append(session, at, approved_by, [event])
        settle(session, round, at, [inspection], approved_by)
        round.version += 1
        return round.code
