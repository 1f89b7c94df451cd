"""Suspected crime as an office enters it: two terms by the clock, shown and kept to the minute."""

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.base import SHANGHAI
from models.crime import CrimeEntry, CrimeReport
from models.database import reading
from models.entry import EntryRefused
from models.ledger import LedgerEntry
from models.obligation import Obligation
from tasks.board import board
from tasks.crime import enter_crimes
from tasks.explanation import explain
from tasks.inspection import drop_inspection
from tasks.progress import progress

OBJECT = "2024-1-D01/yjglj"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=SHANGHAI)


def entry(**changed: Any) -> CrimeEntry:
    given = {
        "inspection": "2024-1-D01",
        "department": "区应急管理局",
        "reported_at": "2024-07-12 16:30",
        "handlers": ["张三", "李四"],
        "entered_by": "张三",
    }
    return CrimeEntry(**(given | changed))


DECIDED = {"decision": "批准", "decided_at": "2024-07-13 10:00", "decided_by": "应急局负责人"}
MOVED = DECIDED | {"receiving": "公安分局", "document": "移1号"}


def owed(duty: str) -> Obligation | None:
    with reading() as session:
        return session.scalar(
            select(Obligation).where(Obligation.duty == duty, Obligation.object == OBJECT)
        )


def enter(on: str, **changed: Any) -> None:
    assert enter_crimes([entry(**changed)], at(on)) == {"2024-1"}


def test_a_report_makes_the_head_owe_a_decision_by_the_third_day(recorded: Any) -> None:
    enter("07-12 16:40")
    found = owed("crime_decide")
    assert found is not None
    assert (found.person, found.due_at) == ("应急局负责人", at("07-16 00:00"))
    assert (found.next_alert_on, found.next_alert_at) == (None, at("07-12 16:30"))
    assert owed("crime_transfer") is None


def test_an_approval_makes_the_transfer_due_within_24_hours(recorded: Any) -> None:
    enter("07-12 16:40")
    enter("07-13 10:05", **DECIDED)
    decide, transfer = owed("crime_decide"), owed("crime_transfer")
    assert decide is not None
    assert transfer is not None
    assert (decide.met_at, decide.late) == (at("07-13 10:00"), False)
    assert transfer.due_at == at("07-14 10:00")


@pytest.mark.parametrize(
    ("moved_at", "late", "said"),
    [
        ("07-14 10:00", False, "2024-07-14 10:00 完成\n"),
        ("07-14 10:01", True, "2024-07-14 10:01 完成（逾期 1 分）"),
        ("07-15 13:05", True, "2024-07-15 13:05 完成（逾期 27 小时 5 分）"),
    ],
)
def test_a_transfer_is_late_by_the_minute_wherever_it_is_told(
    recorded: Any, moved_at: str, late: bool, said: str
) -> None:
    enter("07-15 14:00", **MOVED, transferred_at=f"2024-{moved_at}")
    (told,) = [one for one in explain(OBJECT) if one.row.duty == "crime_transfer"]
    assert said in told.text()
    assert "自 2024-07-13（周六） 10:00 起 24小时，休息日照计" in told.text()
    assert told.as_stored
    plain = json.loads(json.dumps(told.as_dict()))
    assert (plain["hours"], plain["due_at"]) == (24, "2024-07-14T10:00:00+08:00")
    figures = progress("2024-1", at("07-15 14:00").date(), at("07-15 14:00"))
    assert (figures.duties["crime_transfer"].met, figures.duties["crime_transfer"].late) == (
        1,
        int(late),
    )
    (row,) = [
        row
        for one in board(at("07-15 14:00").date(), at("07-15 14:00")).statistics
        for row in one.rows
        if row.duty == "crime_transfer"
    ]
    assert (row.on_time, row.late) == (int(not late), int(late))


