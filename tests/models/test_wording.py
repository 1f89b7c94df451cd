"""How due days and minutes are told."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from calendars import WorkingCalendar
from models.base import SHANGHAI
from models.obligation import Obligation
from models.wording import counted, due, named_minute, span, standing, urgency

CALENDAR = WorkingCalendar.china()


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=SHANGHAI)


def row(**changed: Any) -> Obligation:
    given = {
        "started_on": date(2024, 7, 3),
        "working_days": 7,
        "due_on": date(2024, 7, 12),
        "due_at": at("07-13 00:00"),
        "provisional": False,
    }
    return Obligation(**(given | changed))


BY_HOURS = row(
    started_at=at("07-12 16:30"), started_on=date(2024, 7, 12), working_days=None, hours=24,
    due_on=date(2024, 7, 13), due_at=at("07-13 16:30"),
)  # fmt: skip
BY_DAYS = row(
    started_at=at("07-12 16:30"), started_on=date(2024, 7, 12), working_days=None, natural_days=3,
    due_on=date(2024, 7, 15), due_at=at("07-16 00:00"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(), "0 分"),
        (timedelta(minutes=59), "59 分"),
        (timedelta(minutes=60), "1 小时 0 分"),
        (timedelta(hours=27, minutes=5), "27 小时 5 分"),
    ],
)
def test_lengths_are_told_in_hours_and_minutes(length: timedelta, said: str) -> None:
    assert span(length) == said


def test_midnight_is_the_end_of_its_day() -> None:
    assert named_minute(at("07-16 00:00")) == "2024年7月15日（周一）24时"
    assert named_minute(at("07-16 00:01")) == "2024年7月16日（周二）0时01分"


@pytest.mark.parametrize(
    ("duty", "when", "how"),
    [
        (
            BY_HOURS,
            "2024年7月13日（周六）16时30分",
            "2024年7月12日（周五）16时30分起算，24 小时，休息日照计",
        ),
        (
            BY_DAYS,
            "2024年7月15日（周一）24时",
            "2024年7月12日（周五）起算（当日不计），第 3 日，休息日照计，末日不顺延",
        ),
        (
            row(provisional=True),
            "2024年7月12日（周五）（暂定）",
            "2024年7月3日（周三）起算（当日不计），第 7 个工作日",
        ),
    ],
)
def test_a_due_day_or_minute_says_how_it_was_counted(duty: Obligation, when: str, how: str) -> None:
    assert (due(duty), counted(duty)) == (when, how)


@pytest.mark.parametrize(
    ("duty", "now", "said", "level"),
    [
        (BY_HOURS, "07-12 16:29", "还剩 24 小时 1 分", 0),
        (BY_HOURS, "07-12 16:30", "还剩 24 小时 0 分", 1),
        (BY_HOURS, "07-13 16:30", "还剩 0 分", 1),
        (BY_HOURS, "07-13 16:31", "已逾期 1 分", 2),
        (BY_DAYS, "07-16 00:00", "还剩 0 分", 1),
        (BY_DAYS, "07-17 03:05", "已逾期 27 小时 5 分", 2),
        (row(), "07-11 09:00", "还剩 1 个工作日", 0),
        (row(), "07-12 23:59", "今天到期", 1),
        (row(), "07-13 00:00", "已逾期 1 个工作日", 2),  # a Saturday
        (row(), "07-16 09:00", "已逾期 2 个工作日", 2),
    ],
)
def test_how_much_is_left_or_over(duty: Obligation, now: str, said: str, level: int) -> None:
    assert (standing(duty, at(now), CALENDAR), urgency(duty, at(now))) == (said, level)
