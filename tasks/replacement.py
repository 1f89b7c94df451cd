"""Replacements: places in teams given up and taken over, and recusals asked for and decided."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger, protocol
from models.database import writing
from models.draw import TeamMember
from models.entry import EntryRefused, not_after
from models.inspection import Inspection
from models.ledger import Event
from models.mail import letter
from models.plan import Plan
from models.record import department_of
from models.replacement import (
    Decision,
    Ground,
    RecusalRequest,
    Replacement,
    give_place,
    member_at,
    refuse_if_over,
    worded,
)
from models.round import Round
from models.subject import Inspector
from tasks.desk import find
from tasks.duty import settle
from tasks.freeze import able_inspectors
from tasks.notice import tell_team


def replace_inspector(
    code: str,
    department: str,
    seat: int,
    ground: Ground,
    reason: str,
    decided_by: str,
    appointed: str,
    at: datetime,
) -> str:
    """Give one place of a team to the next by ticket (step 8); returns the round.

    With nobody left the head appoints, by certificate (`appointed`, empty otherwise). EntryRefused
    or DrawRefused, with what to do, where it cannot be.
    """
    with writing() as session:
        round, inspection, member = _seated(session, code, department, seat)
        if worded(decided_by, "决定人") == member.name:
            raise EntryRefused(f"{code} 更换 {member.name} 不能由其本人决定，请填部门负责人")
        _replace(session, round, inspection, member, ground, reason, decided_by, appointed, at)
        settle(session, round, at, [inspection], decided_by)
        round.version += 1
        return round.code


def request_recusal(
    code: str,
    department: str,
    seat: int,
    reason: str,
    asked_by: str,
    asked_on: date,
    at: datetime,
) -> str:
    """Enter a subject's request that an inspector keep away (行政处罚法 43); returns the round.

    It stops nothing before the department's head decides it, of which the head is reminded by mail.
    """
    not_after(asked_on, at.date(), f"{code} 申请日期")
    with writing() as session:
        round, inspection, member = _seated(session, code, department, seat)
        if _open_request(session, inspection, member) is not None:
            raise EntryRefused(f"{code} 对 {member.name} 的回避申请已登记，待决定")
        request = RecusalRequest(
            inspection_id=inspection.id,
            department=member.department,
            certificate=member.certificate,
            reason=worded(reason, "申请理由"),
            asked_by=worded(asked_by, "申请人"),
            asked_on=asked_on,
            entered_at=at.replace(microsecond=0),
        )
        session.add(request)
        session.flush()
        detail = {"certificate": member.certificate, "reason": request.reason, "on": asked_on}
        ledger.append(session, at, request.asked_by, [Event("申请回避", code, detail)])
        _ask_head(session, round.plan_version.plan, inspection, member, request, at)
        round.version += 1
        return round.code


def decide_recusal(
    code: str,
    department: str,
    seat: int,
    decision: Decision,
    reason: str,
    decided_by: str,
    appointed: str,
    at: datetime,
) -> str:
    """Decide a request by the department's head: granted, the place is given; returns the round."""
    with writing() as session:
        round, inspection, member = _seated(session, code, department, seat)
        request = _open_request(session, inspection, member)
        if request is None:
            raise EntryRefused(f"{code} 对 {member.name} 没有待决定的回避申请")
        _refuse_others_than_head(round.plan_version.plan, member, decided_by)
        request.decision, request.decision_why = decision, worded(reason, "决定理由")
        request.decided_by, request.decided_at = decided_by.strip(), at.replace(microsecond=0)
        detail = {"certificate": member.certificate, "decision": decision, "why": reason}
        ledger.append(session, at, decided_by, [Event("决定回避", code, detail)])
        if decision == "准许":
            _replace(session, round, inspection, member, "回避", reason, decided_by, appointed, at)
            settle(session, round, at, [inspection], decided_by)
        round.version += 1
        return round.code


def _seated(
    session: Session, code: str, department: str, seat: int
) -> tuple[Round, Inspection, TeamMember]:
    round, inspection = find(session, code)
    refuse_if_over(inspection)
    found = department_of(round.plan_version.plan, department)
    return round, inspection, member_at(inspection, found.code, seat)


