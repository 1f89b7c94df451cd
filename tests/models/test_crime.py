"""Suspected crime: what may be entered of a report, its decision and its transfer."""

from datetime import date, datetime
from typing import Any

import pytest

from models.base import SHANGHAI
from models.crime import CrimeEntry, CrimeReport, apply_crime
from models.entry import EntryRefused
from models.plan import read_plan
from models.settings import SHIPPED_PLAN

DEPARTMENT = read_plan(SHIPPED_PLAN).department("yjglj")
NOW = datetime(2024, 7, 15, 9, 0, tzinfo=SHANGHAI)
DRAWN_ON = date(2024, 6, 25)
REPORTED = {
    "inspection": "2024-1-D01",
    "department": "区应急管理局",
    "reported_at": "2024-07-12 16:30",
    "handlers": ["张三", "李四"],
    "entered_by": "张三",
}
APPROVED = REPORTED | {
    "decision": "批准",
    "decided_at": "2024-07-13 10:00",
    "decided_by": "应急局负责人",
}
TRANSFERRED = APPROVED | {
    "transferred_at": "2024-07-14T09:59",
    "receiving": "卫东公安分局",
    "document": "移1号",
}


def minute(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=SHANGHAI)


def enter(
    given: dict[str, Any], known: CrimeReport | None = None, at: datetime = NOW, **changed: Any
) -> CrimeReport:
    return apply_crime(known, CrimeEntry(**(given | changed)), DEPARTMENT, DRAWN_ON, at)


def refused(given: dict[str, Any], known: CrimeReport | None = None, **changed: Any) -> str:
    with pytest.raises(EntryRefused) as caught:
        enter(given, known, **changed)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_report_may_stand_alone_and_is_kept_to_the_minute() -> None:
    report = enter(REPORTED)
    assert report.reported_at == minute("07-12 16:30")
    assert (report.handlers, report.decision, report.decided_at) == (["张三", "李四"], "", None)


def test_decision_and_transfer_are_added_to_the_same_report() -> None:
    report = enter(REPORTED)
    assert enter(APPROVED, report) is report
    assert report.decided_at == minute("07-13 10:00")
    assert enter(TRANSFERRED, report) is report
    assert report.transferred_at == minute("07-14 09:59")


@pytest.mark.parametrize(
    ("given", "changed", "said"),
    [
        (REPORTED, {"handlers": ["张三", "张三"]}, "两名以上不同的人"),
        (REPORTED, {"handlers": ["张三", " "]}, "两名以上不同的人"),
        (REPORTED, {"reported_at": "2024-07-12"}, "应写到分"),
        (REPORTED, {"reported_at": "下午四点半到局长处"}, "应写到分"),
        (REPORTED, {"reported_at": "2024-07-15 09:01"}, "还没有到"),
        (REPORTED, {"reported_at": "2024-06-24 23:59"}, "早于抽取日 2024-06-25"),
        (REPORTED, {"decided_by": "应急局负责人"}, "须选决定"),
        (APPROVED, {"decided_at": ""}, "须填决定时间和决定人"),
        (APPROVED, {"decided_at": "2024-07-12 16:29"}, "决定时间早于报告送达时间"),
        (APPROVED, {"decided_by": "张三"}, "决定人不能是承办人：张三"),
        (APPROVED, {"decided_by": "赵副局长"}, "主持工作的，须填主持工作依据"),
        (APPROVED, {"decision": "不批准"}, "须将理由记录在案"),
        (TRANSFERRED, {"decision": "不批准", "reason": "不构成犯罪"}, "批准移送之后才能移交"),
        (TRANSFERRED, {"transferred_at": "2024-07-13 09:59"}, "移交时间早于决定时间"),
        (TRANSFERRED, {"receiving": ""}, "须填受移送公安机关和移送文书"),
        (TRANSFERRED, {"document": ""}, "须填受移送公安机关和移送文书"),
    ],
)
def test_what_cannot_stand_is_sent_back_in_one_line(
    given: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    assert said in refused(given, **changed)


def test_somebody_else_in_charge_decides_with_the_paper_that_says_so() -> None:
    report = enter(APPROVED, decided_by="赵副局长", in_charge_by="卫东编〔2024〕3号")
    assert report.decided_by == "赵副局长"


def test_a_refusal_is_kept_with_its_reason() -> None:
    report = enter(APPROVED, decision="不批准", reason="未达立案追诉标准")
    assert (report.decision, report.reason) == ("不批准", "未达立案追诉标准")


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        ({"reported_at": "2024-07-12 16:31"}, "报告送达时间"),
        ({"handlers": ["张三", "王五"]}, "承办人"),
        ({"decision": "", "decided_at": "", "decided_by": ""}, "决定、决定时间、决定人"),
    ],
)
def test_what_was_entered_is_changed_only_with_a_reason(
    changed: dict[str, Any], label: str
) -> None:
    known = enter(APPROVED)
    assert refused(APPROVED, known, **changed).startswith(f"{label}与已登记的不一致")
    assert known.decision == "批准"
    assert enter(APPROVED, known, correction="笔误", **changed) is known


def test_a_transfer_is_not_taken_back() -> None:
    known = enter(TRANSFERRED)
    said = refused(APPROVED, known, correction="误填")
    assert said == "已于 2024-07-14 09:59 移交，不能撤销移交"


def test_a_time_with_a_zone_of_its_own_is_taken_as_that_moment() -> None:
    report = enter(REPORTED, reported_at="2024-07-12T08:30:45Z")
    assert report.reported_at == minute("07-12 16:30")
