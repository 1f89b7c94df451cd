"""Planned visits: working days within the window, few a day, in the order of the draw."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calendars import WorkingCalendar
from models.plan import PlannedRound
from models.visit import planned_visits

CALENDAR = WorkingCalendar.china()


def a_round(visits_from: str = "2024-07-08", ends_on: str = "2024-09-30", per_day: int = 4):  # type: ignore[no-untyped-def]
    return PlannedRound(
        number=1,
        opens_on=date(2024, 6, 25),
        visits_from=date.fromisoformat(visits_from),
        ends_on=date.fromisoformat(ends_on),
        visits_per_day=per_day,
    )


def visits(count: int, ready_on: date | None = None, **changed: object) -> list[str]:
    days = planned_visits(a_round(**changed), count, CALENDAR, ready_on)
    return [each.isoformat()[5:] for each in days]


def test_visits_begin_on_their_day_so_many_a_day() -> None:
    assert visits(5) == ["07-08"] * 4 + ["07-09"]
    assert visits(3, per_day=1) == ["07-08", "07-09", "07-10"]


def test_no_subjects_no_visits() -> None:
    assert visits(0) == []


def test_days_off_are_left_out_and_make_up_days_used() -> None:
    assert visits(4, visits_from="2024-09-13", per_day=1) == ["09-13", "09-14", "09-18", "09-19"]
    assert visits(1, visits_from="2024-09-15") == ["09-18"]


def test_many_visits_share_the_days_there_are_less_a_reserve() -> None:
    # Sixty working days after 8 July, ten of them in reserve.
    assert visits(204)[-1] == visits(204, per_day=1)[-1]
    crowded = visits(500)
    assert max(crowded) <= "09-14"
    assert crowded.count("07-08") == 10
    # Eleven are left, half of them in reserve.
    assert visits(12, visits_from="2024-09-13", per_day=1)[-1] == "09-23"


def test_a_window_without_room_is_still_planned() -> None:
    assert visits(30, visits_from="2024-09-30") == ["09-30"] * 30


@pytest.mark.parametrize(
    ("ready_on", "first"),
    [(None, "07-08"), (date(2024, 7, 5), "07-08"), (date(2024, 7, 20), "07-22")],
)
def test_a_late_draw_leaves_time_for_its_notices(ready_on: date | None, first: str) -> None:
    assert visits(1, ready_on) == [first]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 400), st.integers(1, 8))
def test_every_visit_is_on_a_working_day_within_the_window(count: int, per_day: int) -> None:
    planned = a_round(per_day=per_day)
    days = planned_visits(planned, count, CALENDAR)
    assert len(days) == count
    assert days == sorted(days)
    assert all(CALENDAR.is_working_day(each) for each in days)
    assert planned.visits_from <= days[0] <= days[-1] <= planned.ends_on
