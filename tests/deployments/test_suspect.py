"""The rehearsal's suspected crime: reported on Friday, decided on Sunday, entered as it comes."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from deployments.suspect import crimes
from models.base import SHANGHAI
from models.plan import Plan
from models.record import RecordEntry
from tasks.crime import enter_crimes
from tasks.inspection import record_inspections


def at(day: date) -> datetime:
    return datetime.combine(day, time(8), tzinfo=SHANGHAI)


def test_it_takes_its_course_over_a_weekend_and_ends(
    drawn: Any, plan: Plan, sheet: Callable[..., RecordEntry]
) -> None:
    assert crimes(plan) == []
    record_inspections([sheet("2024-1-D04", "yjglj", 10)], at(date(2024, 7, 10)))
    ((saturday, report),) = crimes(plan)
    assert (saturday, report.reported_at) == (date(2024, 7, 13), "2024-07-12 16:30")
    enter_crimes([report], at(saturday))
    ((monday, decided),) = crimes(plan)
    assert (monday, decided.decided_at) == (date(2024, 7, 15), "2024-07-14 10:00")
    enter_crimes([decided], at(monday))
    assert crimes(plan) == []
