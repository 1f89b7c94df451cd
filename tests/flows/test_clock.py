"""The one place that reads the clock."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from flows.clock import moment
from models.base import SHANGHAI
from models.entry import EntryRefused
from models.plan import read_plan
from models.settings import SHIPPED_PLAN
from tasks.plan import load_plan

NOW = datetime(2024, 7, 1, 0, 30, tzinfo=SHANGHAI)  # it is still June in Greenwich


@pytest.fixture(autouse=True)
def _night() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def test_today_is_the_day_in_shanghai(office: Any) -> None:
    assert moment() == NOW
    assert moment().date() == date(2024, 7, 1)


@pytest.mark.parametrize("days", [-400, -1, 0])
def test_a_day_that_has_been_keeps_the_hour_of_the_clock(office: Any, days: int) -> None:
    day = NOW.date() + timedelta(days=days)
    assert moment(day) == datetime(day.year, day.month, day.day, 0, 30, tzinfo=SHANGHAI)


def test_a_day_to_come_may_be_played_where_all_plans_are_drills(office: Any) -> None:
    assert moment(date(2024, 7, 2)).date() == date(2024, 7, 2)


def test_a_day_to_come_is_refused_where_one_plan_is_in_earnest(office: Any) -> None:
    earnest = read_plan(SHIPPED_PLAN).model_copy(update={"number": "在办方案", "code": "2025"})
    load_plan(earnest, NOW)
    assert moment(date(2024, 7, 1)).date() == date(2024, 7, 1)
    with pytest.raises(EntryRefused, match=r"^日期 2024-07-02 还没有到；只有演练可以用将来的日期$"):
        moment(date(2024, 7, 2))
