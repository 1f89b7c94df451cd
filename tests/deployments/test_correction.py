"""The rehearsal's correction: noticed once the result is public, and only once."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from calendars import WorkingCalendar
from deployments.correction import corrections
from models.base import SHANGHAI
from models.plan import Plan
from models.publication import PublicationEntry
from models.record import RecordEntry
from tasks.inspection import record_inspections
from tasks.publication import confirm_publications, prepare_publications

CALENDAR = WorkingCalendar.china()


def at(day: date) -> datetime:
    return datetime.combine(day, time(8), tzinfo=SHANGHAI)


def publish(day: date) -> None:
    prepare_publications("2024-1", at(day))
    entry = PublicationEntry(
        inspection="2024-1-D03",
        department="yjglj",
        entered_on=day,
        published_on=str(day),
        entered_by="张三",
    )
    confirm_publications([entry], at(day))


def test_what_is_public_is_corrected_once_and_is_then_owed_anew(
    drawn: Any, plan: Plan, sheet: Callable[..., RecordEntry]
) -> None:
    record_inspections([sheet("2024-1-D03")], at(date(2024, 7, 10)))
    assert corrections(plan, CALENDAR) == []
    publish(date(2024, 7, 19))
    ((wednesday, entry),) = corrections(plan, CALENDAR)
    assert wednesday == date(2024, 7, 24)
    assert [item.result for item in entry.results] == [9]
    record_inspections([entry], at(wednesday))
    assert corrections(plan, CALENDAR) == []
    assert prepare_publications("2024-1", at(wednesday)) == 1
    publish(date(2024, 7, 26))
    (owed,) = [row for row in drawn.rows()["obligation"] if row["duty"] == "republish"]
    assert (owed["object"], owed["met_on"]) == ("2024-1-D03/yjglj/2", "2024-07-26")
    assert corrections(plan, CALENDAR) == []


def test_a_result_that_has_a_problem_is_left_as_it_is(
    drawn: Any, plan: Plan, sheet: Callable[..., RecordEntry]
) -> None:
    record_inspections([sheet("2024-1-D03", result=5)], at(date(2024, 7, 10)))
    publish(date(2024, 7, 19))
    assert corrections(plan, CALENDAR) == []
