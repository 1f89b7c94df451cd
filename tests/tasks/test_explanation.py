"""Explanations: each due day with its ground, its days and the calendar that counted it."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from calendars import Extension, Suspension, WorkingCalendar
from models.base import SHANGHAI
from models.database import writing
from models.entry import EntryRefused
from models.obligation import Obligation
from models.plan import Closure, Plan
from tasks.explanation import Explanation, explain
from tasks.grant import grant_time
from tasks.inspection import record_inspections
from tasks.plan import load_plan

CHINA = WorkingCalendar.china().version


def at(day: date) -> datetime:
    return datetime.combine(day, time(9), tzinfo=SHANGHAI)


def one(duty: str, object: str) -> Explanation:
    (found,) = [each for each in explain(object) if each.row.duty == duty]
    return found


@pytest.fixture(scope="module")
def _recorded(opened: Any, sheet: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """D01 ended on 10 September 2024 with something to follow up."""
    office = opened.copy(tmp_path_factory.mktemp("recorded") / "home")
    with office.here():
        entry = sheet("2024-1-D01", result=8, ended_on=date(2024, 9, 10))
        record_inspections([entry], at(date(2024, 9, 10)))
    return office


@pytest.fixture
def recorded(_recorded: Any) -> Iterator[Any]:
    """The office, shared by tests that change nothing in it."""
    with _recorded.here():
        yield _recorded


@pytest.fixture
def changed(_recorded: Any, tmp_path: Path) -> Iterator[Any]:
    """The office for one test alone."""
    copy = _recorded.copy(tmp_path / "recorded")
    with copy.here():
        yield copy


def test_an_inspections_duties_come_in_their_order(recorded: Any) -> None:
    found = [
        (each.row.duty, each.row.object.removeprefix("2024-1-D01"))
        for each in explain("2024-1-D01")
    ]
    assert found == [
        ("notify", ""),
        ("inspect", ""),
        ("record", "/scjgj"),
        ("record", "/yjglj"),
        ("decide_referral", "/yjglj"),
        ("publish", "/scjgj"),
        ("publish", "/yjglj"),
        ("follow_up", "/yjglj/yj-1"),
    ]


def test_a_departments_duties_are_its_own_with_what_belongs_to_them(recorded: Any) -> None:
    found = [each.row.duty for each in explain("2024-1-D01/yjglj")]
    assert found == ["record", "decide_referral", "publish", "follow_up"]


def test_it_names_the_person_the_statute_and_every_day(recorded: Any) -> None:
    told = one("publish", "2024-1-D01/yjglj")
    assert told.deadline.due_on == date(2024, 10, 14)
    text = told.text()
    assert f"【公示】2024-1-D01/yjglj {told.row.about}\n责任人 {told.row.person}；" in text
    assert "依据：方案第八条" in text
    assert "期限 20个工作日" in text
    for line in (
        "2024-09-14（周六） 第 4 日：调休上班（国办发明电〔2023〕7号）",
        "2024-09-17（周二） 不计：中秋节放假",
        "2024-09-21（周六） 不计：周末",
        "2024-10-01（周二） 不计：国庆节放假",
        "2024-10-14（周一） 第 20 日：工作日",
        f"到期日 2024-10-14（周一）；日历版本 {CHINA}",
    ):
        assert line in text.splitlines()


def test_a_draw_and_a_window_have_fixed_dates(recorded: Any) -> None:
    (draw,) = explain("2024-1-D")
    assert (draw.row.duty, draw.deadline.due_on) == ("draw", date(2024, 6, 25))
    assert "2024-06-25 完成" in draw.text()
    assert "期限 固定日期 2024-09-30" in one("inspect", "2024-1-D02").text()


def test_suspension_and_extension_show_with_their_approval(changed: Any) -> None:
    grounds = ("卫东应急〔2024〕9号", "细则第12条", "应急局负责人", date(2024, 9, 12))
    pause = Suspension(date(2024, 9, 18), date(2024, 9, 20), *grounds)
    more = Extension(2, *grounds)
    for each in (pause, more):
        grant_time("publish", "2024-1-D01/yjglj", each, "王五", at(date(2024, 9, 18)))
    told = one("publish", "2024-1-D01/yjglj")
    approved = "（细则第12条，卫东应急〔2024〕9号，应急局负责人批准）"
    assert "；中止中\n" in told.text()
    assert f"2024-09-18（周三） 不计：中止{approved}" in told.text()
    assert f"第 21 日：工作日，延期{approved}" in told.text()
    assert told.deadline.due_on == told.row.due_on == date(2024, 10, 21)
    first, second = told.as_dict()["grants"]
    assert first == {
        "kind": "中止",
        "effective": True,
        "from": "2024-09-18",
        "through": "2024-09-20",
        "document": "卫东应急〔2024〕9号",
        "article": "细则第12条",
        "approver": "应急局负责人",
        "approved_on": "2024-09-12",
    }
    assert (second["kind"], second["amount"]) == ("延期", 2)


def test_for_programs_it_is_json_with_the_deadlines_keys(recorded: Any) -> None:
    told = json.loads(json.dumps(one("publish", "2024-1-D01/yjglj").as_dict()))
    assert told["duty"] == "公示"
    assert (told["event_day"], told["working_days"]) == ("2024-09-10", 20)
    assert told["stored"] == {
        "due_on": "2024-10-14",
        "provisional": False,
        "calendar_version": CHINA,
    }
    assert told["as_stored"] is True
    assert len(told["days"]) == 34


def test_a_plans_closure_counts_and_shows_with_its_order(changed: Any, drill: Plan) -> None:
    flood = Closure(
        from_on=date(2024, 9, 12),
        through_on=date(2024, 9, 14),
        name="防汛停工",
        order="卫东政〔2024〕8号",
    )
    load_plan(drill.model_copy(update={"closures": (flood,)}), at(date(2024, 9, 11)))
    told = one("publish", "2024-1-D01/yjglj")
    assert told.row.due_on == told.deadline.due_on == date(2024, 10, 17)
    assert told.row.due_version == 2
    assert "2024-09-14（周六） 不计：防汛停工（卫东政〔2024〕8号）" in told.text()
    assert "+卫东政〔2024〕8号#" in told.row.calendar_version


def test_a_met_duty_is_explained_by_the_calendar_of_its_time(winter: Any, import_2027: Any) -> None:
    before = one("publish", "2026-1-D03/yjglj").text()
    done = import_2027()
    import_2027(amendment=True, day=date(2027, 1, 26))
    met = one("publish", "2026-1-D03/yjglj")
    assert met.text() == before
    assert "2026-12-31 完成" in before
    assert "到期日 2027-01-12（周二）（暂定）" in before
    # Those that the notice moved, and the amendment did not, stay with the notice's version.
    moved = one("publish", "2026-1-D03/scjgj")
    assert moved.deadline.calendar_version == done.version
    assert "暂定" not in moved.text()
    amended = one("publish", "2026-1-D04/scjgj")
    assert "2027-02-14（周日） 不计：春节放假" in amended.text()
    assert "2027-01-31（周日） 第 11 日：调休上班（国办发明电〔2026〕99号）" in amended.text()


def test_a_calendar_that_is_gone_is_said_to_be_gone(changed: Any) -> None:
    old = "holidays-0.1/2007-2024/12345678"
    other = {"calendar_version": old, "due_on": date(2024, 10, 15)}
    with writing() as session:
        session.execute(update(Obligation).where(Obligation.duty == "publish").values(**other))
    told = one("publish", "2024-1-D01/yjglj")
    assert not told.as_stored
    assert f"登记时的日历 {old} 已不能重建" in told.text()
    assert "注意：与登记的到期日 2024-10-15 不同" in told.text()


@pytest.mark.parametrize("object", ["2024-1-D99", "", "%", "2024-1-D0_"])
def test_an_unknown_object_is_refused(recorded: Any, object: str) -> None:
    with pytest.raises(EntryRefused, match=f"没有“{object}”的期限，应为检查编号，如 2024-1-D03"):
        explain(object)