def _replace(
    session: Session,
    round: Round,
    inspection: Inspection,
    out: TeamMember,
    ground: Ground,
    reason: str,
    decided_by: str,
    appointed: str,
    at: datetime,
) -> None:
    plan = round.plan_version.plan
    able = _able(session, plan, inspection, out.department, at.date())
    successor = _next_by_ticket(inspection, out, able)
    if successor and appointed:
        raise EntryRefused(f"{inspection.code} 仍有可按签号递补的人员，不能直接委派")
    if not successor:
        successor = _appointed(plan, inspection, out, able, decided_by, appointed)
    person = able[successor]
    member = give_place(inspection, out, successor, direct=bool(appointed), at=at)
    member.name, member.email = person.name, person.email
    replacement = Replacement(
        inspection_id=inspection.id,
        department=out.department,
        out_certificate=out.certificate,
        in_certificate=successor,
        ground=ground,
        reason=worded(reason, "理由"),
        decided_by=worded(decided_by, "决定人"),
        decided_at=at.replace(microsecond=0),
        direct=bool(appointed),
    )
    session.add(replacement)
    session.flush()
    detail = {
        "department": out.department,
        "out": out.certificate,
        "in": successor,
        "why": replacement.why,
        "leader": out.leader,
    }
    action = "直接委派" if appointed else "递补"
    ledger.append(session, at, decided_by, [Event(action, inspection.code, detail)])
    if inspection.notice is not None:  # before that, the notice itself brings the letter
        tell_team(session, inspection, at)


def _able(
    session: Session, plan: Plan, inspection: Inspection, department: str, on: date
) -> dict[str, Inspector]:
    """Who of the department may serve that day and on the visit's, not recused by now."""
    through = max(on, inspection.planned_on)
    return {
        certificate: person
        for certificate, person in able_inspectors(session, plan, through).items()
        if person.department == department and inspection.subject_code not in person.recusals
    }


def _next_by_ticket(inspection: Inspection, out: TeamMember, able: Iterable[str]) -> str | None:
    draw = inspection.draw
    if not draw.seed:  # 外部抽取: nobody has a ticket
        return None
    ever = {member.certificate for member in inspection.team}
    return protocol.replacement(
        draw.freeze,
        bytes.fromhex(draw.seed),
        inspection.subject_code,
        out.department,
        ever,
        set(able),
    )


def _appointed(
    plan: Plan,
    inspection: Inspection,
    out: TeamMember,
    able: dict[str, Inspector],
    decided_by: str,
    appointed: str,
) -> str:
    if not appointed:
        raise EntryRefused(
            f"{inspection.code} 本部门已无人可递补，请由部门负责人直接委派：填写受委派人执法证号"
        )
    _refuse_others_than_head(plan, out, decided_by)
    if appointed not in able:
        raise EntryRefused(
            f"执法证号 {appointed} 不能受委派：须为本部门在岗、检查日证件有效、无须回避的执法人员"
        )
    return appointed


def _refuse_others_than_head(plan: Plan, member: TeamMember, decided_by: str) -> None:
    department = plan.department(member.department)
    if decided_by.strip() != department.head.name:
        raise EntryRefused(f"须由{department.name}负责人“{department.head.name}”决定")


def _open_request(
    session: Session, inspection: Inspection, member: TeamMember
) -> RecusalRequest | None:
    return session.scalar(
        select(RecusalRequest).where(
            RecusalRequest.inspection_id == inspection.id,
            RecusalRequest.certificate == member.certificate,
            RecusalRequest.decision == "",
        )
    )


def _ask_head(
    session: Session,
    plan: Plan,
    inspection: Inspection,
    member: TeamMember,
    request: RecusalRequest,
    at: datetime,
) -> None:
    head = plan.department(member.department).head
    letter(
        session,
        key=f"recusal:{inspection.code}:{request.id}",
        name=head.name,
        email=head.email,
        day=at.date(),
        subject=f"〔{inspection.code}〕回避申请待决定",
        text=(
            f"{head.name}：\n\n{request.asked_by} 于 {request.asked_on} 申请 {member.name}"
            f"（{member.certificate}）回避，理由：{request.reason}\n\n"
            "请审查后以“决定回避申请”表单登记准许或驳回；决定作出之前，检查照常进行。"
        ),
    )