@pytest.mark.parametrize(
    ("now", "overdue", "distance"),
    [
        ("07-14 09:59", False, "1 分"),
        ("07-14 10:00", False, "0 分"),
        ("07-14 10:01", True, "1 分"),
        ("07-14 12:30", True, "2 小时 30 分"),
    ],
)
def test_on_the_board_it_is_overdue_from_the_minute_after(
    recorded: Any, now: str, overdue: bool, distance: str
) -> None:
    enter("07-13 10:05", **DECIDED)
    found = board(at(now).date(), at(now))
    (one,) = [each for each in (*found.overdue, *found.soon) if each.duty == "crime_transfer"]
    assert (one in found.overdue) is overdue
    assert (one.due, one.distance) == ("2024-07-14 10:00", distance)
    assert one.next == "加急：开始计时"  # nobody has swept yet
    (cell,) = [cell for cell in found.rounds[0].cells if cell.duty == "crime_transfer"]
    assert cell.state == ("overdue" if overdue else "soon")
    if overdue:
        (late,) = [each for each in found.lateness() if each.duty == "crime_transfer"]
        assert late.told == distance
    figures = progress("2024-1", at(now).date(), at(now))
    assert figures.duties["crime_transfer"].overdue == int(overdue)
    json.dumps(found.as_dict())


def test_the_three_days_are_explained_day_by_day(recorded: Any) -> None:
    enter("07-12 16:40")
    (told,) = [one for one in explain(OBJECT) if one.row.duty == "crime_decide"]
    lines = told.text().splitlines()
    assert "起始日 2024-07-12（周五），不计入；期限 3自然日" in lines
    assert "2024-07-13（周六） 第 1 日：周末" in lines
    assert "2024-07-15（周一） 第 3 日：工作日" in lines


def test_a_corrected_report_is_a_new_version_and_the_old_one_stays_missed(recorded: Any) -> None:
    enter("07-16 09:00")  # entered too late: the three days are over
    enter("07-16 09:30", reported_at="2024-07-13 09:00", correction="送达回执为 13 日")
    found = owed("crime_decide")
    assert found is not None
    assert (found.due_version, found.missed_on) == (2, ["2024-07-15"])
    assert found.due_at == at("07-17 00:00")


def test_a_transfer_taken_back_in_time_was_not_missed(recorded: Any) -> None:
    enter("07-12 16:40")
    enter("07-13 10:05", **DECIDED)
    enter("07-13 18:00", correction="决定登记有误")
    enter("07-15 09:00", **(DECIDED | {"decided_at": "2024-07-15 08:30"}))
    found = owed("crime_transfer")
    assert found is not None
    assert (found.due_version, found.due_at) == (2, at("07-16 08:30"))
    assert found.missed_on == []


def test_every_entry_is_in_the_ledger_word_by_word(recorded: Any) -> None:
    enter("07-12 16:40")
    enter("07-13 10:05", **DECIDED)
    with reading() as session:
        rows = session.scalars(
            select(LedgerEntry).where(LedgerEntry.action == "登记涉嫌犯罪移送")
        ).all()
    assert [(row.subject, row.detail["decision"]) for row in rows] == [
        (OBJECT, ""),
        (OBJECT, "批准"),
    ]


def test_a_wrong_one_among_several_saves_none(recorded: Any) -> None:
    wrong = entry(department="区市场监督管理局", handlers=["王五", "王五"])
    with pytest.raises(EntryRefused, match=r"^2024-1-D01/scjgj：承办人应为两名以上不同的人"):
        enter_crimes([entry(), wrong], at("07-12 16:40"))
    with reading() as session:
        assert session.scalar(select(CrimeReport)) is None


def test_an_inspection_given_up_found_no_crime(recorded: Any) -> None:
    day = at("07-10 09:00")
    drop_inspection("2024-1-D02", "停业", "局长", "批1号", day.date(), day)
    with pytest.raises(EntryRefused, match="2024-1-D02/yjglj 已登记为未实施"):
        enter_crimes([entry(inspection="2024-1-D02")], at("07-12 16:40"))
