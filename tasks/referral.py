"""Referrals and follow-ups: decided, sent, received, re-checked."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from models.database import reading, writing
from models.entry import EntryRefused, not_after, optional_day
from models.inspection import DepartmentRecord, Inspection
from models.paper import ReferralLetter
from models.plan import Plan
from models.record import department_of
from models.referral import FollowUpEntry, Referral, ReferralEntry
from models.round import Round
from tasks import filing
from tasks.desk import desk
from tasks.round import lock, with_round


def _recorded(plan: Plan, inspection: Inspection, department: str) -> DepartmentRecord:
    record = inspection.record(department_of(plan, department).code)
    if not record.version:
        raise EntryRefused(f"{inspection.code} {department} 还没有检查记录")
    return record


def confirm_referrals(entries: Sequence[ReferralEntry], at: datetime) -> set[str]:
    """Enter whether findings are referred and, where they are, that they were sent (§七.2).

    All or nothing; EntryRefused says what is wrong. Returns the rounds concerned.
    """
    with desk([entry.inspection for entry in entries]) as taken:
        for entry in entries:
            round, inspection = taken.find(entry.inspection)
            record = _recorded(round.plan_version.plan, inspection, entry.department)
            name = f"{inspection.code}/{record.department}"
            _apply(record, entry, name, at)
            taken.note(inspection, "登记移送", name, entry, entry.entered_by)
        return taken.settle(at)


def _apply(record: DepartmentRecord, entry: ReferralEntry, name: str, at: datetime) -> None:
    sent_on = optional_day(entry.sent_on, f"{name} 移送日期")
    received_on = optional_day(entry.received_on, f"{name} 接收日期")
    for day, field in (
        (entry.decided_on, "研判日期"),
        (sent_on, "移送日期"),
        (received_on, "接收日期"),
    ):
        not_after(day, at.date(), f"{name} {field}")
        if day is not None and record.formed_on is not None and day < record.formed_on:
            raise EntryRefused(f"{name} {field} {day} 早于结果形成日 {record.formed_on}")
    if not record.adverse:
        raise EntryRefused(f"{name} 没有不利结果，不存在移送问题")
    if record.referral is not None and entry.needed == "不需":
        raise EntryRefused(f"{name} 已于 {record.referral.sent_on} 移送，不能改为不需移送")
    if received_on is not None and (sent_on is None or received_on < sent_on):
        raise EntryRefused(f"{name} 填了接收日期的，须同时填不晚于它的移送日期")
    record.referral_needed, record.referral_why = entry.needed, entry.reason
    record.referral_decided_on = record.referral_decided_on or entry.decided_on
    if sent_on is None:
        return
    if entry.needed == "不需":
        raise EntryRefused(f"{name} 不需移送的，不填移送日期")
    if not (entry.receiving and entry.document):
        raise EntryRefused(f"{name} 已移送的，须填受移送机关和移送函文号")
    referral = record.referral
    if referral is None:
        referral = record.referral = Referral(record_id=record.id)
    referral.receiving, referral.document = entry.receiving, entry.document
    referral.case_name = entry.case_name
    referral.sent_on, referral.received_on = sent_on, received_on
    referral.received_by = entry.received_by
    referral.entered_by, referral.entered_at = entry.entered_by, at


def close_follow_ups(entries: Sequence[FollowUpEntry], at: datetime) -> set[str]:
    """Enter that a department's open follow-ups of an inspection are dealt with (复查)."""
    with desk([entry.inspection for entry in entries]) as taken:
        for entry in entries:
            round, inspection = taken.find(entry.inspection)
            record = _recorded(round.plan_version.plan, inspection, entry.department)
            name = f"{inspection.code}/{record.department}"
            waiting = [one for one in record.follow_ups if one.closed_on is None]
            if not waiting:
                raise EntryRefused(f"{name} 没有待办的后续监管")
            not_after(entry.closed_on, at.date(), f"{name} 办结日期")
            for follow_up in waiting:
                if entry.closed_on < follow_up.opened_on:
                    raise EntryRefused(f"{name} 办结日期早于问题发现日 {follow_up.opened_on}")
                follow_up.closed_on, follow_up.outcome = entry.closed_on, entry.outcome
                follow_up.entered_by, follow_up.entered_at = entry.entered_by, at
            taken.note(inspection, "后续监管办结", name, entry, entry.entered_by)
        return taken.settle(at)


def prepare_referrals(code: str, at: datetime) -> int:
    """File the letter (移送函) of each finding to be referred; returns how many are new."""
    with reading() as session:
        round = with_round(session, code)
        known = filing.filed(session, round, ReferralLetter.kind)
        drafts = [
            filing.Draft(_letter(round, inspection, record, at), object, record.version)
            for inspection, record in session.execute(
                select(Inspection, DepartmentRecord)
                .join(DepartmentRecord, DepartmentRecord.inspection_id == Inspection.id)
                .where(Inspection.round_id == round.id, DepartmentRecord.referral_needed == "需")
                .order_by(DepartmentRecord.id)
            ).tuples()
            if (object := f"{inspection.code}-{record.department}", record.version) not in known
        ]
    made = filing.make(code, drafts)
    if not made:
        return 0
    with writing() as session:
        return len(filing.enter(session, lock(session, code), made, at.date()))


def _letter(
    round: Round, inspection: Inspection, record: DepartmentRecord, at: datetime
) -> ReferralLetter:
    plan = round.plan_version.plan
    department = plan.department(record.department)
    items = {item.code: item.name for item in plan.items}
    assert record.formed_on is not None
    return ReferralLetter(
        drill=plan.drill,
        number=f"双随机移〔{plan.issued_on.year}〕{inspection.code}-{record.department}号",
        department=department.name,
        receiving=record.referral.receiving if record.referral else "有管辖权的部门",
        case_name=f"{inspection.name}涉嫌违法案",
        subject_name=inspection.name,
        subject_code=inspection.subject_code,
        task_number=round.task_number,
        formed_on=record.formed_on,
        findings="\n".join(
            f"{items[result['item']]}：{result['problem']}（{plan.result(result['result']).text}）"
            for result in record.results
            if plan.result(result["result"]).adverse
        ),
        basis=(f"{plan.number}第七条第二项",),
        contact=department.head.name,
        phone=department.head.phone or plan.coordinator.phone or "见通知",
        issued_on=at.date(),
    )
