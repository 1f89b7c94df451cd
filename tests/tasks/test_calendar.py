"""The office's calendar: what lies on what, and how an earlier version is had back."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from calendars import NotCovered, WorkingCalendar
from models.database import reading
from models.plan import Closure, Plan
from tasks.calendar import calendar_of, current_calendar, is_working_day, office_calendar

FLOOD = Closure(
    from_on=date(2026, 12, 7),
    through_on=date(2026, 12, 8),
    name="暴雪停工",
    order="卫东政〔2026〕8号",
)


def calendar(plan: Plan | None = None) -> WorkingCalendar:
    with reading() as session:
        return office_calendar(session, plan)


def calendar_at(version: str, plan: Plan | None = None) -> WorkingCalendar:
    with reading() as session:
        return calendar_of(session, version, plan)


def test_without_notices_it_is_that_of_the_published_years(database: Any) -> None:
    assert calendar().version == WorkingCalendar.china().version
    assert calendar().covered_through == date(2026, 12, 31)
    assert current_calendar() is calendar()


def test_an_imported_notice_makes_its_year_known_and_is_named_in_the_version(
    database: Any, import_2027: Any
) -> None:
    done = import_2027()
    assert calendar().version == done.version
    assert done.version.startswith(f"{WorkingCalendar.china().version}+国办发明电〔2026〕99号#")
    assert calendar().firm_through == date(2027, 12, 28)
    assert calendar().is_working_day(date(2027, 2, 14))
    assert not calendar().is_working_day(date(2027, 2, 11))


def test_an_amendment_is_a_new_version_on_top_and_the_one_below_can_be_had_back(
    database: Any, import_2027: Any
) -> None:
    first = import_2027().version
    amended = import_2027(amendment=True).version
    assert amended.startswith(f"{first}+国办发明电〔2027〕98号#")
    assert not calendar().is_working_day(date(2027, 2, 14))
    for version in (WorkingCalendar.china().version, first, amended):
        assert calendar_at(version).version == version
    assert calendar_at(first).is_working_day(date(2027, 2, 14))


def test_a_year_imported_once_more_takes_the_place_of_a_wrong_one(
    database: Any, import_2027: Any
) -> None:
    wrong = import_2027.text.replace("2月14日（周日）上班", "2月20日（周六）上班")
    import_2027(
        text=wrong,
        number="国办发明电〔2026〕100号",
        issued_on=date(2026, 11, 25),
        confirmed_by=["张三", "李四"],
    )
    assert calendar().is_working_day(date(2027, 2, 20))
    import_2027(amendment=True)
    import_2027()  # issued earlier than the wrong one says it was
    assert not calendar().is_working_day(date(2027, 2, 20))
    assert not calendar().is_working_day(date(2027, 2, 14))  # and the amendment still stands


def test_two_offices_in_one_process_keep_their_own_notices(
    winter: Any, tmp_path: Path, import_2027: Any
) -> None:
    other = winter.copy(tmp_path / "other")
    version = import_2027().version
    with other.here():
        theirs = import_2027(text=import_2027.text + "\n附注").version
        assert calendar().version == theirs
    assert calendar().version == version != theirs


def test_a_local_closure_counts_for_the_plan_that_names_it_alone(
    database: Any, drill: Plan
) -> None:
    closed = drill.model_copy(update={"closures": (FLOOD,)})
    day = date(2026, 12, 7)
    assert calendar(drill).is_working_day(day)
    assert not calendar(closed).is_working_day(day)
    assert calendar(closed).ruling(day) == (False, "暴雪停工（卫东政〔2026〕8号）")
    assert "+卫东政〔2026〕8号#" in calendar(closed).version
    # What was counted before the order came is explained without it.
    before = calendar(drill).version
    assert calendar_at(before, closed).is_working_day(day)
    assert calendar_at(calendar(closed).version, closed).version == calendar(closed).version


def test_a_version_that_is_gone_comes_back_as_another_one(database: Any) -> None:
    assert calendar_at("holidays-0.1/2007-2020/12345678").version == calendar().version


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 10, 10), True),  # a make-up Saturday
        (date(2026, 10, 7), False),
        (date(2027, 1, 1), False),  # by law, no notice being known
        (date(2027, 1, 4), True),
    ],
)
def test_the_office_works_on_working_days(database: Any, day: date, working: bool) -> None:
    assert is_working_day(day) is working


def test_before_2007_nothing_is_known(database: Any) -> None:
    with pytest.raises(NotCovered, match="不在已公布的工作日历内"):
        is_working_day(date(2006, 12, 29))
