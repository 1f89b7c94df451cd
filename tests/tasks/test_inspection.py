"""Inspections: what people enter stands whole or not at all, and moves what follows from it."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.alert import Alert
from models.base import SHANGHAI
from models.database import reading
from models.entry import EntryRefused
from models.inspection import DepartmentRecord, Inspection
from models.ledger import LedgerEntry
from models.mail import Mail
from models.obligation import Obligation
from models.round import Round
from tasks import ledger
from tasks.inspection import drop_inspection, record_inspections
from tasks.mail import deliver
from tasks.obligation import sweep

pytestmark = pytest.mark.usefixtures("drawn")
CODE = "2024-1-D01"
Sheet = Callable[..., Any]


def at(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"2024-{day}T{hour:02}:00").replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    return date.fromisoformat(f"2024-{text}")


def obligation(duty: str, object: str) -> Obligation | None:
    with reading() as session:
        return session.scalar(
            select(Obligation).where(Obligation.duty == duty, Obligation.object == object)
        )


def owed(duty: str, object: str) -> Obligation:
    found = obligation(duty, object)
    assert found is not None
    return found


def entries(action: str) -> list[LedgerEntry]:
    with reading() as session:
        return list(session.scalars(select(LedgerEntry).where(LedgerEntry.action == action)))


def version() -> int:
    with reading() as session:
        return session.scalars(select(Round.version).where(Round.code == "2024-1")).one()


def test_a_record_meets_its_duty_and_starts_the_next_at_once(sheet: Sheet) -> None:
    assert obligation("publish", f"{CODE}/yjglj") is None
    assert record_inspections([sheet(CODE)], at("07-10")) == {"2024-1"}
    assert owed("record", f"{CODE}/yjglj").met_on == day("07-09")
    assert owed("inspect", CODE).met_on == day("07-09")
    assert owed("record", f"{CODE}/scjgj").open
    # The sheet ended the inspection for every department alike.
    for department in ("yjglj", "scjgj"):
        assert owed("publish", f"{CODE}/{department}").due_on == day("08-06")
    assert obligation("decide_referral", f"{CODE}/yjglj") is None
    assert version() == 1


def test_a_record_is_in_the_ledger_word_by_word(sheet: Sheet) -> None:
    entry = sheet(CODE, "yjglj", 10, entered_by="王五")
    record_inspections([entry], at("07-10"))
    (line,) = entries("登记检查记录")
    assert (line.subject, line.actor) == (f"{CODE}/yjglj", "王五")
    assert line.detail == entry.model_dump(mode="json")
    record_inspections([sheet(CODE, "yjglj", 8, correction="结果有误")], at("07-11"))
    (line,) = entries("更正检查记录")
    assert line.detail["correction"] == "结果有误"
    assert ledger.verify()[1] is None


def test_one_sheet_that_cannot_stand_sends_all_back_and_is_named(sheet: Sheet) -> None:
    wrong = sheet("2024-1-D02", "scjgj", attestation="拒签")
    before = ledger.verify()
    with pytest.raises(EntryRefused) as refused:
        record_inspections([sheet(CODE), wrong], at("07-10"))
    assert str(refused.value) == "2024-1-D02 scjgj：拒签须由执法检查人员写明签字说明"
    with reading() as session:
        assert not session.scalars(
            select(DepartmentRecord.id).where(DepartmentRecord.version > 0)
        ).all()
        assert not session.scalars(
            select(Inspection.id).where(Inspection.ended_on.is_not(None))
        ).all()
    assert ledger.verify() == before
    assert version() == 0


def test_an_unknown_inspection_is_refused_with_how_codes_look(sheet: Sheet) -> None:
    with pytest.raises(EntryRefused, match="没有检查编号“2024-1-X99”，应如 2024-1-D03"):
        record_inspections([sheet("2024-1-X99")], at("07-10"))


def test_an_adverse_result_must_say_whether_it_is_referred(sheet: Sheet) -> None:
    record_inspections([sheet(CODE, "yjglj", 10)], at("07-10"))
    assert owed("decide_referral", f"{CODE}/yjglj").due_on == day("07-18")
    assert obligation("refer", f"{CODE}/yjglj") is None
    said = {"referral_needed": "不需", "referral_why": "由本部门处理"}
    record_inspections([sheet(CODE, "scjgj", 2, **said)], at("07-10"))
    assert owed("decide_referral", f"{CODE}/scjgj").met_on == day("07-09")


def test_a_correction_from_adverse_to_clean_closes_what_followed(sheet: Sheet) -> None:
    record_inspections([sheet(CODE, "yjglj", 8)], at("07-10"))
    follow_up = f"{CODE}/yjglj/yj-1"
    assert owed("follow_up", follow_up).open
    record_inspections([sheet(CODE, correction="误记")], at("07-12"))
    question = owed("decide_referral", f"{CODE}/yjglj")
    assert (question.met_on, question.closed_on) == (None, day("07-12"))
    assert question.closed_why == "事实更正后不再需要"
    closed = owed("follow_up", follow_up)
    assert (closed.met_on, closed.closed_on) == (None, day("07-09"))
    record_inspections([sheet(CODE, "yjglj", 8, correction="复核后属实")], at("07-15"))
    assert owed("decide_referral", f"{CODE}/yjglj").open
    assert owed("follow_up", follow_up).open


def test_what_a_correction_brings_back_is_told_again_though_its_first_mail_was_never_sent(
    sheet: Sheet,
) -> None:
    record_inspections([sheet(CODE, "yjglj", 8)], at("07-10"))
    question = owed("decide_referral", f"{CODE}/yjglj")
    assert question.due_on == day("07-18")
    sweep(day("07-19"), at("07-19"))
    record_inspections([sheet(CODE, correction="误记")], at("07-19", 10))
    deliver(at("07-19", 11))
    record_inspections([sheet(CODE, "yjglj", 8, correction="复核后属实")], at("07-19", 12))
    sweep(day("07-22"), at("07-22"))  # no level falls due between that Friday and this Monday
    with reading() as session:
        told = session.execute(
            select(Alert.level, Alert.due_version, Mail.state)
            .outerjoin(Mail, Mail.id == Alert.mail_id)
            .where(Alert.obligation_id == question.id)
            .order_by(Alert.id)
        ).tuples()
        # Its digest told of other duties alone, or of none: the new version is what it is told by.
        assert [(level, version) for level, version, state in told if state][-1] == ("over-1", 2)


def test_a_corrected_end_is_a_new_version_and_keeps_the_missed_day(sheet: Sheet) -> None:
    record_inspections([sheet(CODE)], at("07-10"))
    moved = sheet(CODE, ended_on=day("07-12"), correction="记录表所签为 7 月 12 日")
    record_inspections([moved], at("08-12"))
    publish = owed("publish", f"{CODE}/scjgj")
    assert (publish.due_on, publish.due_version) == (day("08-09"), 2)
    assert publish.missed_on == ["2024-08-06"]
    assert publish.was_overdue(day("08-07"))


def test_a_test_report_starts_the_clock_of_referral_later_and_of_publication_not(
    sheet: Sheet,
) -> None:
    later = {"formed_on": "2024-07-25", "test_report": "检〔2024〕7号", "recorded_on": day("07-25")}
    record_inspections([sheet(CODE, "yjglj", 10, **later)], at("07-25"))
    assert owed("decide_referral", f"{CODE}/yjglj").due_on == day("08-05")
    assert owed("publish", f"{CODE}/yjglj").due_on == day("08-06")


def test_a_late_entry_is_accepted_and_marked_late(sheet: Sheet) -> None:
    planned = owed("record", f"{CODE}/yjglj").started_on
    assert planned == day("07-08")
    record_inspections([sheet(CODE, recorded_on=day("07-12"))], at("07-19"))
    record = owed("record", f"{CODE}/yjglj")
    assert (record.due_on, record.met_on) == (day("07-11"), day("07-12"))
    assert record.was_overdue(day("07-19"))
    with reading() as session:
        stored = session.scalars(select(DepartmentRecord).order_by(DepartmentRecord.version)).all()
    assert stored[-1].entered_at == at("07-19")


# ---- given up ------------------------------------------------------------------------------------


def drop(code: str = CODE, **changed: Any) -> str:
    given = {
        "reason": "企业已停产",
        "approved_by": "局长",
        "document": "批〔2024〕1号",
        "on": day("07-20"),
        "at": at("07-22"),
    }
    return drop_inspection(code, **(given | changed))


def test_an_inspection_given_up_owes_nothing_and_stays_to_be_counted() -> None:
    assert drop() == "2024-1"
    for duty, object in (("inspect", CODE), ("notify", CODE), ("record", f"{CODE}/scjgj")):
        found = owed(duty, object)
        assert (found.closed_on, found.closed_why) == (day("07-20"), "未实施")
    assert obligation("publish", f"{CODE}/scjgj") is None
    (line,) = entries("未实施")
    assert (line.actor, line.detail["document"]) == ("局长", "批〔2024〕1号")


@pytest.mark.parametrize("missing", ["reason", "approved_by", "document"])
def test_giving_up_takes_a_reason_an_approver_and_a_document(missing: str) -> None:
    with pytest.raises(EntryRefused, match="未实施须写明原因、批准人和批准文件"):
        drop(**{missing: " "})


def test_giving_up_is_not_approved_ahead() -> None:
    with pytest.raises(EntryRefused, match="批准日期 2024-07-23 还没有到"):
        drop(on=day("07-23"))


def test_what_was_inspected_cannot_be_given_up_nor_the_other_way_round(sheet: Sheet) -> None:
    record_inspections([sheet(CODE)], at("07-10"))
    with pytest.raises(EntryRefused, match="2024-1-D01 已有检查记录，不能登记为未实施"):
        drop()
    drop("2024-1-D02")
    with pytest.raises(EntryRefused, match="2024-1-D02 已登记为未实施，不能再记录检查结果"):
        record_inspections([sheet("2024-1-D02")], at("07-22"))
    with pytest.raises(EntryRefused, match="2024-1-D02 已登记为未实施"):
        drop("2024-1-D02")
