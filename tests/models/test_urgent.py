"""Urgent alerts: each level at its minute, days off included."""

from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base import SHANGHAI
from models.plan import read_plan
from models.settings import SHIPPED_PLAN
from models.urgent import urgent_fallen, urgent_steps

LEVELS = read_plan(SHIPPED_PLAN).urgent_alerts
FRIDAY = datetime(2024, 7, 12, 16, 30, tzinfo=SHANGHAI)
MONDAY = datetime(2024, 7, 16, 0, 0, tzinfo=SHANGHAI)  # 24:00 of the 15th


def minutes(started_at: datetime, due_at: datetime, count: int) -> list[tuple[str, str]]:
    found = islice(urgent_steps(started_at, due_at, LEVELS), count)
    return [(step.level, f"{step.on:%m-%d %H:%M}") for step in found]


def test_three_days_over_a_weekend_are_alerted_on_it() -> None:
    assert minutes(FRIDAY, MONDAY, 6) == [
        ("start", "07-12 16:30"),
        ("before-24", "07-15 00:00"),
        ("before-4", "07-15 20:00"),
        ("over", "07-16 00:01"),  # at 24:00 sharp it is not overdue yet
        ("daily-1", "07-17 00:01"),
        ("daily-2", "07-18 00:01"),
    ]


def test_twenty_four_hours_are_alerted_by_the_minute_over_midnight() -> None:
    assert minutes(FRIDAY, FRIDAY + timedelta(hours=24), 5) == [
        ("start", "07-12 16:30"),
        ("before-24", "07-12 16:30"),
        ("before-4", "07-13 12:30"),
        ("over", "07-13 16:31"),
        ("daily-1", "07-14 16:31"),
    ]


@pytest.mark.parametrize(
    ("now", "levels", "next_on"),
    [
        (FRIDAY - timedelta(minutes=1), [], FRIDAY),
        (FRIDAY, ["start"], datetime(2024, 7, 15, tzinfo=SHANGHAI)),
        (MONDAY - timedelta(hours=24, minutes=1), ["start"], MONDAY - timedelta(hours=24)),
        (MONDAY - timedelta(hours=24), ["start", "before-24"], MONDAY - timedelta(hours=4)),
        (MONDAY, ["start", "before-24", "before-4"], MONDAY + timedelta(minutes=1)),
    ],
)
def test_a_level_falls_at_its_minute_and_not_before(
    now: datetime, levels: list[str], next_on: datetime
) -> None:
    fell = urgent_fallen(FRIDAY, MONDAY, "", now, LEVELS)
    assert [step.level for step in fell.steps] == levels
    assert fell.next_on == next_on


def test_after_an_outage_each_role_is_told_its_latest_level_alone() -> None:
    fell = urgent_fallen(FRIDAY, MONDAY, "start", MONDAY + timedelta(hours=30), LEVELS)
    mailed = [(step.level, role) for step, role, mailed in fell.told() if mailed]
    skipped = [(step.level, role) for step, role, mailed in fell.told() if not mailed]
    assert mailed == [("daily-1", "responsible"), ("daily-1", "head"), ("daily-1", "coordinator")]
    assert [level for level, _ in skipped] == ["before-24", *["before-4"] * 2, *["over"] * 3]


@given(
    length=st.integers(1, 24 * 30),
    looks=st.lists(st.integers(0, 60 * 24 * 40), min_size=1, max_size=20),
)
def test_however_often_one_looks_each_level_falls_exactly_once(
    length: int, looks: list[int]
) -> None:
    due_at = FRIDAY + timedelta(hours=length)
    found: list[str] = []
    for late in sorted(looks):
        now = FRIDAY + timedelta(minutes=late)
        fell = urgent_fallen(FRIDAY, due_at, found[-1] if found else "", now, LEVELS)
        found += [step.level for step in fell.steps]
    last = FRIDAY + timedelta(minutes=max(looks))
    at_once = urgent_fallen(FRIDAY, due_at, "", last, LEVELS)
    assert found == [step.level for step in at_once.steps]
